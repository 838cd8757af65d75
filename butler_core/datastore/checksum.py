"""Checksums of files as they are recorded: the algorithm's name, a colon, hex digits."""

from __future__ import annotations

import hashlib
from typing import IO, Any

_CHUNK_BYTES = 1 << 20


def algorithm_of(checksum: str) -> str | None:
    """Return the name of a checksum's algorithm, or None if it is none that we know."""
    name, colon, _ = checksum.partition(":")
    try:
        has_length = new_hash(name).digest_size > 0  # some have any length that one likes
    except ValueError:
        return None
    return name if colon and has_length else None


def new_hash(algorithm: str) -> Any:
    """Return a hash without content; that of ``blake2b`` has 32 bytes."""
    if algorithm == "blake2b":
        return hashlib.blake2b(digest_size=32)
    return hashlib.new(algorithm)


def checksum_of(stream: IO[bytes], algorithm: str) -> str:
    """Read a stream to its end and return its checksum."""
    state = new_hash(algorithm)
    while chunk := stream.read(_CHUNK_BYTES):
        state.update(chunk)
    return f"{algorithm}:{state.hexdigest()}"
