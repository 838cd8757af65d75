"""Says what a name in an expression stands for: a dimension's value, or a field of its record.

Pure: looks at the dimension universe alone.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

from butler_core.dimensions.dimension import DimensionElement
from butler_core.dimensions.group import DimensionGroup
from butler_core.dimensions.universe import DimensionUniverse
from butler_core.errors import UnknownNameError, near_misses
from butler_core.queries.expression_tree import Name

Kind = Literal["dimension", "field", "timespan", "begin", "end", "region", "dataset"]

_DATASET_FIELDS = ("dataset_id", "ingest_date", "run", "collection", "timespan")


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a name stands for."""

    kind: Kind
    #: The element it belongs to; None for a dataset's field.
    element: DimensionElement | None
    #: Column of the element's table, or field of the dataset; empty for timespans and regions.
    field: str = ""
    #: Name of the dataset type, for a dataset's field.
    dataset_type: str = ""


def meaning_of(
    name: Name,
    universe: DimensionUniverse,
    *,
    dataset_types: Collection[str] = (),
    element: DimensionElement | None = None,
    group: DimensionGroup | None = None,
) -> Meaning:
    """Return what a name stands for.

    Parameters
    ----------
    dataset_types
        Dataset types of the query, whose fields may be named.
    element
        The element queried, if one is: its fields may be named alone.
    group
        Dimensions of the rows: a field that one of their elements alone has,
        or the one dataset type of the query, may be named alone.

    Raises
    ------
    UnknownNameError
        If it stands for nothing, or for several things.
    """
    first, *rest = name.parts
    if first in dataset_types and rest:
        return _dataset_field(first, rest, name)
    if element is not None and (found := _own_field(element, name.parts)):
        return found
    if first in universe:
        owner = universe[first]
        if not rest:
            if owner.is_dimension:
                return Meaning("dimension", owner)
        elif found := _own_field(owner, tuple(rest)):
            return found
        raise UnknownNameError(
            f"{first!r} has no field {'.'.join(rest)!r}; it has {', '.join(_fields(owner))}."
            f"{near_misses('.'.join(rest), _fields(owner))}"
        )
    return _bare_field(name, universe, dataset_types, group)


def _fields(element: DimensionElement) -> list[str]:
    names = list(element.fields)
    names += ["region"] if element.has_region else []
    return names + (["timespan"] if element.has_timespan else [])


def _own_field(element: DimensionElement, parts: tuple[str, ...]) -> Meaning | None:
    first, *rest = parts
    if first == "timespan" and element.has_timespan:
        if not rest:
            return Meaning("timespan", element)
        if rest in (["begin"], ["end"]):
            return Meaning("begin" if rest == ["begin"] else "end", element)
        return None
    if rest:
        return None
    if first == "region" and element.has_region:
        return Meaning("region", element)
    if element.key is not None and first in (element.key.name, element.name):
        return Meaning("dimension", element)
    if first in element.fields:
        if first in (*element.required, *element.implied):
            return Meaning("dimension", element.universe[first])
        return Meaning("field", element, first)
    return None


def _dataset_field(dataset_type: str, rest: list[str], name: Name) -> Meaning:
    field = ".".join(rest)
    if rest[0] not in _DATASET_FIELDS:
        raise UnknownNameError(
            f"a dataset has no field {field!r} (in {str(name)!r}); it has "
            f"{', '.join(_DATASET_FIELDS)}.{near_misses(field, _DATASET_FIELDS)}"
        )
    return Meaning("dataset", None, field, dataset_type)


def _bare_field(
    name: Name,
    universe: DimensionUniverse,
    dataset_types: Collection[str],
    group: DimensionGroup | None,
) -> Meaning:
    """Find the one element or dataset type that has a field of this name."""
    near = () if group is None else group.elements
    found = {str(each): meaning for each in near if (meaning := _own_field(each, name.parts))}
    if name.parts[0] in _DATASET_FIELDS:
        for dataset_type in dataset_types:
            found[dataset_type] = _dataset_field(dataset_type, list(name.parts), name)
    if not found and len(name.parts) == 1:
        found = {
            str(each): Meaning("field", each, name.parts[0])
            for each in universe
            if each.has_table and name.parts[0] in {column.name for column in each.columns}
        }
    if len(found) == 1:
        return next(iter(found.values()))
    if found:
        full = ", ".join(f"{owner}.{name}" for owner in sorted(found))
        raise UnknownNameError(f"{str(name)!r} may be any of {full}; write the one you mean")
    choices = [element.name for element in universe if not element.skypix]
    raise UnknownNameError(
        f"{str(name)!r} is no dimension, field or bound value."
        f"{near_misses(name.parts[0], [*choices, *dataset_types])} "
        "Text goes between single quotes."
    )
