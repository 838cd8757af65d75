"""The workspace's tables, joined on the dimensions they share."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from butler_core.dimensions.dimension import DimensionElement
from butler_core.queries.scope import JoinedTables
from butler_core.registry.registry import Registry
from pipetask.quantum_graph.ask import column_type, dimension_name
from pipetask.quantum_graph.workspace import Workspace

#: DuckDB takes PostgreSQL's SQL, with question marks for values.
_DIALECT = postgresql.dialect(paramstyle="qmark")  # type: ignore[no-untyped-call] # SQLAlchemy's own


class WorkspaceTables(JoinedTables):
    """Joins tables of a workspace as `JoinedTables` joins those of a registry."""

    def __init__(self, workspace: Workspace, registry: Registry, stack: ExitStack) -> None:
        super().__init__(registry, stack)
        self._workspace = workspace
        self._lent = 0

    def join_table(self, name: str, dimensions: tuple[str, ...]) -> None:
        """Join a table whose columns are named by dimension."""
        table = sa.table(name, *(sa.column(dimension) for dimension in dimensions))
        self.join(table, {dimension: table.c[dimension] for dimension in dimensions})

    def join_element(self, element: DimensionElement) -> None:
        """Join the table that an element's records were loaded to."""
        if element.name in self.elements:
            return
        names = [*element.fields, *(("begin_ns", "end_ns") if element.has_timespan else ())]
        columns: list[sa.ColumnClause[Any]] = [
            sa.column(dimension_name(element, name)) for name in names
        ]
        table: Any = sa.table(element_table(element.name), *columns)
        self.elements[element.name] = table
        dimensions = (*element.required, *element.implied)
        self.join(table, {name: table.c[name] for name in dimensions})

    def overlap(self, element: DimensionElement, region: Any) -> sa.ColumnElement[bool]:
        """Return the condition that an element's region overlaps a constant one."""
        found = self.overlapping_keys(element, region)
        name = f"lent_{element.name}_{self._lent}"
        self._lent += 1
        types = {key: column_type(element, element.column_of(key)) for key in element.required}
        self._workspace.load(name, dict(zip(element.required, found.values(), strict=True)), types)
        lent = sa.table(name, *(sa.column(key) for key in element.required))
        match = [lent.c[key] == self.values[key] for key in element.required]
        return sa.exists(sa.select(sa.literal_column("1")).select_from(lent).where(*match))


def element_table(name: str) -> str:
    """Return the name of the table that an element's records are loaded to."""
    return f"element_{name}"


def compiled(select: sa.Select[Any]) -> tuple[str, list[Any]]:
    """Return a statement as DuckDB takes it: text and values."""
    statement = select.compile(dialect=_DIALECT, compile_kwargs={"render_postcompile": True})
    names = statement.positiontup or []
    return str(statement), [statement.params[name] for name in names]
