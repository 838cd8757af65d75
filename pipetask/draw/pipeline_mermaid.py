"""A pipeline drawn for Mermaid."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipetask.draw.escaping import mermaid_label
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

#: Viewers refuse a drawing of more edges, unless told otherwise: Mermaid's ``maxEdges``.
VIEWER_EDGES = 500


def pipeline_as_mermaid(
    graph: PipelineGraph,
    resolved: ResolvedPipelineGraph | None = None,
    *,
    with_init: bool = False,
) -> str:
    """Draw tasks and dataset types as Mermaid text.

    Edges of prerequisites and of constructors are dotted.

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
    names = {node: f"n{i}" for i, node in enumerate(order)}
    lines = ["flowchart TD"]
    if drawn.number_of_edges() > VIEWER_EDGES:
        lines.append(
            f"%% {drawn.number_of_edges()} edges: viewers stop at {VIEWER_EDGES} unless their "
            "maxEdges is raised."
        )
    lines += [
        "classDef task fill:#cfe2f3,stroke:#2a4d69,color:#000",
        "classDef dataset fill:#f7f7f7,stroke:#7a7a7a,color:#000",
    ]
    lines += [f"{names[node]}{_shape(drawn, node)}" for node in order]
    for node in order:
        lines += [
            f"{names[node]} {_arrow(drawn, node, other)} {names[other]}"
            for other in sorted(drawn.successors(node))
        ]
    return "\n".join(lines) + "\n"


def _shape(graph: nx.DiGraph, node: Node) -> str:
    """Return a node's outline and label."""
    attributes = graph.nodes[node]
    last = attributes["class_name" if node[0] == "task" else "storage_class"]
    label = mermaid_label((node[1], f"{{{', '.join(attributes['dimensions'])}}}", last))
    return f"[{label}]:::task" if node[0] == "task" else f"([{label}]):::dataset"


def _arrow(graph: nx.DiGraph, node: Node, other: Node) -> str:
    attributes = graph.edges[node, other]
    return "-.->" if attributes["is_init"] or attributes["is_prerequisite"] else "-->"
