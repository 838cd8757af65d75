"""`Struct`: named results of a task.

Holds values; checks nothing about them.
"""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

from pipetask.errors import TaskError


class Struct(SimpleNamespace):
    """Values by name, read as attributes.

    Two structs are equal if they have equal values under the same names.

    Parameters
    ----------
    **values
        The values. A name may not start with two underscores nor be that of a
        method of this class.
    """

    def __init__(self, **values: Any) -> None:
        for name in values:
            if name.startswith("__") or hasattr(type(self), name):
                raise TaskError(f"a Struct cannot hold {name!r}: the name is reserved")
        super().__init__(**values)

    def get_dict(self) -> dict[str, Any]:
        """Return the values by name, in a new dict."""
        return dict(vars(self))

    getDict = get_dict  # noqa: N815 - Rubin's spelling

    def __len__(self) -> int:
        return len(vars(self))

    def __iter__(self) -> Iterator[tuple[str, Any]]:
        return iter(vars(self).items())

    def __contains__(self, name: object) -> bool:
        return name in vars(self)
