"""From what a user names to a list of files. Opens none of them."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from butler_core.errors import ConfigError, IngestError
from butler_core.raw_ingest.request import FITS_PATTERN


def find_raw_files(locations: Iterable[str | Path], regex: str = FITS_PATTERN) -> list[Path]:
    """List files named, and those in directories named whose names match.

    Parameters
    ----------
    locations
        Files, taken as they are, and directories, searched with all that is
        below them; symbolic links to directories are followed at the top only.
    regex
        Must be found in the name of a file in a directory. Hidden files and
        directories are passed over.

    Returns
    -------
    list of Path
        Absolute paths, each once, those of a directory sorted.

    Raises
    ------
    IngestError
        If a location does not exist; all such are listed.
    ConfigError
        If ``regex`` is no regular expression.
    """
    try:
        pattern = re.compile(regex)
    except re.error as error:
        raise ConfigError(f"{regex!r} is no regular expression: {error}") from error
    found: dict[Path, None] = {}
    absent = []
    for location in map(Path, locations):
        if location.is_dir():
            found.update(dict.fromkeys(_files_below(location.absolute(), pattern)))
        elif location.exists():
            found[location.absolute()] = None
        else:
            absent.append(location)
    if absent:
        raise IngestError(
            "there is no file or directory " + ", ".join(repr(str(path)) for path in absent)
        )
    return list(found)


def _files_below(directory: Path, pattern: re.Pattern[str]) -> Iterator[Path]:
    for folder, subfolders, names in os.walk(directory):
        subfolders[:] = sorted(name for name in subfolders if not name.startswith("."))
        for name in sorted(names):
            if not name.startswith(".") and pattern.search(name):
                yield Path(folder, name)
