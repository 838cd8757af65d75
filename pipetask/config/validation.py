"""Pydantic's complaints as errors that name class, field, value and near misses.

Checks nothing itself.
"""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ValidationError

from butler_core.errors import near_misses
from pipetask.errors import TaskConfigError, UnknownFieldError


def unknown_field(owner: type[BaseModel], name: str) -> UnknownFieldError:
    """Say that a configuration class has no such field.

    Parameters
    ----------
    owner
        The class.
    name
        What was asked for.
    """
    fields = owner.model_fields
    hint = near_misses(name, fields) or f" It has {', '.join(sorted(fields)) or 'no field'}."
    return UnknownFieldError(f"{owner.__name__} has no field {name!r}.{hint}")


def config_error(
    owner: type[BaseModel], error: ValidationError, *, field: str | None = None
) -> TaskConfigError:
    """Turn every complaint of one validation into one error.

    Parameters
    ----------
    owner
        The class whose values were checked.
    error
        What pydantic raised.
    field
        The field assigned to, if it was one.

    Returns
    -------
    TaskConfigError
        `UnknownFieldError` if unknown fields were all that was wrong.
    """
    found = error.errors(include_url=False)
    messages = [_complaint(owner, dict(fault), field) for fault in found]
    are_unknown = all(fault["type"] == "extra_forbidden" for fault in found)
    kind = UnknownFieldError if are_unknown else TaskConfigError
    return kind("\n".join(messages))


def _complaint(owner: type[BaseModel], fault: dict[str, Any], field: str | None) -> str:
    """Write one fault as a sentence."""
    location = [str(part) for part in fault["loc"]]
    if fault["type"] == "extra_forbidden" and len(location) == 1:
        return str(unknown_field(owner, location[0]))
    if field is not None and location[:1] != [field]:
        location.insert(0, field)
    path = ".".join([owner.__name__, *location])
    message = fault["msg"].removeprefix("Value error, ").removeprefix("Assertion failed, ")
    if fault["type"] == "missing":
        return f"{path} has no default and must be set."
    return f"{path} = {fault['input']!r}: {message}"
