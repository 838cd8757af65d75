"""Datasets that are members of a zip archive: ``path/to.zip#zip-path=name``."""

from __future__ import annotations

import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from butler_core.errors import ReadFileError

#: What a file raises that is no zip archive, or was one.
BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError)

#: Stands between an archive's path and a member's name.
MEMBER_MARK = "#zip-path="


def split(path: str) -> tuple[str, str | None]:
    """Return a file's path, and the member's name if the path has one."""
    archive, mark, member = path.partition(MEMBER_MARK)
    return archive, member if mark else None


def open_archive(path: str) -> zipfile.ZipFile:
    """Open an archive to look into it.

    Raises
    ------
    FileNotFoundError
        If it is not there.
    ReadFileError
        If it is broken.
    """
    try:
        return zipfile.ZipFile(path)
    except BROKEN as error:
        raise ReadFileError(f"{path!r} is no whole zip archive: {error}") from error


@contextmanager
def local_file(path: str) -> Iterator[str]:
    """Lend a path or URL that can be opened; a member is unpacked for as long.

    Raises
    ------
    ReadFileError
        If the archive is not there or has no such member.
    """
    archive, member = split(path)
    if member is None:
        yield path
        return
    try:
        with zipfile.ZipFile(archive) as opened:
            content = opened.read(member)
    except (OSError, KeyError, zipfile.BadZipFile) as error:
        raise ReadFileError(f"cannot read {member!r} in {archive!r}: {error}") from error
    with tempfile.TemporaryDirectory(prefix="butler-member-") as folder:
        unpacked = Path(folder) / Path(member).name
        unpacked.write_bytes(content)
        yield str(unpacked)
