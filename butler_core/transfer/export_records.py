"""Finds all dimension records that data IDs refer to, directly or through other records."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from butler_core.dimensions.dimension import DimensionElement
from butler_core.dimensions.group import DimensionGroup
from butler_core.registry.registry import Registry
from butler_core.timespan import Timespan
from butler_core.transfer.yaml_writer import EncodedRegion, open_ended_times

Key = tuple[Any, ...]
Columns = Mapping[str, Sequence[Any]]


class RecordCollection:
    """The records that an export needs.

    With a visit go its definition, its regions and its membership of visit
    systems, and with these their exposures and detectors.
    """

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._keys: dict[str, set[Key]] = {}
        self._whole: set[str] = set()

    def add_data_ids(self, group: DimensionGroup, columns: Columns) -> None:
        """Ask for the records of data IDs.

        Parameters
        ----------
        columns
            Values of the group's required dimensions.
        """
        for element in group.elements:
            if element.has_table and set(element.required) <= set(group.required):
                self._add(element, {name: columns[name] for name in element.required})

    def add_element(self, name: str) -> None:
        """Ask for all records of an element."""
        self._whole.add(self._registry.universe[name].name)

    def _add(self, element: DimensionElement, columns: Columns) -> None:
        keys = zip(*(columns[name] for name in element.required), strict=True)
        self._keys.setdefault(element.name, set()).update(keys)

    def fetch(self) -> dict[str, dict[str, list[Any]]]:
        """Return columns by element, an element after all it refers to."""
        found: dict[str, dict[str, list[Any]]] = {}
        # Backwards: whatever refers to an element has been seen before it.
        for element in reversed(self._registry.universe.stored_elements):
            columns = self._fetch_one(element)
            if columns is None or not columns[element.key_columns[0]]:
                continue
            found[element.name] = columns
            for name in dict.fromkeys((*element.required, *element.implied)):
                other = self._registry.universe[name]
                if other is not element and other.has_table:
                    ours = {part: columns[element.column_of(part)] for part in other.required}
                    self._add(other, ours)
        return dict(reversed(found.items()))

    def _fetch_one(self, element: DimensionElement) -> dict[str, list[Any]] | None:
        if element.name in self._whole:
            return self._registry.records.fetch(element.name)
        names, keys = element.required, self._keys.get(element.name)
        if element.populated_by is not None:
            owner = self._registry.universe[element.populated_by]
            names, keys = owner.required, self._keys.get(owner.name)
        if not keys:
            return None
        table = self._registry.schema.elements[element.name]
        ours = [element.column_of(name) for name in names]
        rows = dict(zip(ours, map(list, zip(*keys, strict=True)), strict=True))
        with self._registry.database.staged(rows, dict(table.c)) as staged:
            match = sa.and_(*(staged.c[name] == table.c[name] for name in ours))
            select = (
                sa.select(table)
                .join_from(staged, table, match)
                .order_by(*(table.c[name] for name in element.key_columns))
            )
            return self._registry.database.fetch_columns(select)


def export_rows(element: DimensionElement, columns: Columns) -> Iterable[dict[str, Any]]:
    """Yield records as an export file has them: nulls left out, a timespan as its two ends."""
    for values in zip(*columns.values(), strict=True):
        row = {n: v for n, v in zip(columns, values, strict=True) if v is not None}
        if "region" in row:
            row["region"] = EncodedRegion(row["region"])
        if element.has_timespan and "begin_ns" in row:
            span = Timespan(row.pop("begin_ns"), row.pop("end_ns"))
            if span.is_empty:
                row["timespan"] = span
            else:
                row["datetime_begin"], row["datetime_end"] = open_ended_times(*span.nsec)
        for name, column in element.fields.items():
            if column.type == "bool" and name in row:
                row[name] = bool(row[name])
        yield row
