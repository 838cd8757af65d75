"""Takes existing files into a datastore's directory, in one of the transfer modes."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from butler_core.datastore.file_transfer import transfer_file
from butler_core.datastore.pending_files import IngestBatch
from butler_core.datastore.transfer_mode import TransferMode
from butler_core.errors import PathTemplateError, TransferError

_COMPRESSED = (".gz", ".fz", ".bz2", ".xz", ".zst")


@dataclass(frozen=True, slots=True)
class TakenFile:
    """A file that now belongs to the datastore, or will be read where it is."""

    #: Relative to the datastore's directory, or absolute.
    path: str
    #: [bytes]
    size: int
    #: Whether it was below the directory already, and may be taken in again for another run.
    is_in_place: bool = False


class FileIntake:
    """Takes files in; what became of them is in ``batch``.

    Parameters
    ----------
    root
        The datastore's directory.
    is_taken
        Whether a file that is at a path already belongs to a dataset; what
        belongs to nobody is replaced.
    """

    def __init__(self, root: Path, mode: TransferMode, is_taken: Callable[[str], bool]) -> None:
        self._root = os.path.abspath(root)  # noqa: PTH100 - keeps symbolic links
        self._mode = mode
        self._is_taken = is_taken
        self._targets: set[str] = set()
        #: Directories that files went to, with whether they were made for them.
        self._directories: dict[str, bool] = {}
        self.batch = IngestBatch()

    def take_in(self, source: str, target: str) -> TakenFile:
        """Bring one file in place.

        Parameters
        ----------
        target
            Where it goes, relative to the directory and without extension; the
            source's own is kept.

        Raises
        ------
        TransferError
            If it cannot be taken in.
        PathTemplateError
            If it would have the path of another dataset.
        """
        try:
            size = os.stat(source).st_size  # noqa: PTH116 - a third of the cost of Path.stat, for 10^5 files
        except OSError as error:
            raise TransferError(f"cannot ingest {source!r}: {error.strerror}") from error
        if self._mode is TransferMode.DIRECT:
            return TakenFile(os.path.abspath(source), size)  # noqa: PTH100 - keeps symbolic links
        mode = self._mode
        if mode is TransferMode.AUTO:
            absolute = os.path.abspath(source)  # noqa: PTH100 - as above
            if absolute.startswith(f"{self._root}{os.sep}"):
                return TakenFile(absolute[len(self._root) + 1 :], size, is_in_place=True)
            mode = TransferMode.LINK
        path = target + _suffix(source)
        final = f"{self._root}{os.sep}{path}"
        is_there = not self._is_new(os.path.dirname(final)) and os.path.lexists(final)  # noqa: PTH120 - text, for 10^5 files
        if path in self._targets or (is_there and self._is_taken(path)):
            raise path_is_taken(path)
        transfer_file(source, final, mode)
        self._targets.add(path)
        self.batch.made.append(final)
        if mode is TransferMode.MOVE:
            self.batch.moved.append((source, final))
        return TakenFile(path, size)

    def _is_new(self, directory: str) -> bool:
        """Make a directory if it is not there; return whether it holds our own files alone."""
        found = self._directories.get(directory)
        if found is None:
            Path(directory).parent.mkdir(parents=True, exist_ok=True)
            try:
                Path(directory).mkdir()
                found = True
            except FileExistsError:
                found = False
            self._directories[directory] = found
        return found


def path_is_taken(path: str) -> PathTemplateError:
    """Return the error for a dataset whose path is another's."""
    return PathTemplateError(
        f"{path!r} is the file of another dataset: the path template does not tell the two apart. "
        "Give their dataset type a template with {id} in the repository's butler.yaml"
    )


def _suffix(path: str) -> str:
    """Return the extension with a compression's behind it: ``.fits.gz``, not ``.gz`` alone."""
    stem, suffix = os.path.splitext(path)  # noqa: PTH122 - text, for 10^5 files
    return os.path.splitext(stem)[1] + suffix if suffix in _COMPRESSED else suffix  # noqa: PTH122 - as above
