"""A quantum graph drawn for Mermaid."""

from __future__ import annotations

from pipetask.draw.escaping import mermaid_label
from pipetask.draw.pipeline_mermaid import VIEWER_EDGES
from pipetask.draw.quantum_drawing import (
    DrawnEdge,
    DrawnNode,
    QuantumDrawing,
    draw_quanta,
    draw_tasks,
    edge_counts,
)
from pipetask.quantum_graph.graph import QuantumGraph

#: Viewers refuse a longer text, unless told otherwise: Mermaid's ``maxTextSize``.
VIEWER_CHARACTERS = 50_000


def quanta_as_mermaid(
    graph: QuantumGraph,
    *,
    max_edges: int = VIEWER_EDGES,
    max_characters: int = VIEWER_CHARACTERS,
) -> str:
    """Draw quanta and datasets as Mermaid text, clustered by task.

    Edges of prerequisites are dotted. Metadata and logs that no task reads are
    left out.

    Parameters
    ----------
    max_edges
        With more edges than this, tasks and dataset types are drawn with
        counts, and a comment says so.
    max_characters
        The same, for the length of the text.
    """
    n_edges = sum(edge_counts(graph).values())
    if n_edges > max_edges:
        return _written(draw_tasks(graph, f"{n_edges} edges are more than {max_edges}"))
    text = _written(draw_quanta(graph))
    if len(text) > max_characters:
        reason = f"{len(text)} characters are more than {max_characters}"
        return _written(draw_tasks(graph, reason))
    return text


def _written(drawing: QuantumDrawing) -> str:
    lines = ["flowchart TD"]
    lines += [f"%% {drawing.note}."] if drawing.note else []
    lines += [
        "classDef task fill:#cfe2f3,stroke:#2a4d69,color:#000",
        "classDef dataset fill:#f7f7f7,stroke:#7a7a7a,color:#000",
    ]
    lines += [_node(node) for node in drawing.inputs]
    for i, cluster in enumerate(drawing.clusters):
        lines.append(f"subgraph c{i} [{mermaid_label((cluster.title,))}]")
        lines += [_node(node) for node in cluster.nodes]
        lines.append("end")
    lines += [_edge(edge) for edge in drawing.edges]
    return "\n".join(lines) + "\n"


def _node(node: DrawnNode) -> str:
    label = mermaid_label(node.lines)
    if node.is_work:
        return f"{node.name}[{label}]:::task"
    return f"{node.name}([{label}]):::dataset"


def _edge(edge: DrawnEdge) -> str:
    arrow = "-.->" if edge.is_prerequisite else "-->"
    count = "" if edge.count is None else f"|{edge.count}|"
    return f"{edge.source} {arrow}{count} {edge.target}"
