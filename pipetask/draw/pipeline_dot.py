"""A pipeline drawn for Graphviz."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipetask.draw.escaping import dot_html, dot_name
from pipetask.pipeline_graph.flow_graph import (
    Node,
    drawing_order,
    make_drawn_graph,
    make_flow_graph,
)
from pipetask.pipeline_graph.pipeline_graph import PipelineGraph
from pipetask.pipeline_graph.resolved import ResolvedPipelineGraph

if TYPE_CHECKING:
    import networkx as nx

_STYLES = {
    "task": 'style="filled", fillcolor="#cfe2f3", color="#2a4d69"',
    "dataset_type": 'style="filled,rounded", fillcolor="#f7f7f7", color="#7a7a7a"',
}


def pipeline_as_dot(
    graph: PipelineGraph,
    resolved: ResolvedPipelineGraph | None = None,
    *,
    with_init: bool = False,
) -> str:
    """Draw tasks and dataset types as DOT text.

    Edges of prerequisites are dashed, those of constructors dotted.

    Parameters
    ----------
    resolved
        The same graph in the light of a repository, for dimensions and storage
        classes.
    with_init
        Whether what constructors read and write is drawn.
    """
    drawn = make_drawn_graph(make_flow_graph(graph, resolved), with_init=with_init)
    order = drawing_order(drawn)
    lines = ["digraph Pipeline {", 'node [shape="box", fontname="Helvetica"];']
    lines += [
        f"{_name(node)} [{_STYLES[node[0]]}, label=<{_label(drawn, node)}>];" for node in order
    ]
    for node in order:
        lines += [
            f"{_name(node)} -> {_name(other)}{_edge_style(drawn, node, other)};"
            for other in sorted(drawn.successors(node))
        ]
    return "\n".join([*lines, "}"]) + "\n"


def _name(node: Node) -> str:
    return dot_name(":".join(node))


def _label(graph: nx.DiGraph, node: Node) -> str:
    attributes = graph.nodes[node]
    last = attributes["class_name" if node[0] == "task" else "storage_class"]
    lines = [f"{{{', '.join(attributes['dimensions'])}}}", last]
    return "<BR/>".join([f"<B>{dot_html(node[1])}</B>", *map(dot_html, lines)])


def _edge_style(graph: nx.DiGraph, node: Node, other: Node) -> str:
    attributes = graph.edges[node, other]
    if attributes["is_init"]:
        return ' [style="dotted"]'
    return ' [style="dashed"]' if attributes["is_prerequisite"] else ""
