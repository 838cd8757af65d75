"""Stage *join*: the rows of data ID values from which all quanta and datasets follow."""

from __future__ import annotations

from collections.abc import Collection as AbstractCollection
from contextlib import ExitStack
from typing import Any

import sqlalchemy as sa

from butler_core.datasets.collection import Collection
from butler_core.dimensions.dimension import DimensionElement
from butler_core.queries.conditions import ConditionWriter
from butler_core.queries.join_plan import JoinPlan, plan_joins
from pipetask.quantum_graph.ask import ask_datasets, ask_element
from pipetask.quantum_graph.explain import EmptyJoin, explain_empty_join
from pipetask.quantum_graph.losses import Constraint, Loss, join_losses
from pipetask.quantum_graph.parts import Part
from pipetask.quantum_graph.request import BuildRequest
from pipetask.quantum_graph.spatial import pair_regions
from pipetask.quantum_graph.tables import WorkspaceTables, compiled, element_table
from pipetask.quantum_graph.where import Condition
from pipetask.quantum_graph.workspace import Workspace, quoted


def dataset_table(name: str) -> str:
    """Return the name of the table that a dataset type's datasets are loaded to."""
    return f"found_{name}"


class RowJoiner:
    """Asks for everything that constrains the data IDs of one part, and joins it."""

    def __init__(
        self,
        workspace: Workspace,
        request: BuildRequest,
        condition: Condition,
        collections: list[Collection],
        part: Part,
    ) -> None:
        self._workspace = workspace
        self._registry = request.repository.registry
        self._request = request
        self._condition = condition
        self._collections = collections
        self._part = part
        self._inputs = part.inputs
        #: Tables of elements whose regions overlap: name, dimensions, and the two elements.
        self._pairs: list[tuple[str, tuple[str, ...], str, str]] = []

    def join_rows(self) -> int:
        """Make the part's table of rows, with a column for each dimension whose value is needed.

        Returns
        -------
        int
            Number of rows: combinations of values that quanta are projections of.

        Raises
        ------
        EmptyGraphError
            If nothing fulfils all conditions; the message says which one it was.
        """
        plan = self._plan()
        for dataset_type in self._inputs:
            table = dataset_table(dataset_type.name)
            if self._workspace.has(table):
                continue
            ask_datasets(
                self._workspace,
                self._registry,
                dataset_type,
                self._collections,
                self._condition,
                table,
            )
        for element in plan.elements:
            table = element_table(element.name)
            if not self._workspace.has(table):
                ask_element(self._workspace, self._registry, element, self._condition, table)
        self._load_given()
        for first, second in plan.spatial:
            self._pair(plan, first, second)
        tables = [dataset_table(dataset_type.name) for dataset_type in self._inputs]
        n_in = sum(map(self._workspace.count, tables))
        with self._workspace.stage("join", "data IDs", n_in) as outcome:
            outcome.n_out = self._create(plan)
        if not outcome.n_out:
            raise explain_empty_join(
                EmptyJoin(
                    self._workspace,
                    self._registry,
                    self._inputs,
                    plan,
                    self._condition,
                    self._collections,
                )
            )
        return outcome.n_out

    def losses(self) -> list[Loss]:
        """Return what of the inputs is in no row, and why."""
        plan = self._plan()
        inputs = [
            Constraint(
                repr(dataset_type.name),
                f"no {dataset_type.name!r}",
                dataset_table(dataset_type.name),
                dataset_type.dimensions.required,
            )
            for dataset_type in self._inputs
        ]
        others = [
            Constraint(
                f"{element.name} records",
                f"no {element.name} record{self._as_asked(element)}",
                element_table(element.name),
                element.required,
            )
            for element in plan.elements
        ]
        others += [
            Constraint("data IDs", "not in the table of data IDs given", f"given_{i}", tuple(given))
            for i, given in enumerate(self._request.data_id_tables)
        ]
        others += [
            Constraint("pairs", f"no {second} that overlaps its {first}", table, names)
            for table, names, first, second in self._pairs
        ]
        return join_losses(self._workspace, inputs, others, self._part.rows)

    def _as_asked(self, element: DimensionElement) -> str:
        """Return the conditions that an element's records had to fulfil, as the end of a phrase."""
        text = self._condition.text_within(self._registry.universe.conform(element.required))
        return f" that fulfils {text}" if text else ""

    # ----------------------------------------------------------------- plan
    def _load_given(self) -> None:
        """Load the tables of data IDs that the user limits the graph to."""
        universe = self._registry.universe
        for number, table in enumerate(self._request.data_id_tables):
            types = {}
            for name in table:
                key = universe[name].key
                assert key is not None
                types[name] = key.type
            given = f"given_{number}"
            self._workspace.load(given, table, types)
            self._workspace.create(given, f"SELECT DISTINCT * FROM {quoted(given)}")  # noqa: S608 - quoted

    def _plan(self) -> JoinPlan:
        fields_of = {name for c in self._condition.conjuncts for name in c.fields_of}
        return plan_joins(
            self._part.group,
            datasets=[dataset_type.dimensions for dataset_type in self._inputs],
            fields_of=fields_of,
            values=self._values_needed(),
        )

    def _values_needed(self) -> set[str]:
        pipeline, group = self._request.pipeline, self._part.group
        needed = set(group.required) | set(self._condition.data_id)
        for node in self._part.nodes:
            needed |= set(pipeline.task_dimensions(node.label).required)
            for edge in (*node.reads, *node.writes):
                needed |= set(pipeline.dataset_types[edge.dataset_type_name].dimensions.required)
        for conjunct in self._condition.conjuncts:
            needed |= set(conjunct.dimensions.names)
        return {name for name in needed if name in group}

    # -------------------------------------------------------------- spatial
    def _pair(self, plan: JoinPlan, one: DimensionElement, other: DimensionElement) -> None:
        """Relate two elements, starting from the one that the inputs say more of."""
        first, second = (one, other) if self._known(one) >= self._known(other) else (other, one)
        if first.skypix is not None:
            first, second = second, first
        foreign = set(second.required) - set(first.required) - set(self._known_names())
        keys = f"keys_of_{first.name}_{self._part.number}"
        with ExitStack() as stack:
            tables = self._joined(plan, stack, without=foreign)
            columns = [tables.values[name].label(name) for name in first.required]
            text, values = compiled(sa.select(*columns).select_from(tables.source).distinct())
            self._workspace.create(keys, text, values)
        table = f"pairs_{first.name}_{second.name}_of_part_{self._part.number}"
        pair_regions(self._workspace, self._registry, first, second, keys=keys, table=table)
        names = tuple(dict.fromkeys((*first.required, *second.required)))
        self._pairs.append((table, names, first.name, second.name))

    def _known_names(self) -> set[str]:
        return {name for dataset_type in self._inputs for name in dataset_type.dimensions.required}

    def _known(self, element: DimensionElement) -> int:
        return len(self._known_names().intersection(element.required))

    # ----------------------------------------------------------------- rows
    def _joined(
        self, plan: JoinPlan, stack: ExitStack, without: AbstractCollection[str] = ()
    ) -> WorkspaceTables:
        tables = WorkspaceTables(self._workspace, self._registry, stack)
        for dataset_type in self._inputs:
            names = dataset_type.dimensions.required
            if not set(without).intersection(names):
                tables.join_table(dataset_table(dataset_type.name), names)
        for element in plan.elements:
            if not set(without).intersection((*element.required, *element.implied)):
                tables.join_element(element)
        for number, given in enumerate(self._request.data_id_tables):
            if not set(without).intersection(given):
                tables.join_table(f"given_{number}", tuple(given))
        for name, dimensions, *_ in self._pairs:
            if not set(without).intersection(dimensions):
                tables.join_table(name, dimensions)
        return tables

    def _create(self, plan: JoinPlan) -> int:
        with ExitStack() as stack:
            tables = self._joined(plan, stack)
            if tables.source is None:  # a pipeline of no dimensions has one row
                return self._workspace.create(self._part.rows, "SELECT 1 AS _")
            columns: list[Any] = [
                tables.values[name].label(name)
                for name in self._part.group.names
                if name in tables.values
            ]
            condition = ConditionWriter(tables, self._condition.bind).condition(
                self._condition.whole
            )
            select = sa.select(*columns).select_from(tables.source).where(condition)
            for name, value in self._condition.data_id.items():
                select = select.where(tables.values[name] == value)
            text, values = compiled(select)
            return self._workspace.create(self._part.rows, text, values)
