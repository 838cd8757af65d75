"""A quantum graph drawn for Graphviz."""

from __future__ import annotations

from pipetask.draw.escaping import dot_html, dot_name
from pipetask.draw.quantum_drawing import (
    DrawnEdge,
    DrawnNode,
    QuantumDrawing,
    draw_quanta,
    draw_tasks,
    edge_counts,
)
from pipetask.quantum_graph.graph import QuantumGraph

#: Graphviz takes minutes and more for more edges than about this.
MAX_EDGES = 20_000


def quanta_as_dot(graph: QuantumGraph, *, max_edges: int = MAX_EDGES) -> str:
    """Draw quanta and datasets as DOT text, clustered by task.

    Edges of prerequisites are dashed. Metadata and logs that no task reads are
    left out.

    Parameters
    ----------
    max_edges
        With more edges than this, tasks and dataset types are drawn with
        counts, and a comment says so.
    """
    n_edges = sum(edge_counts(graph).values())
    if n_edges > max_edges:
        return _written(draw_tasks(graph, f"{n_edges} edges are more than {max_edges}"))
    return _written(draw_quanta(graph))


def _written(drawing: QuantumDrawing) -> str:
    lines = [f"// {drawing.note}."] if drawing.note else []
    lines += ["digraph QuantumGraph {", 'node [shape="box", fontname="Helvetica"];']
    lines += [_node(node) for node in drawing.inputs]
    for i, cluster in enumerate(drawing.clusters):
        lines += [f"subgraph cluster_{i} {{", f"label={dot_name(cluster.title)};"]
        lines += [_node(node) for node in cluster.nodes]
        lines.append("}")
    lines += [_edge(edge) for edge in drawing.edges]
    return "\n".join([*lines, "}"]) + "\n"


def _node(node: DrawnNode) -> str:
    first, *others = map(dot_html, node.lines)
    label = "<BR/>".join([f"<B>{first}</B>", *others])
    style = (
        'style="filled", fillcolor="#cfe2f3", color="#2a4d69"'
        if node.is_work
        else 'style="filled,rounded", fillcolor="#f7f7f7", color="#7a7a7a"'
    )
    return f"{dot_name(node.name)} [{style}, label=<{label}>];"


def _edge(edge: DrawnEdge) -> str:
    attributes = ['style="dashed"'] if edge.is_prerequisite else []
    attributes += [f'label="{edge.count}"'] if edge.count is not None else []
    written = f" [{', '.join(attributes)}]" if attributes else ""
    return f"{dot_name(edge.source)} -> {dot_name(edge.target)}{written};"
