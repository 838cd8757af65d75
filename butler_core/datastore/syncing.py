"""Makes sure that what was written is on the disk."""

from __future__ import annotations

import ctypes
import functools
import os
from collections.abc import Iterable
from pathlib import Path

#: From this many files on, one call for the whole file system costs less than one for each.
_MANY = 16

#: Directories whose entries above them were synced, with device and inode: one of the same name
#: that was made later is another.
_KNOWN: dict[Path, tuple[int, int]] = {}
_MOST_KNOWN = 10_000


def sync_file(path: Path) -> None:
    """Put one file's bytes on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_directory(path: Path) -> None:
    """Put a directory's entries on the disk."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_files(paths: Iterable[str | Path], root: Path) -> None:
    """Put many files, and the directories from a root down to them, on the disk.

    A symbolic link has no bytes of its own; its directory has.
    """
    paths = list(paths)
    directories = {Path(name) for name in set(map(os.path.dirname, paths))}
    if len(paths) >= _MANY and _sync_file_systems(directories):
        return
    for path in map(Path, paths):
        if not path.is_symlink():
            sync_file(path)
    sync_directories(directories, root)


def sync_directories(directories: Iterable[Path], root: Path) -> None:
    """Put directories on the disk, and the entries of those that are new, up to a root."""
    found = set(directories)
    if len(found) >= _MANY and _sync_file_systems(found):
        return
    while found:
        above = set()
        for directory in found:
            sync_directory(directory)
            if directory != root and not _is_known(directory) and directory.is_relative_to(root):
                above.add(directory.parent)
        found = above


def _is_known(directory: Path) -> bool:
    """Return whether this process has made sure before that a directory's own entry is kept."""
    found = directory.stat()
    place = (found.st_dev, found.st_ino)
    is_known = _KNOWN.get(directory) == place
    if len(_KNOWN) >= _MOST_KNOWN:
        _KNOWN.clear()
    _KNOWN[directory] = place
    return is_known


def _sync_file_systems(directories: Iterable[Path]) -> bool:
    """Sync the file systems that hold the directories; False where there is no such call."""
    syncfs = _syncfs()
    if syncfs is None:
        return False
    devices: dict[int, Path] = {}
    for directory in directories:
        devices.setdefault(directory.stat().st_dev, directory)
    for directory in devices.values():
        descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
        try:
            if syncfs(descriptor) != 0:
                number = ctypes.get_errno()
                raise OSError(number, os.strerror(number), str(directory))
        finally:
            os.close(descriptor)
    return True


@functools.cache
def _syncfs() -> ctypes._NamedFuncPointer | None:
    """Return the C library's ``syncfs``, which Linux alone has."""
    return getattr(ctypes.CDLL(None, use_errno=True), "syncfs", None)
