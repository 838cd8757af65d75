"""What a drawing of a quantum graph shows, whatever it is written in.

Either every quantum and dataset, or, where that would be too many edges, every
task and dataset type with counts. Metadata and logs that no task reads are
left out of both.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from butler_core.datasets.dataset_ref import DatasetRef
from pipetask.quantum_graph.connection_row import ConnectionRow
from pipetask.quantum_graph.graph import QuantumGraph
from pipetask.quantum_graph.graph_quantum import GraphQuantum, GraphTask


@dataclass(frozen=True)
class DrawnNode:
    """A quantum or dataset, or all of a task or dataset type."""

    #: Tells it from all others: a letter and a number.
    name: str
    #: What its label says.
    lines: tuple[str, ...]
    #: Whether it is a quantum or task, not a dataset or dataset type.
    is_work: bool


@dataclass(frozen=True)
class DrawnEdge:
    """What goes from one node to another."""

    source: str
    target: str
    #: Whether it is read as a prerequisite.
    is_prerequisite: bool = False
    #: How many edges of the graph it stands for; None for itself.
    count: int | None = None


@dataclass(frozen=True)
class Cluster:
    """The quanta of a task and what they write."""

    title: str
    nodes: tuple[DrawnNode, ...]


@dataclass(frozen=True)
class QuantumDrawing:
    """All that is drawn, in order."""

    clusters: tuple[Cluster, ...]
    #: What no quantum of the graph writes.
    inputs: tuple[DrawnNode, ...]
    edges: tuple[DrawnEdge, ...]
    #: What to say in a comment.
    note: str | None = None


def draw_quanta(graph: QuantumGraph) -> QuantumDrawing:
    """Return every quantum and dataset as drawn."""
    drawing = _Detailed(graph)
    for quantum in graph.iter_quanta():
        drawing.add(quantum)
    written = {node.name for nodes in drawing.clusters.values() for node in nodes}
    inputs = tuple(node for name, node in drawing.read.items() if name not in written)
    clusters = tuple(Cluster(label, tuple(nodes)) for label, nodes in drawing.clusters.items())
    return QuantumDrawing(clusters, inputs, tuple(drawing.edges))


def draw_tasks(graph: QuantumGraph, reason: str) -> QuantumDrawing:
    """Return every task and dataset type as drawn, with counts.

    Parameters
    ----------
    reason
        Why no more is drawn.
    """
    numbers = {dataset_type.name: i for i, dataset_type in enumerate(graph.dataset_types)}
    n_datasets = _dataset_counts(graph)
    clusters: list[Cluster] = []
    edges: list[DrawnEdge] = []
    read: set[int] = set()
    written: set[int] = set()
    for (task, row), count in edge_counts(graph).items():
        number = numbers[row.dataset_type]
        ends = (f"s{number}", f"t{task.number}")
        if is_read(row):
            read.add(number)
            edges.append(DrawnEdge(*ends, row.role == "prerequisite", count))
        else:
            written.add(number)
            edges.append(DrawnEdge(ends[1], ends[0], count=count))
    for task in graph.tasks:
        lines = (task.label, _counted(task.n_quanta, "quantum", "quanta"))
        nodes = [DrawnNode(f"t{task.number}", lines, is_work=True)]
        own = {numbers[row.dataset_type] for row in task.connections if not is_read(row)} & written
        nodes += [_type_node(graph, number, n_datasets) for number in sorted(own)]
        clusters.append(Cluster(task.label, tuple(nodes)))
    others = sorted(read - written)
    inputs = tuple(_type_node(graph, number, n_datasets) for number in others)
    note = f"{reason}: tasks and dataset types are drawn, with counts, in place of each quantum"
    return QuantumDrawing(tuple(clusters), inputs, tuple(edges), note)


def edge_counts(graph: QuantumGraph) -> dict[tuple[GraphTask, ConnectionRow], int]:
    """Return how many edges there are of each connection that is drawn, in order."""
    rows = graph.fetch(
        "SELECT q.task, e.connection, count(*) FROM edge e JOIN quantum q USING (quantum) "
        "GROUP BY ALL ORDER BY ALL"
    )
    read = read_types(graph)
    counts = {}
    for task_number, connection, count in rows:
        task = graph.tasks[task_number]
        row = task.connections[connection]
        if row.role not in ("metadata", "log") or row.dataset_type in read:
            counts[task, row] = int(count)
    return counts


def is_read(row: ConnectionRow) -> bool:
    """Return whether a connection is an input."""
    return row.role in ("input", "prerequisite")


def read_types(graph: QuantumGraph) -> frozenset[str]:
    """Return the names of the dataset types that some task reads."""
    return frozenset(
        row.dataset_type for task in graph.tasks for row in task.connections if is_read(row)
    )


def _dataset_counts(graph: QuantumGraph) -> Mapping[int, int]:
    rows = graph.fetch("SELECT dataset_type, count(*) FROM dataset GROUP BY dataset_type")
    return {int(number): int(count) for number, count in rows}


def _type_node(graph: QuantumGraph, number: int, counts: Mapping[int, int]) -> DrawnNode:
    name = graph.dataset_types[number].name
    count = _counted(counts.get(number, 0), "dataset", "datasets")
    return DrawnNode(f"s{number}", (name, count), is_work=False)


def _counted(count: int, one: str, several: str) -> str:
    return f"{count} {one if count == 1 else several}"


class _Detailed:
    """Every quantum and dataset, while they are gone through."""

    def __init__(self, graph: QuantumGraph) -> None:
        self._read_types = read_types(graph)
        self._rows = {
            task.label: {row.name: row for row in task.connections} for task in graph.tasks
        }
        self.clusters: dict[str, list[DrawnNode]] = {task.label: [] for task in graph.tasks}
        self.read: dict[str, DrawnNode] = {}
        self.edges: list[DrawnEdge] = []

    def add(self, quantum: GraphQuantum) -> None:
        """Add a quantum, its datasets and its edges."""
        name = f"q{quantum.number}"
        cluster = self.clusters[quantum.task_label]
        cluster.append(
            DrawnNode(name, (quantum.task_label, *_data_id_lines(quantum.data_id)), is_work=True)
        )
        rows = self._rows[quantum.task_label]
        for connection, refs in quantum.inputs.items():
            for ref in refs:
                node = _dataset_node(quantum, ref)
                self.read[node.name] = node
                is_prerequisite = rows[connection].role == "prerequisite"
                self.edges.append(DrawnEdge(node.name, name, is_prerequisite))
        for refs in quantum.outputs.values():
            for ref in refs:
                if self._is_drawn(rows, ref):
                    node = _dataset_node(quantum, ref)
                    cluster.append(node)
                    self.edges.append(DrawnEdge(name, node.name))

    def _is_drawn(self, rows: Mapping[str, ConnectionRow], ref: DatasetRef) -> bool:
        """Say whether an output is more than a note that nobody reads."""
        name = ref.dataset_type.name
        notes = {row.dataset_type for row in rows.values() if row.role in ("metadata", "log")}
        return name not in notes or name in self._read_types


def _dataset_node(quantum: GraphQuantum, ref: DatasetRef) -> DrawnNode:
    lines = (ref.dataset_type.name, *_data_id_lines(ref.data_id))
    return DrawnNode(f"d{quantum.numbers[ref.id]}", lines, is_work=False)


def _data_id_lines(data_id: Any) -> tuple[str, ...]:
    return tuple(f"{name} = {value}" for name, value in data_id.required.items())
