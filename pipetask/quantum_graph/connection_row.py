"""A task's connections as plain values, as the graph file has them."""

from __future__ import annotations

from dataclasses import dataclass

from pipetask.pipeline_graph.nodes import Edge, ReadEdge, TaskNode


@dataclass(frozen=True)
class ConnectionRow:
    """A connection of a task, as the graph file has it."""

    name: str
    #: Name of the dataset type, without component.
    dataset_type: str
    #: ``input``, ``prerequisite``, ``output``, ``metadata`` or ``log``.
    role: str
    storage_class: str
    component: str | None = None
    is_multiple: bool = False
    is_deferred: bool = False
    minimum: int = 1


def connection_rows(node: TaskNode) -> list[ConnectionRow]:
    """Return a task's connections, in the order that numbers them."""
    rows = [_connection_row(edge) for edge in (*node.reads, *node.writes)]
    rows.append(ConnectionRow("_metadata", node.metadata_dataset_type, "metadata", "TaskMetadata"))
    if node.log_dataset_type:
        rows.append(ConnectionRow("_log", node.log_dataset_type, "log", "ButlerLogRecords"))
    return rows


def _connection_row(edge: Edge) -> ConnectionRow:
    if isinstance(edge, ReadEdge):
        return ConnectionRow(
            edge.connection_name,
            edge.dataset_type_name,
            "prerequisite" if edge.is_prerequisite else "input",
            edge.storage_class,
            edge.component,
            edge.connection.multiple,
            edge.is_deferred,
            edge.minimum,
        )
    return ConnectionRow(
        edge.connection_name,
        edge.dataset_type_name,
        "output",
        edge.storage_class,
        is_multiple=edge.connection.multiple,
    )
