"""Log records of a quantum, the first and the last of them where there are too many."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import Any

#: Characters of messages kept from the beginning, and as many from the end.
_HALF = 500_000
#: Characters of one message.
_MESSAGE = 100_000
#: What a record counts beside its message [characters].
_OVERHEAD = 400


def shortened(text: str, limit: int = _MESSAGE) -> str:
    """Return a text, or its beginning and its end where it is too long."""
    if len(text) <= limit:
        return text
    half = limit // 2
    left_out = len(text) - 2 * half
    return f"{text[:half]}\n[... {left_out:,} characters left out ...]\n{text[-half:]}"


class BoundedLog:
    """Takes any number of records and keeps so many that all have room."""

    def __init__(self) -> None:
        self._first: list[dict[str, Any]] = []
        self._last: deque[dict[str, Any]] = deque()
        self._n_first = self._n_last = 0
        self._n_left_out = 0

    def append(self, record: dict[str, Any]) -> None:
        """Add a record."""
        if _size(record) > _MESSAGE:
            record = dict(record)
            for name in ("message", "exc_info"):
                if name in record:
                    record[name] = shortened(record[name])
        size = _size(record)
        if not self._last and self._n_first + size <= _HALF:
            self._first.append(record)
            self._n_first += size
            return
        self._last.append(record)
        self._n_last += size
        while self._n_last > _HALF:
            self._n_last -= _size(self._last.popleft())
            self._n_left_out += 1

    @property
    def last(self) -> dict[str, Any] | None:
        """The newest record; None if there is none."""
        records = self._last or self._first
        return records[-1] if records else None

    def records(self) -> list[Mapping[str, Any]]:
        """Return what was kept, in order, and in its place how much was not."""
        if not self._n_left_out:
            return [*self._first, *self._last]
        note = {**self._last[0], "message": f"[{self._n_left_out:,} records left out here]"}
        note.pop("exc_info", None)
        return [*self._first, note, *self._last]


def _size(record: Mapping[str, Any]) -> int:
    """Return what a record counts [characters]."""
    return len(record["message"]) + len(record.get("exc_info", "")) + _OVERHEAD
