"""Queries for the datasets of one type in some collections, to be joined with anything."""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from typing import Any

import sqlalchemy as sa

from butler_core.datasets.collection import Collection, CollectionType
from butler_core.registry.dataset_types import RegisteredType
from butler_core.timespan import MAX_NS, MIN_NS

#: Of more runs than these, the statement would grow longer than it is worth.
_MOST_LOOKED_BACK = 60


def search_datasets(
    registered: RegisteredType,
    collections: Sequence[Collection],
    *,
    find_first: bool,
    is_first_row_urgent: bool = False,
    constants: AbstractSet[str] = frozenset(),
    dialect: str = "",
) -> sa.Select[Any] | sa.CompoundSelect[Any]:
    """Return a query for all datasets of a type that the collections hold or name.

    Parameters
    ----------
    collections
        No chains, in the order searched.
    find_first
        Whether to keep, of each data ID, only what the first collection that
        has it holds; of a CALIBRATION collection that is every validity range.
    is_first_row_urgent
        Whether the first rows are to come soon, even if all of them then take
        longer.
    constants
        Dimensions that have one value in all of the registry, by which two
        datasets cannot differ.
    dialect
        Name of the database's SQL dialect; SQLite's has a shorter way to find
        the first.

    Returns
    -------
    sqlalchemy.Select
        With the columns ``dataset_key``, ``id``, ``run_id``, ``ingest_ns``,
        ``rank`` (place of the collection in the list), ``begin_ns``,
        ``end_ns`` (validity; unbounded outside CALIBRATION collections), and
        one for each required dimension.
    """
    if find_first and is_first_row_urgent and _can_look_back(collections):
        return _first_by_looking_back(registered, collections)
    ranks = {collection.key: rank for rank, collection in enumerate(collections)}
    by_type: dict[CollectionType, list[int]] = {}
    for collection in collections:
        by_type.setdefault(collection.type, []).append(collection.key)
    parts: list[sa.Select[Any]] = []
    if keys := by_type.get(CollectionType.RUN):
        parts.append(_in_runs(registered, keys, ranks))
    if keys := by_type.get(CollectionType.TAGGED):
        parts.append(_in_memberships(registered, registered.tables.tag, keys, ranks))
    if keys := by_type.get(CollectionType.CALIBRATION):
        parts.append(_in_memberships(registered, registered.tables.calibration, keys, ranks))
    if not parts:
        parts.append(_in_runs(registered, [], {}))
    union = parts[0] if len(parts) == 1 else sa.union_all(*parts)
    if not find_first or len(collections) < 2:
        return union
    names = [n for n in registered.dataset_type.dimensions.required if n not in constants]
    if dialect == "sqlite" and CollectionType.CALIBRATION not in by_type:
        return _by_bare_columns(union, names)
    return _first_of(union, names)


def _in_runs(
    registered: RegisteredType, keys: Sequence[int], ranks: dict[int, int]
) -> sa.Select[Any]:
    table = registered.tables.dataset
    return sa.select(
        *_columns(registered, table, table),
        _rank(table.c.run_id, keys, ranks),
        sa.literal(MIN_NS, sa.BigInteger).label("begin_ns"),
        sa.literal(MAX_NS, sa.BigInteger).label("end_ns"),
    ).where(table.c.dataset_type_id == registered.key, table.c.run_id.in_(keys))


def _in_memberships(
    registered: RegisteredType, member: sa.Table, keys: Sequence[int], ranks: dict[int, int]
) -> sa.Select[Any]:
    table = registered.tables.dataset
    if "begin_ns" in member.c:
        span: list[Any] = [member.c.begin_ns, member.c.end_ns]
    else:
        span = [
            sa.literal(MIN_NS, sa.BigInteger).label("begin_ns"),
            sa.literal(MAX_NS, sa.BigInteger).label("end_ns"),
        ]
    return (
        sa.select(
            *_columns(registered, table, member), _rank(member.c.collection_id, keys, ranks), *span
        )
        .join_from(member, table, member.c.dataset_key == table.c.dataset_key)
        .where(member.c.dataset_type_id == registered.key, member.c.collection_id.in_(keys))
    )


def _columns(registered: RegisteredType, table: sa.Table, source: sa.Table) -> list[Any]:
    names = registered.dataset_type.dimensions.required
    return [
        table.c.dataset_key,
        table.c.id,
        table.c.run_id,
        table.c.ingest_ns,
        *(source.c[name] for name in names),
    ]


def _rank(column: Any, keys: Sequence[int], ranks: dict[int, int]) -> Any:
    if len(keys) <= 1:
        return sa.literal(ranks[keys[0]] if keys else 0, sa.Integer).label("rank")
    return sa.case({key: ranks[key] for key in keys}, value=column).label("rank")


def _can_look_back(collections: Sequence[Collection]) -> bool:
    runs_only = all(c.type is CollectionType.RUN for c in collections)
    return runs_only and 1 < len(collections) <= _MOST_LOOKED_BACK


def _first_by_looking_back(
    registered: RegisteredType, collections: Sequence[Collection]
) -> sa.CompoundSelect[Any]:
    """Search run by run for data IDs that no earlier run has: no row waits for another."""
    names = registered.dataset_type.dimensions.required
    parts = []
    for rank, collection in enumerate(collections):
        part = _in_runs(registered, [collection.key], {collection.key: rank})
        earlier = registered.tables.dataset.alias()
        own = registered.tables.dataset
        has_it = sa.exists(
            sa.select(sa.literal(1)).where(
                earlier.c.dataset_type_id == registered.key,
                earlier.c.run_id.in_([c.key for c in collections[:rank]]),
                *(earlier.c[name] == own.c[name] for name in names),
            )
        )
        parts.append(part.where(~has_it) if rank else part)
    return sa.union_all(*parts)


def _first_of(union: Any, names: Sequence[str]) -> sa.Select[Any]:
    inner = union.subquery()
    # Numbers first: they are compared sooner than text, and the order does not matter.
    by = sorted((inner.c[name] for name in names), key=lambda c: isinstance(c.type, sa.String))
    place = sa.func.rank().over(partition_by=by or None, order_by=inner.c.rank)
    ranked = sa.select(inner, place.label("place")).subquery()
    columns = [column for column in ranked.c if column.name != "place"]
    return sa.select(*columns).where(ranked.c.place == 1)


def _by_bare_columns(union: Any, names: Sequence[str]) -> sa.Select[Any]:
    """Search as SQLite can: beside min(), other columns are those of the row that has it."""
    inner = union.subquery()
    columns = [column for column in inner.c if column.name != "rank"]
    first = sa.func.min(inner.c.rank, type_=sa.Integer).label("rank")
    # Without dimensions, min() alone would give a row where there is none.
    by = [inner.c[name] for name in names] or [inner.c.rank * 0]
    return sa.select(*columns, first).group_by(*by)
