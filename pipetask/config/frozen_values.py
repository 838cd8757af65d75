"""Lists, sets and mappings that no longer change.

Holds the containers of a frozen configuration; decides not when it freezes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn

from pipetask.errors import TaskConfigError


def _refuse(self: object, *_args: Any, **_kwargs: Any) -> NoReturn:
    """Raise, whatever the change."""
    raise TaskConfigError(
        f"{self!r} belongs to a frozen configuration and cannot change; "
        "change a thawed_copy() of the configuration."
    )


class FrozenList(list[Any]):
    """A list whose every changing method raises."""

    append = extend = insert = remove = pop = clear = sort = reverse = _refuse
    __setitem__ = __delitem__ = __iadd__ = __imul__ = _refuse

    def __reduce__(self) -> tuple[Any, ...]:
        return (FrozenList, (list(self),))


class FrozenDict(dict[Any, Any]):
    """A dict whose every changing method raises."""

    clear = pop = popitem = setdefault = update = _refuse
    __setitem__ = __delitem__ = __ior__ = _refuse

    def __reduce__(self) -> tuple[Any, ...]:
        return (FrozenDict, (dict(self),))


def freeze_value(value: Any, freeze_config: Callable[[Any], Any]) -> Any:
    """Return a value whose containers cannot change.

    Parameters
    ----------
    value
        A field's value.
    freeze_config
        Called with what is no container; returns what to put in its place.
    """
    if isinstance(value, dict):
        return FrozenDict({key: freeze_value(v, freeze_config) for key, v in value.items()})
    if isinstance(value, list):
        return FrozenList(freeze_value(v, freeze_config) for v in value)
    if isinstance(value, tuple) and type(value) is tuple:
        return tuple(freeze_value(v, freeze_config) for v in value)
    if isinstance(value, set):
        return frozenset(value)
    return freeze_config(value)


def thaw_value(value: Any, thaw_config: Callable[[Any], Any]) -> Any:
    """Return a value whose containers can change again.

    Parameters
    ----------
    value
        A field's value, as `freeze_value` gave it.
    thaw_config
        Called with what is no container; returns what to put in its place.
    """
    if isinstance(value, FrozenDict):
        return {key: thaw_value(v, thaw_config) for key, v in value.items()}
    if isinstance(value, FrozenList):
        return [thaw_value(v, thaw_config) for v in value]
    if isinstance(value, tuple) and type(value) is tuple:
        return tuple(thaw_value(v, thaw_config) for v in value)
    return thaw_config(value)
