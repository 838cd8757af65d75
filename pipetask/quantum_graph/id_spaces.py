"""The data IDs of one dimension group, numbered; and how those of two groups meet."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import ExitStack

import sqlalchemy as sa

from butler_core.dimensions.group import DimensionGroup
from butler_core.queries.expression_tree import Name
from butler_core.queries.join_plan import plan_joins
from butler_core.registry.registry import Registry
from pipetask.quantum_graph.ask import ask_element
from pipetask.quantum_graph.join import ROWS, project
from pipetask.quantum_graph.tables import WorkspaceTables, compiled, element_table
from pipetask.quantum_graph.where import Condition
from pipetask.quantum_graph.workspace import Workspace, listed, quoted


class IdSpaces:
    """Numbered data IDs by dimension group.

    For each group there is a table ``ids_N`` (``i`` from 0 on, and the required
    dimensions, in their order) and on demand ``full_N`` (``i``, all dimensions,
    record fields, and ``begin_ns``, ``end_ns`` where the group has a time).

    Parameters
    ----------
    fields
        Record fields, such as ``exposure.obs_id``, that ``full_N`` has where
        the group has the element.
    row_group
        Dimensions of the joined rows.
    """

    def __init__(
        self,
        workspace: Workspace,
        registry: Registry,
        condition: Condition,
        fields: Iterable[str],
        row_group: DimensionGroup,
    ) -> None:
        self._row_group = row_group
        self._workspace = workspace
        self._registry = registry
        self._condition = condition
        self._fields = tuple(fields)
        self.groups: list[DimensionGroup] = []
        self._full: set[int] = set()
        self._maps: dict[tuple[int, int], str] = {}

    def number(self, group: DimensionGroup) -> int:
        """Return the number of a group's tables, made on first use."""
        if group not in self.groups:
            self.groups.append(group)
            table = f"ids_{len(self.groups) - 1}"
            with self._workspace.stage("number", str(group)) as outcome:
                outcome.n_out = project(self._workspace, group.required, table)
        return self.groups.index(group)

    def fields_of(self, group: DimensionGroup) -> tuple[str, ...]:
        """Return those of the record fields that a group's elements have."""
        names = {element.name for element in group.elements}
        return tuple(f for f in self._fields if f.partition(".")[0] in names)

    def full(self, group: DimensionGroup) -> str:
        """Return the name of the table with all that is known of a group's data IDs."""
        number = self.number(group)
        table = f"full_{number}"
        if number not in self._full:
            self._full.add(number)
            self._make_full(group, f"ids_{number}", table)
        return table

    def _make_full(self, group: DimensionGroup, source: str, table: str) -> None:
        fields = self.fields_of(group)
        temporal = group.temporal[-1] if group.temporal else None
        owners = {field.partition(".")[0] for field in fields}
        owners |= {temporal.name} if temporal else set()
        plan = plan_joins(group, datasets=[group], fields_of=owners, values=group.names)
        with ExitStack() as stack:
            tables = WorkspaceTables(self._workspace, self._registry, stack)
            tables.join_table(source, ("i", *group.required))
            for element in plan.elements:
                if element.always_join and element.name not in owners:
                    continue
                self._ensure_element(element.name)
                tables.join_element(element)
            columns = [tables.values["i"], *(tables.values[n].label(n) for n in group.names)]
            columns += [tables.column(Name(tuple(f.split(".")))).value.label(f) for f in fields]
            if temporal is not None:
                time = tables.elements[temporal.name]
                columns += [time.c.begin_ns, time.c.end_ns]
            text, values = compiled(sa.select(*columns).select_from(tables.source))
            self._workspace.create(table, text, values)

    def _ensure_element(self, name: str) -> None:
        table = element_table(name)
        found = self._workspace.rows("SELECT 1 FROM duckdb_tables() WHERE table_name = ?", [table])
        if not found:
            element = self._registry.universe[name]
            ask_element(self._workspace, self._registry, element, self._condition, table)

    def mapping(self, one: DimensionGroup, other: DimensionGroup) -> str | None:
        """Return a table ``(a, b)`` of the numbers of data IDs that meet; None if they are one."""
        a, b = self.number(one), self.number(other)
        if a == b:
            return None
        if (a, b) not in self._maps:
            self._maps[a, b] = f"map_{a}_{b}"
            with self._workspace.stage("map", f"{one} to {other}") as outcome:
                outcome.n_out = self._workspace.create(self._maps[a, b], self._map(one, other))
        return self._maps[a, b]

    def _map(self, one: DimensionGroup, other: DimensionGroup) -> str:
        a, b = self.number(one), self.number(other)
        if not one.required or not other.required:
            return f"SELECT x.i AS a, y.i AS b FROM ids_{a} x, ids_{b} y"  # noqa: S608 - numbers
        if set(other.required) <= set(one.names):
            same = _same("x", "y", other.required)
            return f"SELECT x.i AS a, y.i AS b FROM {self.full(one)} x JOIN ids_{b} y ON {same}"  # noqa: S608 - quoted
        if set(one.required) <= set(other.names):
            same = _same("x", "y", one.required)
            return f"SELECT x.i AS a, y.i AS b FROM ids_{a} x JOIN {self.full(other)} y ON {same}"  # noqa: S608 - quoted
        names = tuple(dict.fromkeys((*one.required, *other.required)))
        # Rows over no other dimensions than these are distinct already.
        distinct = "" if set(self._row_group.required) <= set(names) else "DISTINCT"
        return (
            f"SELECT x.i AS a, y.i AS b FROM (SELECT {distinct} {listed(names)} FROM "  # noqa: S608 - quoted
            f"{quoted(ROWS)}) r "
            f"JOIN ids_{a} x ON {_same('r', 'x', one.required)} "
            f"JOIN ids_{b} y ON {_same('r', 'y', other.required)}"
        )


def _same(one: str, other: str, names: Iterable[str]) -> str:
    return " AND ".join(f"{one}.{quoted(n)} = {other}.{quoted(n)}" for n in names)
