"""Dimension records in bulk, stored unless they are there: compare first, then insert.

Decides what is new, what is the same and what differs; the caller decides what
a difference means. Stores through `DimensionRecordTables`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from butler_core.errors import RecordConflictError

if TYPE_CHECKING:
    from butler_core.registry.registry import Registry

Rows = Mapping[str, Sequence[Any]]


@dataclass(frozen=True, slots=True)
class RecordComparison:
    """How records given as columns compare with those stored; row numbers ascending."""

    #: Name of the dimension element.
    element: str
    #: Rows whose key is not stored.
    new: list[int]
    #: Rows that are stored with the same values.
    same: list[int]
    #: Rows that are stored with other values: what differs, in words.
    differences: dict[int, str]

    def conflict(self, row: int | None = None) -> RecordConflictError:
        """Make the error that names one differing record, the first if None is given."""
        first = next(iter(self.differences)) if row is None else row
        more = len(self.differences) - 1
        others = f" ({more} more such)" if more and row is None else ""
        return RecordConflictError(
            f"the stored {self.element} record {self.differences[first]}{others}; update records "
            "explicitly to replace it"
        )


def compare_records(registry: Registry, element_name: str, columns: Rows) -> RecordComparison:
    """Compare records with those stored under the same keys.

    Parameters
    ----------
    columns
        Values by column, key columns among them; columns left out are not
        compared. No key may stand in two rows.
    """
    element = registry.universe[element_name]
    keys = element.key_columns
    stored = _stored(registry, element_name, columns)
    new, same, differences = [], [], {}
    names = list(columns)
    for row, values in enumerate(zip(*columns.values(), strict=True)):
        given = dict(zip(names, values, strict=True))
        found = stored.get(tuple(given[name] for name in keys))
        if found is None:
            new.append(row)
            continue
        changes = [
            f"{name}: {old!r} is not {given[name]!r}"
            for name, old in found.items()
            if old != given[name]
        ]
        if changes:
            named = ", ".join(f"{n}: {given[element.column_of(n)]!r}" for n in element.required)
            differences[row] = f"{{{named}}} differs ({_shortened(changes)})"
        else:
            same.append(row)
    return RecordComparison(element_name, new, same, differences)


def sync_records(
    registry: Registry, element_name: str, columns: Rows, *, update: bool = False
) -> RecordComparison:
    """Store records that are not stored yet, all or none.

    Parameters
    ----------
    columns
        As for `compare_records`.
    update
        Whether records that differ are replaced.

    Returns
    -------
    RecordComparison
        How the records compared before.

    Raises
    ------
    RecordConflictError
        If a stored record differs and ``update`` is False.
    """
    with registry.database.transaction():
        comparison = compare_records(registry, element_name, columns)
        if comparison.differences and not update:
            raise comparison.conflict()
        registry.records.insert(element_name, take_rows(columns, comparison.new))
        changed = take_rows(columns, list(comparison.differences))
        registry.records.insert(element_name, changed, on_conflict="replace")
    return comparison


def take_rows(columns: Rows, rows: Sequence[int]) -> dict[str, list[Any]]:
    """Return some rows of columns, in the order given."""
    return {name: [column[i] for i in rows] for name, column in columns.items()}


def _stored(
    registry: Registry, element_name: str, columns: Rows
) -> dict[tuple[Any, ...], dict[str, Any]]:
    """Return the stored values of the columns given, by key."""
    import sqlalchemy as sa

    table = registry.schema.elements[element_name]
    keys = registry.universe[element_name].key_columns
    names = list(columns)
    with registry.database.staged({name: columns[name] for name in keys}, dict(table.c)) as staged:
        match = sa.and_(*(staged.c[name] == table.c[name] for name in keys))
        select = sa.select(*(table.c[name] for name in names)).join_from(staged, table, match)
        rows = registry.database.fetch_rows(select)
    places = [names.index(name) for name in keys]
    return {tuple(row[i] for i in places): dict(zip(names, row, strict=True)) for row in rows}


def _shortened(changes: Sequence[str]) -> str:
    """Join what changed; encoded regions and long lists are cut."""
    shown = [change if len(change) < 120 else change.partition(":")[0] for change in changes[:4]]
    return "; ".join([*shown, *(["..."] if len(changes) > 4 else [])])
