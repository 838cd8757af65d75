"""Writes a dataset's new file, and says how long it is and what its checksum is."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from butler_core.datastore.checksum import new_hash
from butler_core.datastore.syncing import sync_file
from butler_core.errors import WriteFileError
from butler_core.failpoints import reach
from butler_core.formatters.bytes_formatter import BytesFormatter
from butler_core.formatters.formatter import Formatter

_CHUNK_BYTES = 1 << 16

#: How often a directory is made again that another process removes as empty.
_ATTEMPTS = 5


def write_new_file(
    formatter: Formatter, obj: Any, path: Path, *, root: Path, checksum: str, is_to_sync: bool
) -> tuple[int, str | None]:
    """Write a file that is not there yet.

    Parameters
    ----------
    root
        A directory above it that must be there; what is between is made.
    is_to_sync
        Whether its bytes are to be on the disk when this returns.
    checksum
        ``blake2b``, another name that `hashlib` knows, or ``none``.

    Returns
    -------
    tuple
        Its size [bytes], and its checksum with the algorithm's name before it,
        or None.
    """
    state = None if checksum == "none" else new_hash(checksum)
    reach("file.write")
    if isinstance(formatter, BytesFormatter):
        content = formatter.to_bytes(obj)
        _in_directory(path, root, partial(_write_bytes, path, content, is_to_sync=is_to_sync))
        size = len(content)
        if state is not None:
            state.update(content)
    else:
        _make_directory(path.parent, root)  # not after the work that writing may be
        _in_directory(path, root, partial(formatter.write, obj, path))
        size = path.stat().st_size
        if state is not None:
            _update(state, path)
        reach("file.written")
        if is_to_sync:
            sync_file(path)
    if is_to_sync:
        reach("file.synced")
    return size, None if state is None else f"{checksum}:{state.hexdigest()}"


def _update(state: Any, path: Path) -> None:
    with path.open("rb") as stream:
        while chunk := stream.read(_CHUNK_BYTES):
            state.update(chunk)


def _write_bytes(path: Path, content: bytes, *, is_to_sync: bool) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
    try:
        rest = memoryview(content)
        while rest:
            rest = rest[os.write(descriptor, rest) :]
        reach("file.written")
        if is_to_sync:
            os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _in_directory(path: Path, root: Path, write: Callable[[], None]) -> None:
    """Write into a directory that others may remove, while it is empty, at any time."""
    for attempt in range(_ATTEMPTS):
        try:
            write()
            return
        except FileNotFoundError:
            if attempt + 1 == _ATTEMPTS or path.parent.is_dir():
                raise
            _make_directory(path.parent, root)


def _make_directory(directory: Path, root: Path) -> None:
    """Make a directory below a root, which itself is not made: it may be a disk that is gone."""
    try:
        directory.mkdir(exist_ok=True)
    except FileNotFoundError:
        if not root.is_dir():
            raise
        directory.mkdir(parents=True, exist_ok=True)


def write_fault(path: Path, error: OSError) -> WriteFileError:
    """Return the error for a file that the system refuses to write; it keeps the number."""
    fault = WriteFileError(f"cannot write {str(path)!r}: {error.strerror or error}")
    fault.errno = error.errno
    return fault
