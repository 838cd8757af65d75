"""A pipeline drawn for a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipetask.draw.lanes import lane_rows
from pipetask.pipeline_graph.flow_graph import (
    Node,
    drawing_order,
    make_drawn_graph,
    make_flow_graph,
    make_task_graph,
    task_order,
)
from pipetask.pipeline_graph.pipeline_graph import PipelineGraph
from pipetask.pipeline_graph.resolved import ResolvedPipelineGraph

if TYPE_CHECKING:
    import networkx as nx

_SYMBOLS = {"task": "■", "dataset_type": "○"}


def pipeline_as_text(graph: PipelineGraph, resolved: ResolvedPipelineGraph | None = None) -> str:
    """Draw tasks (``■``) and dataset types (``○``), inputs above what is made of them.

    What constructors read and write is left out, and so are configurations,
    metadata and logs that no task reads.

    Parameters
    ----------
    resolved
        The same graph in the light of a repository.

    Returns
    -------
    str
        Lines, each ended.
    """
    drawn = make_drawn_graph(make_flow_graph(graph, resolved))
    return _lines(drawn, drawing_order(drawn))


def tasks_as_text(graph: PipelineGraph, resolved: ResolvedPipelineGraph | None = None) -> str:
    """Draw tasks, each above those that read what it writes.

    Parameters
    ----------
    resolved
        The same graph in the light of a repository.

    Returns
    -------
    str
        Lines, each ended.
    """
    tasks = make_task_graph(make_drawn_graph(make_flow_graph(graph, resolved)))
    return _lines(tasks, list(task_order(tasks)))


def describe_node(graph: nx.DiGraph, node: Node) -> str:
    """Say what a node is called and its dimensions, and a dataset type's storage class.

    Parameters
    ----------
    graph
        A flow graph, or a part of one.
    """
    attributes = graph.nodes[node]
    text = f"{node[1]}: {{{', '.join(attributes['dimensions'])}}}"
    return text if node[0] == "task" else f"{text} {attributes['storage_class']}"


def _lines(graph: nx.DiGraph, order: list[Node]) -> str:
    rows = list(lane_rows(order, graph, lambda node: _SYMBOLS[node[0]]))
    width = max((len(row.text) for row in rows), default=0)
    lines = [
        f"{row.text:<{width}}  {describe_node(graph, row.node)}" if row.node else row.text
        for row in rows
    ]
    return "".join(f"{line}\n" for line in lines)
