"""Refuses quanta that meet several datasets where a connection takes one. Changes nothing."""

from __future__ import annotations

from pipetask.errors import TaskConnectionError
from pipetask.pipeline_graph.nodes import Edge, ReadEdge, TaskNode
from pipetask.pipeline_graph.resolved import ResolvedPipelineGraph
from pipetask.quantum_graph.id_spaces import IdSpaces
from pipetask.quantum_graph.workspace import Workspace, listed, quoted


def refuse_several(
    workspace: Workspace,
    pipeline: ResolvedPipelineGraph,
    spaces: IdSpaces,
    node: TaskNode,
    *,
    quanta: str,
    states: dict[str, str],
) -> None:
    """Raise if a connection without ``multiple`` has several datasets in some quantum.

    Parameters
    ----------
    quanta
        Table with the numbers ``i`` of the task's quanta.
    states
        By dataset type, the table of the datasets that exist or will.

    Raises
    ------
    TaskConnectionError
        With how many quanta there are, and one of them; all connections at once.
    """
    group = pipeline.task_dimensions(node.label)
    faults = []
    edges: tuple[Edge, ...] = (*node.reads, *node.writes)
    for edge in edges:
        names = pipeline.dataset_types[edge.dataset_type_name].dimensions
        is_prerequisite = isinstance(edge, ReadEdge) and edge.is_prerequisite
        if edge.connection.multiple or is_prerequisite or set(names.required) <= set(group.names):
            continue
        table = spaces.mapping(group, names, node.label)
        state = quoted(states[edge.dataset_type_name])
        rows = workspace.rows(
            f"SELECT m.a, count(*) FROM {table} m JOIN {state} s ON s.i = m.b "  # noqa: S608 - quoted
            f"JOIN {quoted(quanta)} q ON q.i = m.a GROUP BY m.a HAVING count(*) > 1 ORDER BY m.a"
        )
        if rows:
            example = workspace.rows(
                f"SELECT {listed(group.required) or '1'} FROM ids_{spaces.number(group)} WHERE i "  # noqa: S608 - quoted
                "= ?",
                [rows[0][0]],
            )[0]
            data_id = dict(zip(group.required, example, strict=False))
            faults.append(
                f"{edge} takes one {edge.dataset_type_name!r}, but {len(rows)} quanta have "
                "several, "
                f"such as {data_id} with {rows[0][1]}: declare the connection with "
                "multiple=True, or "
                "give it the dimensions that tell them apart"
            )
    if faults:
        raise TaskConnectionError("; ".join(faults))
