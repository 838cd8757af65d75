"""`TaskMetadata`: what a task notes about its own work.

Values JSON can hold, nested by dotted names. Writes no file.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, MutableMapping
from typing import Any, Self

from pipetask.errors import TaskError


class TaskMetadata(MutableMapping[str, Any]):
    """Notes by name; ``metadata["a.b"]`` is ``metadata["a"]["b"]``.

    Parameters
    ----------
    notes
        What to start with.
    """

    def __init__(self, notes: Mapping[str, Any] | None = None) -> None:
        self._notes: dict[str, Any] = {}
        for name, value in (notes or {}).items():
            self[name] = value

    def __getitem__(self, name: str) -> Any:
        first, _, rest = name.partition(".")
        return self._part(first, name)[rest] if rest else self._notes[first]

    def __setitem__(self, name: str, value: Any) -> None:
        first, _, rest = name.partition(".")
        if not isinstance(name, str) or not first or name.endswith("."):
            raise TaskError(f"{name!r} cannot name a note; use names joined by dots")
        if not rest:
            self._notes[first] = _as_note(value, name)
            return
        part = self._notes.setdefault(first, TaskMetadata())
        if not isinstance(part, TaskMetadata):
            raise TaskError(f"{name!r} cannot be set: {first!r} is a value, {part!r}")
        part[rest] = value

    def __delitem__(self, name: str) -> None:
        first, _, rest = name.partition(".")
        if rest:
            del self._part(first, name)[rest]
        else:
            del self._notes[first]

    def __iter__(self) -> Iterator[str]:
        return iter(self._notes)

    def __len__(self) -> int:
        return len(self._notes)

    def __repr__(self) -> str:
        return f"TaskMetadata({self.to_dict()!r})"

    def add(self, name: str, value: Any) -> None:
        """Note one more value under a name; several become a list.

        Parameters
        ----------
        name
            The dotted name.
        value
            What to note.
        """
        if name not in self:
            self[name] = value
            return
        known = self[name]
        self[name] = [*known, value] if isinstance(known, list) else [known, value]

    def _part(self, first: str, name: str) -> TaskMetadata:
        """Return the nested notes that a dotted name goes through."""
        part = self._notes[first]
        if not isinstance(part, TaskMetadata):
            raise KeyError(name)
        return part

    def to_dict(self) -> dict[str, Any]:
        """Return the notes as plain nested dicts."""
        return {
            name: value.to_dict() if isinstance(value, TaskMetadata) else value
            for name, value in self._notes.items()
        }

    def to_json(self) -> str:
        """Write the notes as JSON."""
        return json.dumps(self.to_dict(), ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read what `to_json` wrote.

        Parameters
        ----------
        text
            The JSON.
        """
        return cls(json.loads(text))


def _as_note(value: Any, name: str) -> Any:
    """Return a value as JSON can hold it, or raise."""
    if value is None or isinstance(value, (bool, str, TaskMetadata)):
        return value
    if isinstance(value, Mapping):
        return TaskMetadata(value)
    if isinstance(value, (list, tuple)):
        return [_as_note(item, name) for item in value]
    if hasattr(value, "item") and getattr(value, "ndim", None) == 0:
        # A NumPy scalar, without importing NumPy to know.
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, (int, float, bool, str)):
        return value
    raise TaskError(
        f"metadata {name!r} cannot be a {type(value).__name__}; note numbers, text, lists of "
        "them or nested mappings"
    )
