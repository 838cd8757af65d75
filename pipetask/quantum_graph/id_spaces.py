"""The data IDs of one dimension group, numbered; and how those of two groups meet."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import ExitStack

import sqlalchemy as sa

from butler_core.dimensions.group import DimensionGroup
from butler_core.queries.expression_tree import Name
from butler_core.queries.join_plan import plan_joins
from butler_core.registry.registry import Registry
from pipetask.quantum_graph.ask import ask_element
from pipetask.quantum_graph.parts import Part
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
    parts
        The parts of the pipeline, their rows made.
    """

    def __init__(
        self,
        workspace: Workspace,
        registry: Registry,
        condition: Condition,
        fields: Iterable[str],
        parts: Sequence[Part],
    ) -> None:
        self._parts = parts
        self._part_of = {label: part for part in parts for label in part.labels}
        self._workspace = workspace
        self._registry = registry
        self._condition = condition
        self._fields = tuple(fields)
        self.groups: list[DimensionGroup] = []
        self._full: set[int] = set()
        self._maps: dict[tuple[int, int, int], str] = {}
        self._members: dict[tuple[int, int], str] = {}

    def number(self, group: DimensionGroup) -> int:
        """Return the number of a group's tables, made on first use."""
        if group not in self.groups:
            self.groups.append(group)
            table = f"ids_{len(self.groups) - 1}"
            n_in = sum(self._workspace.count(part.rows) for part in self._parts)
            with self._workspace.stage("number", str(group), n_in) as outcome:
                outcome.n_out = self._project(group.required, table)
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
        if not self._workspace.has(table):
            element = self._registry.universe[name]
            ask_element(self._workspace, self._registry, element, self._condition, table)

    def _project(self, names: tuple[str, ...], table: str) -> int:
        """Make a table of the distinct values of some dimensions, numbered in their order."""
        columns = listed(names)
        sources = [p.rows for p in self._parts if set(names) <= set(self._workspace.names(p.rows))]
        if not names:
            rows = " UNION ALL ".join(f"SELECT 1 FROM {quoted(source)}" for source in sources)  # noqa: S608 - quoted
            select = f"SELECT 0::BIGINT AS i FROM ({rows}) LIMIT 1"  # noqa: S608 - quoted
            return self._workspace.create(table, select)
        distinct = " UNION ".join(
            f"SELECT DISTINCT {columns} FROM {quoted(source)}"  # noqa: S608 - quoted
            for source in sources
        )
        return self._workspace.create(
            table,
            f"SELECT (row_number() OVER (ORDER BY {columns}) - 1)::BIGINT AS i, {columns} "  # noqa: S608 - quoted
            f"FROM ({distinct}) ORDER BY i",
        )

    def members(self, group: DimensionGroup, label: str) -> str:
        """Return a table with the numbers ``i`` of a group's data IDs in the part of a task."""
        number, part = self.number(group), self._part_of[label]
        if len(self._parts) == 1:
            return f"ids_{number}"
        key = (number, part.number)
        if key not in self._members:
            self._members[key] = f"ids_{number}_of_part_{part.number}"
            same = _same("x", "r", group.required) or "true"
            self._workspace.create(
                self._members[key],
                f"SELECT x.i FROM ids_{number} x SEMI JOIN {quoted(part.rows)} r ON {same}",  # noqa: S608 - quoted
            )
        return self._members[key]

    def mapping(self, one: DimensionGroup, other: DimensionGroup, label: str) -> str | None:
        """Return a table ``(a, b)`` of the numbers of data IDs that meet; None if they are one.

        Parameters
        ----------
        label
            A task, in whose part of the pipeline they are to meet.
        """
        a, b, part = self.number(one), self.number(other), self._part_of[label]
        if a == b:
            return None
        key = (a, b, part.number)
        if key not in self._maps:
            self._maps[key] = f"map_{a}_{b}_of_part_{part.number}"
            select = self._map(one, other, part)
            if len(self._parts) > 1:
                ours, theirs = self.members(one, label), self.members(other, label)
                select = (
                    f"SELECT a, b FROM ({select}) SEMI JOIN {ours} m ON a = m.i "  # noqa: S608 - made here
                    f"SEMI JOIN {theirs} n ON b = n.i"
                )
            n_in = self._workspace.count(f"ids_{a}")
            with self._workspace.stage("map", f"{one} to {other}", n_in) as outcome:
                outcome.n_out = self._workspace.create(self._maps[key], select)
        return self._maps[key]

    def _map(self, one: DimensionGroup, other: DimensionGroup, part: Part) -> str:
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
        distinct = "" if set(part.group.required) <= set(names) else "DISTINCT"
        return (
            f"SELECT x.i AS a, y.i AS b FROM (SELECT {distinct} {listed(names)} FROM "  # noqa: S608 - quoted
            f"{quoted(part.rows)}) r "
            f"JOIN ids_{a} x ON {_same('r', 'x', one.required)} "
            f"JOIN ids_{b} y ON {_same('r', 'y', other.required)}"
        )


def _same(one: str, other: str, names: Iterable[str]) -> str:
    return " AND ".join(f"{one}.{quoted(n)} = {other}.{quoted(n)}" for n in names)
