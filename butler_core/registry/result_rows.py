"""Rows of the driver's values as rows or columns of Python's."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from butler_core.registry.column_types import DatasetIdColumn
from butler_core.registry.row_spool import Rows

#: Types whose values come from every driver as Python has them.
_PLAIN = (sa.Integer, sa.Float, sa.String, DatasetIdColumn)


def result_processors(dialect: sa.Dialect, select: Any) -> tuple[Any, ...]:
    """Return what turns a result's values into Python's, by column; None where nothing does."""
    return tuple(
        None
        if isinstance(column.type, _PLAIN)
        else column.type.dialect_impl(dialect).result_processor(dialect, None)
        for column in select.selected_columns
    )


def _processed(values: Sequence[Any], process: Any) -> Any:
    """Return a column's values as Python has them."""
    return values if process is None else [process(value) for value in values]


def as_rows(rows: Rows, processors: Sequence[Any]) -> Rows:
    """Return rows with their values as Python has them."""
    if not rows or not any(processors):
        return rows
    columns = zip(*rows, strict=True)
    return list(zip(*map(_processed, columns, processors), strict=True))


def as_columns(names: Sequence[str], rows: Rows, processors: Sequence[Any]) -> dict[str, list[Any]]:
    """Return rows as columns with their values as Python has them."""
    if not rows:
        return {name: [] for name in names}
    columns = map(list, zip(*rows, strict=True))
    return dict(zip(names, map(_processed, columns, processors), strict=True))
