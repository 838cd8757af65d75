"""A pipeline graph: which task reads what which other task writes.

A bipartite networkx graph whose nodes are ``("task", label)`` and
``("dataset_type", name)``. Knows no repository; see `resolved` for that.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from butler_core.errors import near_misses
from pipetask.errors import PipelineGraphError, UnknownLabelError
from pipetask.pipeline import Pipeline
from pipetask.pipeline_graph.nodes import ReadEdge, TaskNode, WriteEdge

if TYPE_CHECKING:
    import networkx as nx


@dataclass(frozen=True)
class PipelineGraph:
    """Tasks in an order in which they can run, and what connects them.

    Raises
    ------
    PipelineGraphError
        If two tasks write one dataset type, or tasks wait for one another; all
        faults at once.
    """

    #: The pipeline it was made from.
    pipeline: Pipeline
    #: By label, in the pipeline's order; see `tasks` for the order to run in.
    nodes: Mapping[str, TaskNode]

    def __post_init__(self) -> None:
        faults = self._doubled_outputs()
        if not faults:
            faults = self._cycles()
        if faults:
            raise PipelineGraphError("the tasks do not fit together:\n  " + "\n  ".join(faults))

    def task(self, label: str) -> TaskNode:
        """Return a task by label."""
        try:
            return self.nodes[label]
        except KeyError:
            raise UnknownLabelError(
                f"the pipeline has no task {label!r}.{near_misses(label, self.nodes)}"
            ) from None

    @cached_property
    def tasks(self) -> tuple[TaskNode, ...]:
        """All tasks, each after those whose outputs it reads; otherwise by label."""
        import networkx as nx

        order = nx.lexicographical_topological_sort(self.task_graph)
        return tuple(self.nodes[label] for label in order)

    @cached_property
    def producers(self) -> Mapping[str, WriteEdge]:
        """The edge that writes each dataset type, init outputs and metadata aside."""
        return {
            edge.dataset_type_name: edge for node in self.nodes.values() for edge in node.writes
        }

    @cached_property
    def init_producers(self) -> Mapping[str, WriteEdge]:
        """The edge that writes each init output."""
        return {
            edge.dataset_type_name: edge
            for node in self.nodes.values()
            for edge in node.init_writes
        }

    @cached_property
    def automatic_outputs(self) -> Mapping[str, tuple[str, str]]:
        """Metadata and log dataset types: name to (task label, ``metadata`` or ``log``)."""
        found = {}
        for node in self.nodes.values():
            found[node.metadata_dataset_type] = (node.label, "metadata")
            if node.log_dataset_type:
                found[node.log_dataset_type] = (node.label, "log")
        return found

    def producer_label(self, dataset_type: str) -> str | None:
        """Return the label of the task that writes a dataset type, or None."""
        if dataset_type in self.producers:
            return self.producers[dataset_type].task_label
        if dataset_type in self.init_producers:
            return self.init_producers[dataset_type].task_label
        if dataset_type in self.automatic_outputs:
            return self.automatic_outputs[dataset_type][0]
        return None

    def consumers(self, dataset_type: str) -> tuple[ReadEdge, ...]:
        """Return the edges that read a dataset type."""
        return tuple(
            edge
            for node in self.nodes.values()
            for edge in node.reads
            if edge.dataset_type_name == dataset_type
        )

    @cached_property
    def task_graph(self) -> nx.DiGraph:
        """Which task waits for which: an edge from each to those that read its outputs."""
        import networkx as nx

        graph = nx.DiGraph()
        graph.add_nodes_from(self.nodes)
        for node in self.nodes.values():
            for edge in (*node.reads, *node.init_reads):
                before = self.producer_label(edge.dataset_type_name)
                if before is not None:
                    graph.add_edge(before, node.label, dataset_type=edge.dataset_type_name)
        return graph

    def to_networkx(self) -> nx.DiGraph:
        """Return tasks and dataset types as one bipartite graph; see `flow_graph`."""
        from pipetask.pipeline_graph.flow_graph import make_flow_graph

        return make_flow_graph(self)

    # ---------------------------------------------------------------- checks
    def _doubled_outputs(self) -> list[str]:
        writers: dict[str, list[str]] = {}
        for node in self.nodes.values():
            for edge in (*node.writes, *node.init_writes):
                writers.setdefault(edge.dataset_type_name, []).append(str(edge))
            notes = (node.metadata_dataset_type, node.config_dataset_type, node.log_dataset_type)
            for name in filter(None, notes):
                writers.setdefault(name, []).append(f"{node.label} itself")
        return [
            f"dataset type {name!r} is written by {' and by '.join(edges)}; give one of them "
            "another name (config connections.NAME), or leave one task out"
            for name, edges in writers.items()
            if len(edges) > 1
        ]

    def _cycles(self) -> list[str]:
        import networkx as nx

        found = []
        for group in nx.strongly_connected_components(self.task_graph):
            label = next(iter(group))
            if len(group) > 1 or self.task_graph.has_edge(label, label):
                steps = nx.find_cycle(self.task_graph.subgraph(group))
                shown = "; ".join(
                    f"{before!r} writes {self.task_graph.edges[before, after]['dataset_type']!r}, "
                    f"which {after!r} reads"
                    for before, after, *_ in steps
                )
                found.append(f"tasks wait for one another: {shown}")
        return found
