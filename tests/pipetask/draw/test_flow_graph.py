"""The graph that drawings and selections are made from."""

from __future__ import annotations

from typing import Any

import networkx as nx
import pytest

from butler_core.dimensions.universe import DimensionUniverse
from pipetask.pipeline.task_expressions import select_tasks
from pipetask.pipeline_graph import PipelineGraph
from pipetask.pipeline_graph.flow_graph import (
    drawing_order,
    make_drawn_graph,
    make_flow_graph,
    make_task_graph,
    minimal_dimensions,
)


def names(graph: nx.DiGraph, kind: str) -> set[str]:
    return {name for found, name in graph if found == kind}


def test_flow_graph_has_what_every_task_writes(pipeline_graph: PipelineGraph) -> None:
    flow = make_flow_graph(pipeline_graph)

    assert {"isr_config", "isr_metadata", "isr_log"} <= names(flow, "dataset_type")
    assert flow.has_edge(("task", "isr"), ("dataset_type", "isr_metadata"))
    assert flow.edges[("task", "isr"), ("dataset_type", "isr_config")]["is_init"]


def test_edges_say_what_they_are(pipeline_graph: PipelineGraph) -> None:
    flow = make_flow_graph(pipeline_graph)

    bias = flow.edges[("dataset_type", "bias"), ("task", "isr")]
    schema = flow.edges[("dataset_type", "isr_schema"), ("task", "calibrate")]

    assert bias == {"connections": ("bias",), "is_prerequisite": True, "is_init": False}
    assert schema == {"connections": ("schema",), "is_prerequisite": False, "is_init": True}


def test_selection_follows_metadata(pipeline_graph: PipelineGraph) -> None:
    flow = make_flow_graph(pipeline_graph)

    selected = select_tasks("<=isr_metadata | >isr_schema", pipeline_graph.nodes, {}, flow)

    assert selected == {"isr", "calibrate", "summarise", "finish"}


def test_drawn_graph_leaves_out_constructors_and_unread_notes(
    pipeline_graph: PipelineGraph,
) -> None:
    drawn = make_drawn_graph(make_flow_graph(pipeline_graph))

    assert names(drawn, "dataset_type") == {
        "raw", "bias", "post_isr", "isr_metadata", "calexp", "src", "summary", "final",
    }  # fmt: skip


def test_drawn_graph_has_constructors_if_asked(pipeline_graph: PipelineGraph) -> None:
    drawn = make_drawn_graph(make_flow_graph(pipeline_graph), with_init=True)

    assert "isr_schema" in names(drawn, "dataset_type")
    assert "isr_config" not in names(drawn, "dataset_type")


def test_resolved_graph_gives_minimal_dimensions(shown: Any) -> None:
    flow = make_flow_graph(shown.pipeline_graph, shown.resolved)

    assert flow.nodes["task", "isr"]["dimensions"] == ("detector", "exposure")
    assert flow.nodes["dataset_type", "bias"]["dimensions"] == ("detector",)
    assert flow.nodes["dataset_type", "isr_config"]["dimensions"] == ()


@pytest.mark.parametrize(
    ("given", "minimal"),
    [
        (["exposure", "detector"], ("detector", "exposure")),
        (["instrument"], ("instrument",)),
        (["patch"], ("patch",)),
        (["tract", "visit"], ("visit", "tract")),
        ([], ()),
    ],
)
def test_minimal_dimensions(given: list[str], minimal: tuple[str, ...]) -> None:
    group = DimensionUniverse.default().conform(given)

    assert set(minimal_dimensions(group)) == set(minimal)
    assert group.universe.conform(minimal_dimensions(group)) == group


def test_order_has_every_node_behind_what_it_comes_from(pipeline_graph: PipelineGraph) -> None:
    drawn = make_drawn_graph(make_flow_graph(pipeline_graph))

    place = {node: i for i, node in enumerate(drawing_order(drawn))}

    assert set(place) == set(drawn)
    assert all(place[before] < place[after] for before, after in drawn.edges)


def test_task_graph_joins_tasks_directly(pipeline_graph: PipelineGraph) -> None:
    tasks = make_task_graph(make_drawn_graph(make_flow_graph(pipeline_graph)))

    assert {(before[1], after[1]) for before, after in tasks.edges} == {
        ("isr", "calibrate"), ("isr", "summarise"), ("calibrate", "summarise"),
        ("calibrate", "finish"), ("summarise", "finish"),
    }  # fmt: skip
