"""What is really there of files that are recorded. Knows no record; changes nothing.

A *place* is where a file is: a path relative to the datastore's directory, or
an absolute one for a file elsewhere. An archive's members share its place.
"""

from __future__ import annotations

import errno
import os
import stat
import zipfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from urllib.parse import unquote, urlsplit

from butler_core.datastore import zip_member
from butler_core.datastore.checksum import checksum_of
from butler_core.errors import ReadFileError

#: As many symbolic links as Linux follows for one path.
_MOST_LINKS = 40


class StoredFiles:
    """The files of a datastore, below its directory and in other places.

    Parameters
    ----------
    root
        The datastore's directory.
    """

    def __init__(self, root: Path) -> None:
        self.root = os.path.abspath(root)  # noqa: PTH100 - text, for 10^6 files
        self._real_root = os.path.realpath(root)
        self._real_folder = cache(os.path.realpath)
        self._archive: zipfile.ZipFile | None = None
        self._archive_place = ""

    # ----------------------------------------------------------------- places
    def locate(self, path: str) -> tuple[str, str | None] | None:
        """Return the place of a recorded path, and a member's name; None if it is not local."""
        file, member = zip_member.split(path)
        if "://" in file:
            if not file.startswith("file://"):
                return None
            file = unquote(urlsplit(file).path)
        return (self._place_of(file) if file.startswith("/") else file), member

    def _place_of(self, path: str) -> str:
        """Return the place of an absolute path."""
        folder, _, name = path.rpartition("/")
        real = self._real_folder(folder or "/")
        if real == self._real_root:
            return name
        inside = real.removeprefix(f"{self._real_root}/")
        return path if inside == real else f"{inside}/{name}"

    def absolute(self, place: str) -> str:
        """Return a place as a path that can be opened."""
        return place if place.startswith("/") else f"{self.root}/{place}"

    def reached_from(self, place: str) -> Iterator[str]:
        """Give the places that opening one leads through.

        The first is itself, without links among its folders; behind it comes
        where its own symbolic links lead.
        """
        path = self.absolute(place)
        for _ in range(_MOST_LINKS):
            folder, _, name = path.rpartition("/")
            path = f"{self._real_folder(folder or '/')}/{name}"
            yield self._place_of(path)
            try:
                target = os.readlink(path)  # noqa: PTH115 - text, as above
            except OSError:
                return
            path = os.path.join(path.rpartition("/")[0], target)  # noqa: PTH118 - as above

    # --------------------------------------------------------------- contents
    def size(self, place: str, member: str | None = None) -> int | None:
        """Return the size of a file, or of a member when unpacked [bytes]; None of a folder.

        Raises
        ------
        FileNotFoundError
            If there is no such file, or member.
        ReadFileError
            If it is a member of a broken archive.
        OSError
            If it cannot be looked at.
        """
        if member is not None:
            try:
                return self._opened(place).getinfo(member).file_size
            except KeyError as error:
                raise FileNotFoundError(errno.ENOENT, "no such member") from error
        status = os.stat(self.absolute(place))  # noqa: PTH116 - as above
        return None if stat.S_ISDIR(status.st_mode) else status.st_size

    def _opened(self, place: str) -> zipfile.ZipFile:
        """Return an archive, which stays open until another is asked for."""
        if self._archive is None or self._archive_place != place:
            self.close()
            self._archive = zip_member.open_archive(self.absolute(place))
            self._archive_place = place
        return self._archive

    def close(self) -> None:
        """Close the archive that was looked into last."""
        if self._archive is not None:
            self._archive.close()
            self._archive = None

    def checksum(self, place: str, member: str | None, algorithm: str) -> str:
        """Read a file, or a member, and return its checksum.

        Raises
        ------
        ReadFileError
            If it is a member that cannot be unpacked.
        OSError
            If it cannot be read.
        """
        if member is None:
            with open(self.absolute(place), "rb", buffering=0) as stream:  # noqa: PTH123 - as above
                return checksum_of(stream, algorithm)
        try:
            with self._opened(place).open(member) as unpacked:
                return checksum_of(unpacked, algorithm)
        except (KeyError, *zip_member.BROKEN) as error:
            raise ReadFileError(f"cannot unpack {member!r} of {place!r}: {error}") from error
