"""The order of rows and columns where the user asks for none.

Dimensions of place and time come first, with all that their values need; then the others.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from butler_core.dimensions.group import DimensionGroup


def default_order(group: DimensionGroup) -> tuple[str, ...]:
    """Return the required dimensions in the order that rows are sorted by."""
    early: list[str] = []
    for name in group.required:
        element = group.universe[name]
        if element.has_region or element.has_timespan or element.skypix is not None:
            early += element.required
    return tuple(dict.fromkeys([*early, *group.required]))


def column_order(group: DimensionGroup) -> tuple[str, ...]:
    """Return a group's dimensions in the order that tables show them: required, then implied."""
    return (*group.required, *group.implied)
