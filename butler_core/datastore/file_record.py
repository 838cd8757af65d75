"""What is kept of a dataset's file."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FileRecord:
    """Where a dataset's file is, and what it should be."""

    #: Relative to the datastore's root; absolute, or a URL, for a file that was ingested in place.
    path: str
    #: Name of the formatter that reads it.
    formatter: str
    #: Name of the storage class it was written as.
    storage_class: str
    #: [bytes]; None if it was not looked at.
    size: int | None = None
    #: ``sha256:`` and hex digits, or ``blake2b:``; None if it was not computed.
    checksum: str | None = None
    #: Whether other datasets are in the same file.
    is_shared: bool = False
