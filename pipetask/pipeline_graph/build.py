"""From a pipeline to its graph: imports task classes, makes configurations, checks contracts."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from pipetask.config_overrides import Override, apply_overrides
from pipetask.errors import PipelineGraphError, PipetaskError
from pipetask.pipeline import Pipeline
from pipetask.pipeline.contracts import check_contracts
from pipetask.pipeline_graph.import_tasks import import_task
from pipetask.pipeline_graph.nodes import TaskNode
from pipetask.pipeline_graph.pipeline_graph import PipelineGraph


def build_pipeline_graph(
    pipeline: Pipeline, *, first_overrides: Mapping[str, Collection[Override]] | None = None
) -> PipelineGraph:
    """Return the graph of a pipeline.

    Parameters
    ----------
    first_overrides
        Instructions by task label that come before the pipeline's own, such as
        an instrument's.

    Raises
    ------
    PipelineGraphError
        If tasks cannot be imported or configured, or do not fit together; all
        faults at once. A single fault keeps its own type.
    ContractError
        If a contract is broken.
    """
    nodes: dict[str, TaskNode] = {}
    faults: list[PipetaskError] = []
    for label in pipeline.task_labels:
        try:
            nodes[label] = _make_node(pipeline, label, (first_overrides or {}).get(label, ()))
        except PipetaskError as error:
            faults.append(error)
    if len(faults) == 1:
        raise faults[0]
    if faults:
        listed = "\n  ".join(str(fault) for fault in faults)
        raise PipelineGraphError(f"{len(faults)} tasks of the pipeline cannot be used:\n  {listed}")
    check_contracts(pipeline.contracts, {label: node.config for label, node in nodes.items()})
    return PipelineGraph(pipeline, nodes)


def _make_node(pipeline: Pipeline, label: str, first: Collection[Override]) -> TaskNode:
    definition = pipeline.task(label)
    task_class = import_task(definition.class_name)
    config = task_class.ConfigClass()
    apply_overrides(
        config,
        [*first, *pipeline.config_overrides(label)],
        label=label,
        parameters=pipeline.parameters,
    )
    config.freeze()
    connections = config.ConnectionsClass(config=config)
    return TaskNode(label, definition.class_name, task_class, config, connections)


def labels_between(pipeline: Pipeline, first: str | None, last: str | None) -> Collection[str]:
    """Return the labels of what is downstream of one task and upstream of another, both included.

    Parameters
    ----------
    first
        The earliest task; None for no bound.
    last
        The latest task; None for no bound.

    Raises
    ------
    UnknownLabelError
        If the pipeline has no such task.
    """
    import networkx as nx

    graph = build_pipeline_graph(pipeline)
    chosen = set(pipeline.task_labels)
    if first is not None:
        chosen &= nx.descendants(graph.task_graph, graph.task(first).label) | {first}
    if last is not None:
        chosen &= nx.ancestors(graph.task_graph, graph.task(last).label) | {last}
    return [label for label in pipeline.task_labels if label in chosen]
