"""Puts files aside that nobody knows of, or that are not what they should be."""

from __future__ import annotations

import itertools
import os
import shutil
from collections.abc import Callable
from functools import cache
from pathlib import Path

#: Folder below the datastore's directory that they go to.
FOLDER = "lost+found"


class LostAndFound:
    """A folder of files that may still be of use to somebody.

    Parameters
    ----------
    root
        The datastore's directory.
    """

    def __init__(self, root: str) -> None:
        self._root = root
        self._room_of = cache(self._make_room)
        #: Folders from which files were taken, relative to the root.
        self._left: set[str] = set()

    def take(self, path: str) -> str:
        """Move a file, keeping its path, and return where to; both are relative to the root.

        A name that is taken gets a number.

        Raises
        ------
        OSError
            If the file cannot be moved.
        """
        folder, _, name = path.rpartition("/")
        room = self._room_of(folder)
        target = _numbered(f"{self._root}/{room}/{name}", os.path.lexists)
        shutil.move(f"{self._root}/{path}", target)  # perhaps to another file system
        if folder:
            self._left.add(folder)
        return target.removeprefix(f"{self._root}/")

    def _make_room(self, folder: str) -> str:
        """Return the folder for files from another one; both are relative to the root."""
        place = FOLDER
        for name in filter(None, folder.split("/")):
            # A file may have gone by the name that is now a folder's.
            place = _numbered(f"{place}/{name}", self._is_file)
        Path(self._root, place).mkdir(parents=True, exist_ok=True)
        return place

    def _is_file(self, path: str) -> bool:
        place = Path(self._root, path)
        return os.path.lexists(place) and not place.is_dir()

    def remove_empty(self) -> None:
        """Remove the folders from which the last file was taken, and those above them."""
        while self._left:
            folder = self._left.pop()
            try:
                Path(self._root, folder).rmdir()
            except OSError:
                continue
            if above := folder.rpartition("/")[0]:
                self._left.add(above)


def _numbered(path: str, is_taken: Callable[[str], bool]) -> str:
    """Return a path, or the first of those with a number behind that is not taken."""
    others = (f"{path}.{n}" for n in itertools.count(1))
    return next(p for p in itertools.chain([path], others) if not is_taken(p))
