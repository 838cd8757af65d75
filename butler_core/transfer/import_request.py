"""What a user asks of an import, and where the files are that it needs."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from butler_core.datastore.transfer_mode import TransferMode
from butler_core.errors import ExportFileError

_LOG = logging.getLogger(__name__)

#: Absent files that are named in an error.
_MAX_LISTED = 20

Paths = list[str | None]


@dataclass(frozen=True, slots=True)
class ImportRequest:
    """What to import, and how.

    Which datasets get files: those with a path in the export file. All of
    these files must exist, with two exceptions that are asked for
    (``registry_only``, ``allow_missing_files``), and one that is not: an
    export file in which no dataset has a formatter and no path exists was
    written without files, and its datasets are registered without.
    """

    #: Where the datasets' files are; the export file's own folder if None.
    directory: Path | None
    #: The export file: as it stands if there is one, else below ``directory``.
    filename: Path = Path("export.yaml")
    mode: TransferMode = TransferMode.AUTO
    #: Elements whose records are not imported, since the repository has them.
    skip_dimensions: frozenset[str] = frozenset()
    #: Whether the files' sizes are recorded.
    track_file_attrs: bool = True
    #: Whether all datasets are registered without their files.
    registry_only: bool = False
    #: Whether datasets whose files are absent are registered without them.
    allow_missing_files: bool = False


def find_export_file(request: ImportRequest) -> Path:
    """Return where the export file is.

    Raises
    ------
    ExportFileError
        If it is neither where its name says nor below the directory.
    """
    places = [request.filename]
    if request.directory is not None:
        places.append(request.directory / request.filename)
    for place in places:
        if place.is_file():
            return place
    looked = ", nor ".join(repr(str(place)) for place in dict.fromkeys(places))
    raise ExportFileError(f"there is no export file {looked}; name it with --export-file")


def find_files(
    request: ImportRequest,
    export_file: Path,
    blocks: Sequence[tuple[Sequence[str | None], Sequence[str | None]]],
    faults: list[str],
) -> list[Paths]:
    """Return, for each block of datasets, the files to take in.

    Parameters
    ----------
    request
        Says which files may be absent.
    export_file
        Whose folder paths are relative to if the request names no directory.
    blocks
        Paths as the export file has them, and names of formatters.
    faults
        Where absent files go.

    Returns
    -------
    list
        Absolute paths, or paths relative to where the program runs; None for
        datasets that are registered without a file.
    """
    if request.registry_only:
        return [[None] * len(paths) for paths, _ in blocks]
    directory = str(request.directory or export_file.parent)
    placed = [[_place(directory, path) for path in paths] for paths, _ in blocks]
    wanted = dict.fromkeys(path for paths in placed for path in paths if path is not None)
    absent = {path for path in wanted if not os.path.exists(path)}  # noqa: PTH110 - a third of the cost, for 10^5 files
    if not absent:
        return placed
    has_formatters = any(name is not None for _, formatters in blocks for name in formatters)
    if len(absent) == len(wanted) and not has_formatters:
        _LOG.info("%s was written without files; its datasets are registered without", export_file)
    elif request.allow_missing_files:
        _LOG.info("%d of %d files are not there; their datasets get none", len(absent), len(wanted))
    else:
        faults.append(_absent_text([path for path in wanted if path in absent], len(wanted)))
    return [[None if path in absent else path for path in paths] for paths in placed]


def _place(directory: str, path: str | None) -> str | None:
    if path is None:
        return None
    if path.startswith("file://"):
        return unquote(urlsplit(path).path)
    return os.path.join(directory, path)  # noqa: PTH118 - as above


def _absent_text(absent: Iterable[str], count: int) -> str:
    absent = list(absent)
    more = f" and {len(absent) - _MAX_LISTED} more" if len(absent) > _MAX_LISTED else ""
    listed = "".join(f"\n      {path}" for path in absent[:_MAX_LISTED])
    return (
        f"{len(absent)} of the {count} files that it names are not there; give the directory they "
        "are in, or ask for datasets without files to be registered (registry_only, "
        f"allow_missing_files):{listed}{more}"
    )
