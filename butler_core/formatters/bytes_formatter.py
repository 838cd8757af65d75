"""Formatters whose files are made in memory before they are written."""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any


class BytesFormatter(ABC):
    """The writing half of a formatter of small files."""

    @abstractmethod
    def to_bytes(self, obj: Any) -> bytes:
        """Return the content of a dataset's file.

        Raises
        ------
        WriteFileError
            If the object cannot be put in this format.
        """

    def write(self, obj: Any, path: Path) -> None:
        """Write a complete local file; see `Formatter`."""
        path.write_bytes(self.to_bytes(obj))
