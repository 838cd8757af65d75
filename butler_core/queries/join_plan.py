"""Decides which tables a query over some dimensions must join. Pure: writes no SQL."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from butler_core.dimensions.dimension import DimensionElement
from butler_core.dimensions.group import DimensionGroup
from butler_core.errors import QueryError


@dataclass(frozen=True, slots=True)
class JoinPlan:
    """What to join, in the order to join it, behind the datasets."""

    #: All dimensions of the query.
    group: DimensionGroup
    #: Elements whose record tables are joined.
    elements: tuple[DimensionElement, ...]
    #: Pairs of elements whose regions must overlap; the second may be a pixelization.
    spatial: tuple[tuple[DimensionElement, DimensionElement], ...]


def plan_joins(
    group: DimensionGroup,
    *,
    datasets: Sequence[DimensionGroup] = (),
    fields_of: Iterable[str] = (),
    values: Iterable[str] | None = None,
    overlaps: Sequence[tuple[DimensionElement, DimensionElement]] = (),
) -> JoinPlan:
    """Plan the joins of a query.

    Parameters
    ----------
    group
        Dimensions of the result and of everything that constrains it.
    datasets
        Dimensions of the datasets joined. What they relate needs no other
        table to relate it.
    fields_of
        Names of elements of which other columns than keys are used.
    values
        Names of the dimensions whose values are used; all if None.
    overlaps
        Pairs of elements whose regions must overlap because the query says so:
        no other elements of their families are then joined.

    Raises
    ------
    QueryError
        If the dimensions cannot be related.
    """
    wanted = set(group.names if values is None else values)
    spatial = (*overlaps, *_spatial_joins(group, datasets, overlaps))
    needed = set(fields_of)
    needed |= {element.name for pair in spatial for element in pair if element.has_table}
    covered = {name for dataset in datasets for name in dataset.required}
    for element in group.elements:
        if element.always_join and not _relates(datasets, element.required):
            needed.add(element.name)
    needed |= _implying(group, covered | needed)
    for name in sorted(needed):
        covered.update(_values_of(group.universe[name]))
    _cover_required(group, needed, covered, spatial)
    _cover_implied(group, needed, covered, wanted)
    elements = [element for element in group.universe if element.name in needed]
    return JoinPlan(group, tuple(reversed(elements)), spatial)


def _implying(group: DimensionGroup, known: set[str]) -> set[str]:
    """Return the elements whose records say what a dimension is that something else says too.

    A flat has its own filter: beside visits, it must be the visit's. A coadd
    has its band, and a subfilter: beside exposures, it must be that of the
    exposure's filter.
    """
    elements = [group.universe[name] for name in group.names]
    keys = {name for e in elements for name in e.required if name != e.name}
    doubted = (known | keys) & set(group.implied)
    found: set[str] = set()
    while doubted:
        new = {n for n in group.names if doubted.intersection(group.universe[n].implied)} - found
        found |= new
        doubted = new & set(group.implied)
    return found


def _values_of(element: DimensionElement) -> tuple[str, ...]:
    return (*element.required, *element.implied)


def _relates(datasets: Sequence[DimensionGroup], names: Iterable[str]) -> bool:
    wanted = set(names)
    return any(wanted <= set(dataset.required) for dataset in datasets)


def _cover_required(
    group: DimensionGroup,
    needed: set[str],
    covered: set[str],
    spatial: Sequence[tuple[DimensionElement, DimensionElement]],
) -> None:
    """Add tables until every required dimension has its values from somewhere."""
    from_regions = {element.name for pair in spatial for element in pair if element.skypix}
    for name in reversed(group.required):
        element = group.universe[name]
        if name in covered or name in from_regions:
            continue
        if element.skypix is not None:
            raise QueryError(
                f"{name!r} needs something to relate it to: a dataset type with that dimension, or "
                "a dimension with regions, such as visit or patch"
            )
        needed.add(name)
        covered.update(_values_of(element))


def _cover_implied(
    group: DimensionGroup, needed: set[str], covered: set[str], wanted: set[str]
) -> None:
    """Add the tables that say what implied dimensions are."""
    missing = {name for name in group.implied if name in wanted and name not in covered}
    while missing:
        name = missing.pop()
        for element in group.elements:
            if name in element.implied and element.name in group:
                needed.add(element.name)
                unknown = {part for part in element.required if part not in covered}
                missing |= unknown & set(group.implied)
                covered.update(_values_of(element))
                break


def _spatial_joins(
    group: DimensionGroup,
    datasets: Sequence[DimensionGroup],
    overlaps: Sequence[tuple[DimensionElement, DimensionElement]],
) -> tuple[tuple[DimensionElement, DimensionElement], ...]:
    """Return the pairs of spatial elements that neither a dataset nor the query relates."""
    finest = group.spatial
    if len(finest) < 2:
        return ()
    regions = [element for element in finest if element.skypix is None]
    pixels = [element for element in finest if element.skypix is not None]
    if len(regions) > 2 or (not regions and len(pixels) > 1):
        names = ", ".join(element.name for element in finest)
        raise QueryError(f"a query can relate two kinds of region at most, not {names}")
    pairs = (
        (first, second)
        for i, first in enumerate(regions)
        for second in [*regions[i + 1 :], *pixels]
    )
    said = [{first.spatial_family, second.spatial_family} for first, second in overlaps]
    return tuple(
        (first, second)
        for first, second in pairs
        if not _related_by_dataset(datasets, first, second)
        and {first.spatial_family, second.spatial_family} not in said
    )


def _related_by_dataset(
    datasets: Sequence[DimensionGroup],
    first: DimensionElement,
    second: DimensionElement,
) -> bool:
    # A catalogue of whole visits says nothing of where their detectors are.
    return any({first, second} <= set(dataset.elements) for dataset in datasets)
