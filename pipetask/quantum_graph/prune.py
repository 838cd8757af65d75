"""Stage *prune*: quanta that are done already, and quanta that lack inputs."""

from __future__ import annotations

from collections.abc import Sequence

from butler_core.datasets.collection import Collection
from butler_core.errors import DatasetExistsError
from pipetask.pipeline_graph.nodes import ReadEdge, TaskNode
from pipetask.quantum_graph.ask import ask_datasets
from pipetask.quantum_graph.find import PrerequisiteFinder
from pipetask.quantum_graph.id_spaces import IdSpaces
from pipetask.quantum_graph.join import dataset_table
from pipetask.quantum_graph.losses import Loss, named_rows
from pipetask.quantum_graph.request import BuildRequest
from pipetask.quantum_graph.reuse import Reuse
from pipetask.quantum_graph.several import refuse_several
from pipetask.quantum_graph.where import Condition
from pipetask.quantum_graph.workspace import Workspace, quoted


def state_table(dataset_type: str) -> str:
    """Return the name of the table of a type's datasets that exist or will: ``i, id, run``."""
    return f"state_{dataset_type}"


def quanta_table(label: str) -> str:
    """Return the name of the table of a task's quanta: ``i``."""
    return f"quanta_{label}"


class Pruner:
    """Goes through the tasks in order, keeping for each the quanta that have to run."""

    def __init__(
        self,
        workspace: Workspace,
        request: BuildRequest,
        condition: Condition,
        spaces: IdSpaces,
        collections: list[Collection],
    ) -> None:
        self._workspace = workspace
        self._request = request
        self._condition = condition
        self._spaces = spaces
        self._collections = collections
        self._pipeline = request.pipeline
        self._registry = request.repository.registry
        self._finder = PrerequisiteFinder(workspace, self._registry, spaces, collections)
        found = self._registry.collections.find([request.output_run])
        self._output_run = list(found.values())
        self._skip = self._registry.collections.flatten(request.skip_existing_in)
        #: Decides which quanta need not run again; None if those that exist never do.
        self.reuse: Reuse | None = None
        if request.reuse is not None:
            self.reuse = Reuse(workspace, request.reuse, request.pipeline, spaces)
        #: Names of dataset types of which not every data ID has a dataset.
        self._partial: set[str] = set()
        #: Table of edges by (label, connection name) of a prerequisite.
        self.prerequisite_edges: dict[tuple[str, str], str] = {}
        #: Number of quanta left out because they are done, by label.
        self.done: dict[str, int] = {}
        #: Number of quanta left out because inputs are missing, by label.
        self.pruned: dict[str, int] = {}
        #: The same, with what they lacked.
        self.losses: list[Loss] = []

    def prune(self) -> None:
        """Make the tables of quanta and of datasets."""
        for name in self._pipeline.overall_inputs:
            self._add_overall_input(name)
        for node in self._pipeline.tasks:
            group = self._pipeline.task_dimensions(node.label)
            quanta = quanta_table(node.label)
            members = self._spaces.members(group, node.label)
            total = self._workspace.create(quanta, f"SELECT i FROM {members}")  # noqa: S608 - made here
            with self._workspace.stage("prune", node.label, total) as outcome:
                self._make_outputs(node)
                self._drop_done(node)
                self._drop_without_inputs(node)
                self._refuse_several(node)
                self._drop_outputs_of_dropped(node)
                self._refuse_existing(node)
                outcome.n_out = self._workspace.count(quanta)
            for edge in node.reads:
                if edge.is_prerequisite:
                    key = (node.label, edge.connection_name)
                    self.prerequisite_edges[key] = self._find_prerequisite(edge, node)

    def _find_prerequisite(self, edge: ReadEdge, node: TaskNode) -> str:
        """Make the table of a prerequisite's edges for all quanta of a task that are left."""
        dataset_type = self._pipeline.dataset_types[edge.dataset_type_name]
        group = self._pipeline.task_dimensions(node.label)
        return self._finder.find(edge, dataset_type, group, quanta_table(node.label))

    def _add_overall_input(self, name: str) -> None:
        dataset_type = self._pipeline.dataset_types[name]
        table = dataset_table(name)
        if name not in self._request.constraining_inputs:
            ask_datasets(
                self._workspace,
                self._registry,
                dataset_type,
                self._collections,
                self._condition,
                table,
            )
        number = self._spaces.number(dataset_type.dimensions)
        same = _same("x", "f", dataset_type.dimensions.required)
        kept = self._workspace.create(
            state_table(name),
            f"SELECT x.i, f.id, f.run FROM ids_{number} x JOIN {quoted(table)} f ON {same}",  # noqa: S608 - quoted
        )
        if kept < self._workspace.count(f"ids_{number}"):
            self._partial.add(name)

    def _mapping(self, node: TaskNode, name: str) -> str | None:
        """Return how a task's quanta meet the data IDs of a dataset type."""
        group = self._pipeline.task_dimensions(node.label)
        other = self._pipeline.dataset_types[name].dimensions
        return self._spaces.mapping(group, other, node.label)

    def _outputs(self, node: TaskNode) -> list[str]:
        names = [edge.dataset_type_name for edge in node.writes]
        names.append(node.metadata_dataset_type)
        return names + ([node.log_dataset_type] if node.log_dataset_type else [])

    def _make_outputs(self, node: TaskNode) -> None:
        """Make the tables of what a task writes, with ids where it was written already."""
        for name in self._outputs(node):
            dataset_type = self._pipeline.dataset_types[name]
            number = self._spaces.number(dataset_type.dimensions)
            members = self._spaces.members(dataset_type.dimensions, node.label)
            found = f"existing_{name}"
            count = 0
            if self._skip and name not in self._pipeline.unregistered:
                count = ask_datasets(
                    self._workspace,
                    self._registry,
                    dataset_type,
                    self._skip,
                    self._condition,
                    found,
                )
            select = f"SELECT i, NULL::UUID AS id, NULL::VARCHAR AS run FROM {members}"  # noqa: S608 - made here
            if count:
                same = _same("x", "f", dataset_type.dimensions.required)
                select = (
                    f"SELECT x.i, f.id, f.run FROM ids_{number} x SEMI JOIN {members} m "  # noqa: S608 - quoted
                    f"ON m.i = x.i LEFT JOIN {quoted(found)} f ON {same}"
                )
            self._workspace.create(state_table(name), select)

    def _drop_done(self, node: TaskNode) -> None:
        """Drop the quanta whose metadata, or all of whose outputs, are there already."""
        if not self._skip and self.reuse is None:
            return
        quanta = quoted(quanta_table(node.label))
        before = self._workspace.count(quanta_table(node.label))
        if self.reuse is not None:
            edges = (*(e for e in node.reads if not e.is_prerequisite), *node.writes)
            names = {edge.dataset_type_name for edge in edges}
            states = {name: state_table(name) for name in (*names, node.metadata_dataset_type)}
            self.reuse.drop_done(node, quanta_table(node.label), states, self._find_prerequisite)
            self.done[node.label] = before - self._workspace.count(quanta_table(node.label))
            return
        metadata = quoted(state_table(node.metadata_dataset_type))
        self._workspace.run(
            f"DELETE FROM {quanta} WHERE i IN (SELECT i FROM {metadata} WHERE id IS NOT NULL)"  # noqa: S608 - quoted
        )
        whole = [
            e.dataset_type_name
            for e in node.writes
            if self._is_one_to_one(node, e.dataset_type_name)
        ]
        if whole and len(whole) == len(node.writes):
            exists = " AND ".join(
                f"i IN (SELECT i FROM {quoted(state_table(name))} WHERE id IS NOT NULL)"  # noqa: S608 - quoted
                for name in whole
            )
            self._workspace.run(f"DELETE FROM {quanta} WHERE {exists}")  # noqa: S608 - quoted
        self.done[node.label] = before - self._workspace.count(quanta_table(node.label))

    def _is_one_to_one(self, node: TaskNode, name: str) -> bool:
        return self._pipeline.dataset_types[name].dimensions == self._pipeline.task_dimensions(
            node.label
        )

    def _drop_without_inputs(self, node: TaskNode) -> None:
        quanta = quoted(quanta_table(node.label))
        before = self._workspace.count(quanta_table(node.label))
        for edge in node.reads:
            name = edge.dataset_type_name
            is_whole = name not in self._partial and edge.minimum == 1
            if edge.is_prerequisite or not edge.minimum or is_whole:
                continue
            state = quoted(state_table(name))
            table = self._mapping(node, name)
            counted = (
                f"SELECT i FROM {state} GROUP BY i"  # noqa: S608 - quoted
                if table is None
                else f"SELECT m.a AS i FROM {table} m JOIN {state} s ON s.i = m.b GROUP BY m.a"  # noqa: S608 - quoted
            )
            counted += f" HAVING count(*) >= {edge.minimum}"
            self._note_loss(node, edge, f"i NOT IN ({counted})", before)
            self._workspace.run(f"DELETE FROM {quanta} WHERE i NOT IN ({counted})")  # noqa: S608 - quoted
        self.pruned[node.label] = before - self._workspace.count(quanta_table(node.label))

    def _note_loss(self, node: TaskNode, edge: ReadEdge, condition: str, total: int) -> None:
        """Remember the quanta that a condition is about to drop."""
        group = self._pipeline.task_dimensions(node.label)
        lost = self._workspace.create(
            "lost_quanta",
            f"SELECT x.* FROM {quoted(quanta_table(node.label))} q "  # noqa: S608 - quoted
            f"JOIN ids_{self._spaces.number(group)} x USING (i) WHERE {condition}",
        )
        if lost:
            at_least = f"fewer than {edge.minimum}" if edge.minimum > 1 else "no"
            lacking = f"{at_least} {edge.dataset_type_name!r}"
            examples = named_rows(self._workspace, "lost_quanta", group.required)
            self.losses.append(Loss(f"quanta of {node.label}", lost, total, lacking, examples))
        self._workspace.drop("lost_quanta")

    def _refuse_several(self, node: TaskNode) -> None:
        names = {edge.dataset_type_name for edge in (*node.reads, *node.writes)}
        refuse_several(
            self._workspace,
            self._pipeline,
            self._spaces,
            node,
            quanta=quanta_table(node.label),
            states={name: state_table(name) for name in names},
        )

    def _drop_outputs_of_dropped(self, node: TaskNode) -> None:
        """Drop the outputs that no quantum will write and that do not exist."""
        if not (self._skip or self.reuse or self.pruned.get(node.label)):
            return
        quanta = quoted(quanta_table(node.label))
        for name in self._outputs(node):
            table = self._mapping(node, name)
            written = (
                f"SELECT i FROM {quanta}"  # noqa: S608 - quoted
                if table is None
                else f"SELECT m.b AS i FROM {table} m JOIN {quanta} q ON q.i = m.a"  # noqa: S608 - quoted
            )
            state = quoted(state_table(name))
            before = self._workspace.count(state_table(name))
            self._workspace.run(f"DELETE FROM {state} WHERE id IS NULL AND i NOT IN ({written})")  # noqa: S608 - quoted
            # What a quantum writes anew gets a new id.
            self._workspace.run(
                f"UPDATE {state} SET id = NULL, run = NULL WHERE id IS NOT NULL AND i IN "  # noqa: S608 - quoted
                f"({written})"
            )
            if self._workspace.count(state_table(name)) < before:
                self._partial.add(name)

    def _refuse_existing(self, node: TaskNode) -> None:
        """Raise if a quantum would write what the output run has already.

        A log is no obstacle: it is what a quantum that failed left behind.
        """
        if not self._output_run or self._request.clobber_outputs:
            return
        for name in self._outputs(node):
            if name in self._pipeline.unregistered or name == node.log_dataset_type:
                continue
            dataset_type = self._pipeline.dataset_types[name]
            found = f"there_{name}"
            if not ask_datasets(
                self._workspace,
                self._registry,
                dataset_type,
                self._output_run,
                self._condition,
                found,
            ):
                continue
            number = self._spaces.number(dataset_type.dimensions)
            same = _same("x", "f", dataset_type.dimensions.required)
            clash = self._workspace.rows(
                f"SELECT count(*) FROM {quoted(state_table(name))} s JOIN ids_{number} x USING (i) "  # noqa: S608 - quoted
                f"JOIN {quoted(found)} f ON {same} WHERE s.id IS NULL"
            )[0][0]
            if clash:
                raise DatasetExistsError(
                    f"run {self._request.output_run!r} holds {clash} of the {name!r} that would be "
                    "written; use --skip-existing-in to leave those quanta out, "
                    "--clobber-outputs to "
                    "replace them, or another output run"
                )


def _same(one: str, other: str, names: Sequence[str]) -> str:
    return " AND ".join(f"{one}.{quoted(n)} = {other}.{quoted(n)}" for n in names) or "true"
