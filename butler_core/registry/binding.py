"""From Python's values to the driver's, by the types of a table's columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from butler_core.registry.backend import BoundRow

#: Types and rows whose processors are remembered.
_MOST_KEPT = 4_096


class ValueBinder:
    """Binds columns and rows for one dialect, and remembers how."""

    def __init__(self, dialect: sa.Dialect) -> None:
        self._dialect = dialect
        #: Types with what turns their values into the driver's, by the identity of the type.
        self._by_type: dict[int, tuple[Any, Any]] = {}
        #: What turns values of a row into the driver's, with their places.
        self._by_row: dict[tuple[sa.Table, tuple[str, ...]], list[tuple[int, Any]]] = {}

    def columns(
        self, table: sa.Table, columns: Mapping[str, Sequence[Any]]
    ) -> dict[str, Sequence[Any]]:
        """Return columns of values as the driver takes them."""
        values: dict[str, Sequence[Any]] = {}
        for name, column in columns.items():
            process = self._processor(table.c[name].type)
            values[name] = column if process is None else [process(value) for value in column]
        return values

    def row(self, table: sa.Table, values: Mapping[str, Any]) -> BoundRow:
        """Return one row as the driver takes it; the table is one that stays."""
        names = tuple(values)
        kept = self._by_row.get((table, names))
        if kept is None:
            processors = [self._processor(table.c[name].type) for name in names]
            kept = [(i, process) for i, process in enumerate(processors) if process is not None]
            self._by_row[table, names] = kept
        row = list(values.values())
        for place, process in kept:
            row[place] = process(row[place])
        return BoundRow(table, names, tuple(row))

    def _processor(self, type_: Any) -> Any:
        """Return what turns Python's values of a type into the driver's; None if nothing does."""
        key = id(type_)
        kept = self._by_type.get(key)
        if kept is None or kept[0] is not type_:
            if len(self._by_type) >= _MOST_KEPT:
                self._by_type.clear()
            process = type_.dialect_impl(self._dialect).bind_processor(self._dialect)
            kept = self._by_type[key] = (type_, process)
        return kept[1]
