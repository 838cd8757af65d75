"""The order of a query's rows, the same in every database: what is missing comes before the rest.

Joins nothing and asks nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

import sqlalchemy as sa

from butler_core.queries.dialect_expressions import Extreme

#: A column, and whether the order falls.
OrderTerm: TypeAlias = tuple[Any, bool]


def in_order(select: sa.Select[Any], terms: Sequence[OrderTerm]) -> sa.Select[Any]:
    """Put rows into an order."""
    return select.order_by(*(_directed(column, falling) for column, falling in terms))


def once_in_order(
    select: sa.Select[Any], columns: Sequence[Any], terms: Sequence[OrderTerm]
) -> sa.Select[Any]:
    """Put rows into an order, each once: at the first of the places it would have.

    Parameters
    ----------
    columns
        All columns of the rows. Terms need not be among them.
    """
    if not terms:
        return select.distinct()
    keys = [column.element if isinstance(column, sa.Label) else column for column in columns]
    aggregated = [(Extreme(column, greatest=falling), falling) for column, falling in terms]
    return in_order(select.group_by(*keys), aggregated)


def _directed(column: Any, falling: bool) -> Any:
    directed = column.desc() if falling else column.asc()
    if not getattr(column, "nullable", True):
        return directed
    return directed.nulls_last() if falling else directed.nulls_first()
