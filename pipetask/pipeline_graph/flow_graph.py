"""Tasks and dataset types as one plain graph, whole or as much of it as is drawn.

Says what flows where and in which order to draw it; draws nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from pipetask.pipeline_graph.nodes import Edge, ReadEdge, TaskNode
from pipetask.pipeline_graph.resolved import (
    CONFIG_STORAGE_CLASS,
    LOG_STORAGE_CLASS,
    METADATA_STORAGE_CLASS,
    ResolvedPipelineGraph,
)

if TYPE_CHECKING:
    import networkx as nx

    from butler_core.dimensions.group import DimensionGroup
    from pipetask.pipeline_graph.pipeline_graph import PipelineGraph

#: A task, ``("task", label)``, or a dataset type, ``("dataset_type", name)``.
Node = tuple[str, str]


def make_flow_graph(
    graph: PipelineGraph, resolved: ResolvedPipelineGraph | None = None
) -> nx.DiGraph:
    """Return all tasks and dataset types, with configurations, metadata and logs.

    Parameters
    ----------
    resolved
        The same graph in the light of a repository, for the dimensions and
        storage classes that dataset types have there.

    Returns
    -------
    networkx.DiGraph
        Nodes are ``("task", label)``, with ``class_name`` and ``dimensions``,
        and ``("dataset_type", name)``, with ``dimensions``, ``storage_class``
        and ``is_note`` (configuration, metadata or log). Edges have
        ``connections``, ``is_prerequisite`` and ``is_init``.
    """
    import networkx as nx

    flow = nx.DiGraph()
    for task in graph.tasks:
        dimensions = resolved.task_dimensions(task.label) if resolved else None
        flow.add_node(
            ("task", task.label),
            class_name=task.class_name,
            dimensions=minimal_dimensions(dimensions) if dimensions else task.dimensions,
        )
        _add_notes(flow, task)
    # Rule: writers come before readers, so that a dataset type looks as it is written.
    for task in graph.tasks:
        for write in (*task.writes, *task.init_writes):
            _add_edge(flow, write)
    for task in graph.tasks:
        for read in (*task.reads, *task.init_reads):
            _add_edge(flow, read)
    if resolved is not None:
        _use_definitions(flow, resolved)
    return flow


def _add_notes(flow: nx.DiGraph, task: TaskNode) -> None:
    """Add the dataset types that every task writes."""
    notes: list[tuple[str | None, tuple[str, ...], str, bool]] = [
        (task.config_dataset_type, (), CONFIG_STORAGE_CLASS, True),
        (task.metadata_dataset_type, task.dimensions, METADATA_STORAGE_CLASS, False),
        (task.log_dataset_type, task.dimensions, LOG_STORAGE_CLASS, False),
    ]
    for name, dimensions, storage_class, is_init in notes:
        if name is None:
            continue
        node = ("dataset_type", name)
        flow.add_node(node, dimensions=dimensions, storage_class=storage_class, is_note=True)
        flow.add_edge(
            ("task", task.label), node, connections=(), is_prerequisite=False, is_init=is_init
        )


def _add_edge(flow: nx.DiGraph, edge: Edge) -> None:
    task, dataset_type = ("task", edge.task_label), ("dataset_type", edge.dataset_type_name)
    if dataset_type not in flow:
        flow.add_node(
            dataset_type,
            dimensions=edge.dimensions,
            storage_class=edge.storage_class,
            is_note=False,
        )
    is_read = isinstance(edge, ReadEdge)
    pair = (dataset_type, task) if is_read else (task, dataset_type)
    is_prerequisite = isinstance(edge, ReadEdge) and edge.is_prerequisite
    known = flow.get_edge_data(*pair, {"connections": (), "is_prerequisite": True, "is_init": True})
    flow.add_edge(
        *pair,
        connections=(*known["connections"], edge.connection_name),
        is_prerequisite=known["is_prerequisite"] and is_prerequisite,
        is_init=known["is_init"] and edge.is_init,
    )


def _use_definitions(flow: nx.DiGraph, resolved: ResolvedPipelineGraph) -> None:
    """Replace what connections declare by what dataset types are."""
    for (kind, name), attributes in flow.nodes(data=True):
        if kind == "dataset_type":
            dataset_type = resolved.dataset_types[name]
            attributes["dimensions"] = minimal_dimensions(dataset_type.dimensions)
            attributes["storage_class"] = dataset_type.storage_class


def minimal_dimensions(group: DimensionGroup) -> tuple[str, ...]:
    """Return the dimensions of a group that no other one of it brings along.

    Parameters
    ----------
    group
        Such as {instrument, detector, exposure}, which gives detector and
        exposure: both bring the instrument.
    """
    brought = {
        other for name in group.required for other in group.universe[name].required if other != name
    }
    return tuple(name for name in group.required if name not in brought)


def make_drawn_graph(flow: nx.DiGraph, *, with_init: bool = False) -> nx.DiGraph:
    """Return the part of a flow graph that is drawn.

    Parameters
    ----------
    flow
        What `make_flow_graph` returned; it is not changed.
    with_init
        Whether datasets of constructors are drawn. Configurations, metadata
        and logs are drawn where some task reads them.
    """
    drawn = flow.copy()
    if not with_init:
        drawn.remove_edges_from([e for e in flow.edges if flow.edges[e]["is_init"]])
    unread = [
        node for node in flow if node[0] == "dataset_type" and flow.nodes[node]["is_note"]
        and not drawn.out_degree(node)
    ]  # fmt: skip
    drawn.remove_nodes_from(unread)
    alone = [node for node in drawn if node[0] == "dataset_type" and not drawn.degree(node)]
    drawn.remove_nodes_from(alone)
    return drawn


def make_task_graph(drawn: nx.DiGraph) -> nx.DiGraph:
    """Return the tasks of a drawn graph, with an edge from each to those that read its outputs."""
    import networkx as nx

    tasks = nx.DiGraph()
    for node, attributes in drawn.nodes(data=True):
        if node[0] == "task":
            tasks.add_node(node, **attributes)
    for node in list(tasks):
        tasks.add_edges_from((node, reader) for reader in _next_tasks(drawn, node))
    return tasks


def drawing_order(drawn: nx.DiGraph) -> list[Node]:
    """Return all nodes, each behind what it comes from.

    What was made last is used first, so that lines stay short. A task comes
    with its overall inputs before it and its outputs after it, unread ones
    first.
    """
    order: dict[Node, None] = {}
    for task in task_order(make_task_graph(drawn)):
        order.update((node, None) for node in sorted(drawn.predecessors(task)))
        order[task] = None
        outputs = [(drawn.out_degree(node) > 0, node) for node in drawn.successors(task)]
        order.update((node, None) for _, node in sorted(outputs))
    return list(order)


def task_order(tasks: nx.DiGraph) -> Iterator[Node]:
    """Go through tasks, each after those before it; of several, the one that follows the latest."""
    place: dict[Node, int] = {}
    ready = {node: -1 for node in tasks if not tasks.in_degree(node)}
    missing = {node: tasks.in_degree(node) for node in tasks}
    while ready:
        task = min(ready, key=lambda node: (-ready[node], node))
        del ready[task]
        place[task] = len(place)
        yield task
        for reader in tasks.successors(task):
            missing[reader] -= 1
            if not missing[reader]:
                ready[reader] = max(place[node] for node in tasks.predecessors(reader))


def _next_tasks(drawn: nx.DiGraph, task: Node) -> Iterable[Node]:
    """Return the tasks that read what a task writes."""
    return {reader for node in drawn.successors(task) for reader in drawn.successors(node)}
