"""Walks through a directory and all below it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator


class FileTree:
    """What is below a directory.

    Symbolic links to directories are not followed: what is behind them is
    elsewhere.

    Parameters
    ----------
    root
        The directory.
    is_closed
        Whether a directory, given relative to the root, is to be passed over.
    """

    def __init__(self, root: str, is_closed: Callable[[str], bool]) -> None:
        self._root = root
        self._is_closed = is_closed
        #: Directories that could not be listed, with the reason.
        self.unreadable: dict[str, str] = {}

    def files(self) -> Iterator[tuple[str, os.DirEntry[str]]]:
        """Give all that is no directory, by path relative to the root."""
        folders = [""]
        while folders:
            folder = folders.pop()
            try:
                with os.scandir(f"{self._root}/{folder}") as entries:
                    for entry in entries:
                        path = folder + entry.name
                        if not entry.is_dir(follow_symlinks=False):
                            yield path, entry
                        elif not self._is_closed(path):
                            folders.append(f"{path}/")
            except FileNotFoundError:
                continue  # removed since its parent was listed
            except OSError as error:
                self.unreadable[folder.rstrip("/")] = error.strerror or str(error)
