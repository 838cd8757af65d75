"""Writes a dataset's new file, and says how long it is and what its checksum is."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from butler_core.datastore.syncing import sync_file
from butler_core.formatters.bytes_formatter import BytesFormatter
from butler_core.formatters.formatter import Formatter

_CHUNK_BYTES = 1 << 16

#: How often a directory is made again that another process removes as empty.
_ATTEMPTS = 5


def write_new_file(
    formatter: Formatter, obj: Any, path: Path, *, checksum: str, is_to_sync: bool
) -> tuple[int, str | None]:
    """Write a file that is not there yet.

    Parameters
    ----------
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
    state = _hash(checksum)
    if isinstance(formatter, BytesFormatter):
        content = formatter.to_bytes(obj)
        _in_directory(path, partial(_write_bytes, path, content, is_to_sync=is_to_sync))
        size = len(content)
        if state is not None:
            state.update(content)
    else:
        path.parent.mkdir(parents=True, exist_ok=True)  # not after the work that writing may be
        _in_directory(path, partial(formatter.write, obj, path))
        size = path.stat().st_size
        if state is not None:
            _update(state, path)
        if is_to_sync:
            sync_file(path)
    return size, None if state is None else f"{checksum}:{state.hexdigest()}"


def _hash(checksum: str) -> Any:
    if checksum == "none":
        return None
    return hashlib.blake2b(digest_size=32) if checksum == "blake2b" else hashlib.new(checksum)


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
        if is_to_sync:
            os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _in_directory(path: Path, write: Callable[[], None]) -> None:
    """Write into a directory that others may remove, while it is empty, at any time."""
    for attempt in range(_ATTEMPTS):
        try:
            write()
            return
        except FileNotFoundError:
            if attempt + 1 == _ATTEMPTS or path.parent.is_dir():
                raise
            path.parent.mkdir(parents=True, exist_ok=True)
