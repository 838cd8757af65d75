"""Where the values of a configuration came from.

Keeps records and looks at the call stack; changes no configuration.
"""

from __future__ import annotations

import inspect
from typing import Any, NamedTuple

#: Source of a value that nothing has set.
DEFAULT = "default"

#: Modules that stand between the line that sets a field and the field.
_OWN_MODULES = ("pipetask.config", "pydantic", "contextlib")


class HistoryEntry(NamedTuple):
    """One value a field has had."""

    #: The value, as it was once validated.
    value: Any
    #: Who set it: ``pipeline.yaml:12``, ``-c isr:field=3``, ``default``, ...
    source: str


def calling_line() -> str:
    """Name the line of the code that is changing a configuration.

    Returns
    -------
    str
        ``file:line`` of the nearest caller outside this package and pydantic.
    """
    frame = inspect.currentframe()
    while frame is not None:
        module = str(frame.f_globals.get("__name__", ""))
        if not module.startswith(_OWN_MODULES):
            return f"{frame.f_code.co_filename}:{frame.f_lineno}"
        frame = frame.f_back
    return "unknown"


def recorded(value: Any) -> Any:
    """Return a value as a history keeps it: containers as they are now.

    Parameters
    ----------
    value
        A field's value.
    """
    for kind in (list, dict, set):
        if isinstance(value, kind):
            return kind(value)
    return value
