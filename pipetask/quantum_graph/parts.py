"""The parts of a pipeline that have nothing but inputs from outside in common.

What one part needs says nothing of the other: a task that makes catalogues of visits does not
keep another from seeing the exposures that belong to none.
"""

from __future__ import annotations

from dataclasses import dataclass

from butler_core.datasets.dataset_type import DatasetType
from butler_core.dimensions.group import DimensionGroup
from pipetask.pipeline_graph.nodes import ReadEdge, TaskNode
from pipetask.pipeline_graph.resolved import ResolvedPipelineGraph
from pipetask.quantum_graph.request import BuildRequest
from pipetask.quantum_graph.where import Condition


@dataclass(frozen=True)
class Part:
    """Tasks that depend on one another, and on no others."""

    number: int
    nodes: tuple[TaskNode, ...]
    #: All dimensions of its rows.
    group: DimensionGroup
    #: Inputs from outside whose existence decides which data IDs there are.
    inputs: tuple[DatasetType, ...]

    @property
    def rows(self) -> str:
        """Name of the table of combinations of values that its quanta are projections of."""
        return f"data_id_rows_{self.number}"

    @property
    def labels(self) -> frozenset[str]:
        """Labels of its tasks."""
        return frozenset(node.label for node in self.nodes)


def find_parts(request: BuildRequest, condition: Condition) -> tuple[Part, ...]:
    """Return the parts of a pipeline, in the order of their first tasks."""
    import networkx as nx

    pipeline = request.pipeline
    graph = nx.Graph()
    for node in pipeline.tasks:
        graph.add_node(node.label)
        for edge in node.reads:
            before = pipeline.graph.producer_label(edge.dataset_type_name)
            if before is not None:
                graph.add_edge(before, node.label)
    place = {node.label: i for i, node in enumerate(pipeline.tasks)}
    groups = sorted(sorted(place[label] for label in one) for one in nx.connected_components(graph))
    return tuple(
        _make_part(number, tuple(pipeline.tasks[i] for i in members), request, condition)
        for number, members in enumerate(groups)
    )


def _make_part(
    number: int, nodes: tuple[TaskNode, ...], request: BuildRequest, condition: Condition
) -> Part:
    pipeline = request.pipeline
    names = {*condition.data_id}
    for conjunct in condition.conjuncts:
        names |= set(conjunct.dimensions.names)
    for table in request.data_id_tables:
        names |= set(table)
    read: set[str] = set()
    for node in nodes:
        names |= set(pipeline.task_dimensions(node.label).names)
        for dataset_type in _regular(node, pipeline):
            names |= set(dataset_type.dimensions.names)
        read |= {edge.dataset_type_name for edge in node.reads if not edge.is_prerequisite}
    inputs = [n for n in request.constraining_inputs if n in read]
    return Part(
        number,
        nodes,
        pipeline.universe.conform(names),
        tuple(pipeline.dataset_types[name] for name in inputs),
    )


def _regular(node: TaskNode, pipeline: ResolvedPipelineGraph) -> list[DatasetType]:
    """Return the dataset types that a task reads or writes, prerequisites aside."""
    return [
        pipeline.dataset_types[edge.dataset_type_name]
        for edge in (*node.reads, *node.writes)
        if not (isinstance(edge, ReadEdge) and edge.is_prerequisite)
    ]
