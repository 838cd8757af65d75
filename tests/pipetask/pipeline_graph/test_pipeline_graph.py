"""From pipelines to graphs of tasks: order, faults, selections."""

from __future__ import annotations

import networkx as nx
import pytest
from graph_specs import UNITS, Connection, Task, make_pipeline, simple

from pipetask import Pipeline
from pipetask.errors import (
    ContractError,
    PipelineGraphError,
    TaskConfigError,
    UnknownLabelError,
    UnknownTaskError,
)
from pipetask.pipeline_graph import build_pipeline_graph, labels_between

CHAIN = [
    simple("z_first", "ED", ["raw:ED"], "one"),
    simple("m_left", "ED", ["one:ED"], "two"),
    simple("b_right", "ED", ["one:ED"], "three"),
    simple("a_last", "E", ["two:ED", "three:ED"], "four"),
]


def little(**configs: dict[str, object]) -> Pipeline:
    pipeline = Pipeline("little")
    for label, config in configs.items():
        pipeline = pipeline.add_task(label, f"graph_tasks.{config.pop('class')}")
        for name, value in config.items():
            pipeline = pipeline.add_override(label, name, value)
    return pipeline


# --------------------------------------------------------------------------- order
@pytest.mark.parametrize("order", [[0, 1, 2, 3], [3, 2, 1, 0], [2, 3, 0, 1]])
def test_tasks_come_after_what_they_read_and_otherwise_by_label(order: list[int]) -> None:
    graph = build_pipeline_graph(make_pipeline([CHAIN[i] for i in order]))

    assert [node.label for node in graph.tasks] == ["z_first", "b_right", "m_left", "a_last"]


def test_producers_and_consumers_are_known() -> None:
    graph = build_pipeline_graph(make_pipeline(CHAIN))

    assert graph.producer_label("two") == "m_left"
    assert graph.producer_label("m_left_log") == "m_left"
    assert graph.producer_label("raw") is None
    assert [str(edge) for edge in graph.consumers("one")] == ["m_left.in0", "b_right.in0"]


def test_the_bipartite_view_has_tasks_and_dataset_types() -> None:
    view = build_pipeline_graph(make_pipeline(CHAIN)).to_networkx()

    assert nx.is_directed_acyclic_graph(view)
    assert view.has_edge(("dataset_type", "raw"), ("task", "z_first"))
    assert view.edges[("task", "z_first"), ("dataset_type", "one")]["connections"] == ("out",)
    notes = [node for node, is_note in view.nodes(data="is_note") if is_note]
    assert sorted(notes)[:2] == [("dataset_type", "a_last_config"), ("dataset_type", "a_last_log")]
    assert view.number_of_nodes() == 4 + 5 + 3 * 4


def test_init_outputs_are_part_of_the_view_and_of_the_order() -> None:
    graph = build_pipeline_graph(little(a_use={"class": "UseTask"}, z_start={"class": "StartTask"}))

    assert [node.label for node in graph.tasks] == ["z_start", "a_use"]
    edges = graph.to_networkx().edges
    assert edges[("dataset_type", "catalog_schema"), ("task", "a_use")]["is_init"]
    assert not edges[("dataset_type", "frame"), ("task", "a_use")]["is_init"]


def test_a_task_that_reads_metadata_comes_after_the_task_that_leaves_them() -> None:
    graph = build_pipeline_graph(little(a={"class": "NotesTask"}, isr={"class": "IsrTask"}))

    assert [node.label for node in graph.tasks] == ["isr", "a"]


# -------------------------------------------------------------------------- faults
def test_a_cycle_is_told_step_by_step() -> None:
    tasks = [simple("a", "ED", ["y:ED"], "x"), simple("b", "ED", ["x:ED"], "y")]

    with pytest.raises(
        PipelineGraphError, match=r"wait for one another: .*writes 'x', which 'b' reads"
    ) as caught:
        build_pipeline_graph(make_pipeline(tasks))

    assert "'b' writes 'y', which 'a' reads" in str(caught.value)


def test_a_task_that_reads_what_it_writes_is_a_cycle() -> None:
    with pytest.raises(PipelineGraphError, match="'a' writes 'x', which 'a' reads"):
        build_pipeline_graph(make_pipeline([simple("a", "ED", ["x:ED"], "x")]))


def test_two_cycles_are_told_together() -> None:
    tasks = [
        simple("a", "ED", ["y:ED"], "x"), simple("b", "ED", ["x:ED"], "y"),
        simple("c", "ED", ["v:ED"], "u"), simple("d", "ED", ["u:ED"], "v"),
    ]  # fmt: skip

    with pytest.raises(PipelineGraphError) as caught:
        build_pipeline_graph(make_pipeline(tasks))

    assert str(caught.value).count("wait for one another") == 2


def test_outputs_written_twice_are_told_together() -> None:
    tasks = [
        simple("a", "ED", ["raw:ED"], "x"), simple("b", "ED", ["raw:ED"], "x"),
        simple("c", "E", ["raw:ED"], "y"), simple("d", "E", ["raw:ED"], "y"),
    ]  # fmt: skip

    with pytest.raises(
        PipelineGraphError, match=r"'x' is written by a\.out and by b\.out"
    ) as caught:
        build_pipeline_graph(make_pipeline(tasks))

    assert "'y' is written by c.out and by d.out" in str(caught.value)


def test_an_output_named_as_another_task_s_metadata_is_told() -> None:
    tasks = [simple("a", "ED", ["raw:ED"], "b_metadata"), simple("b", "ED", ["raw:ED"], "x")]

    with pytest.raises(PipelineGraphError, match="'b_metadata' is written by"):
        build_pipeline_graph(make_pipeline(tasks))


def test_an_output_named_as_another_task_s_log_is_told() -> None:
    tasks = [simple("a", "ED", ["raw:ED"], "b_log"), simple("b", "ED", ["raw:ED"], "x")]

    with pytest.raises(PipelineGraphError, match="'b_log' is written by"):
        build_pipeline_graph(make_pipeline(tasks))


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("graph_tasks.IsrTsk", "has no task 'IsrTsk'. Did you mean 'IsrTask'"),
        ("no_such_package.tasks.IsrTask", "there is no module 'no_such_package'"),
        ("graph_tasks.SC", "is a str, not a PipelineTask class"),
        ("graph_tasks.Struct", "not a PipelineTask class"),
        ("IsrTask", "needs its module"),
    ],
)
def test_a_class_that_cannot_be_used_is_told(name: str, said: str) -> None:
    with pytest.raises(UnknownTaskError, match=said):
        build_pipeline_graph(Pipeline("one").add_task("isr", name))


def test_faults_of_several_tasks_are_told_together() -> None:
    pipeline = little(
        one={"class": "IsrTask", "offset": "many"}, two={"class": "IsrTask", "ofset": 1},
        three={"class": "GatherTask"},
    ).add_task("four", "graph_tasks.IsrTsk")  # fmt: skip

    with pytest.raises(
        PipelineGraphError, match="3 tasks of the pipeline cannot be used"
    ) as caught:
        build_pipeline_graph(pipeline)

    text = str(caught.value)
    assert "offset" in text
    assert "ofset" in text
    assert "IsrTsk" in text


def test_a_single_fault_keeps_its_type() -> None:
    with pytest.raises(TaskConfigError, match="ofset"):
        build_pipeline_graph(little(two={"class": "IsrTask", "ofset": 1}))


def test_a_broken_contract_is_told() -> None:
    pipeline = little(
        isr={"class": "IsrTask", "offset": 3}, gather={"class": "GatherTask", "offset": 4}
    ).add_contract("isr.offset == gather.offset", "offsets must agree")

    with pytest.raises(ContractError, match="offsets must agree"):
        build_pipeline_graph(pipeline)


def test_a_task_that_is_not_there_is_told_with_near_misses() -> None:
    graph = build_pipeline_graph(make_pipeline(CHAIN))

    with pytest.raises(UnknownLabelError, match="'m_lef'. Did you mean 'm_left'"):
        graph.task("m_lef")


# ---------------------------------------------------------------------- selections
@pytest.mark.parametrize(
    ("first", "last", "labels"),
    [
        (None, None, {"z_first", "m_left", "b_right", "a_last"}),
        ("m_left", None, {"m_left", "a_last"}),
        (None, "b_right", {"z_first", "b_right"}),
        ("z_first", "a_last", {"z_first", "m_left", "b_right", "a_last"}),
        ("z_first", "m_left", {"z_first", "m_left"}),
        ("a_last", "z_first", set()),
        ("m_left", "b_right", set()),
    ],
)
def test_labels_between_are_downstream_of_one_and_upstream_of_the_other(
    first: str | None, last: str | None, labels: set[str]
) -> None:
    assert set(labels_between(make_pipeline(CHAIN), first, last)) == labels


@pytest.mark.parametrize(("first", "last"), [("m_lef", None), (None, "m_lef")])
def test_labels_between_wants_labels_that_exist(first: str | None, last: str | None) -> None:
    with pytest.raises(UnknownLabelError, match="'m_lef'. Did you mean 'm_left'"):
        labels_between(make_pipeline(CHAIN), first, last)


def test_connections_renamed_by_configuration_meet() -> None:
    pipeline = little(
        isr={"class": "IsrTask", "connections.frame": "myFrame"},
        gather={"class": "GatherTask", "connections.frames": "myFrame"},
    )

    graph = build_pipeline_graph(pipeline)

    assert [node.label for node in graph.tasks] == ["isr", "gather"]
    assert graph.producer_label("myFrame") == "isr"


def test_a_task_without_log_writes_none() -> None:
    graph = build_pipeline_graph(little(isr={"class": "IsrTask", "saveLogOutput": False}))

    assert graph.task("isr").log_dataset_type is None
    assert graph.automatic_outputs == {"isr_metadata": ("isr", "metadata")}


def test_edges_say_what_the_connection_is() -> None:
    task = Task(
        "isr", UNITS["ED"], {"raw": Connection("raw", UNITS["ED"], minimum=0)},
        {"bias": Connection("bias", UNITS["D"], is_calibration=True)},
    )  # fmt: skip
    node = build_pipeline_graph(make_pipeline([task])).task("isr")

    raw, bias = node.reads
    assert (raw.minimum, raw.is_prerequisite, raw.is_calibration) == (0, False, False)
    assert (bias.minimum, bias.is_prerequisite, bias.is_calibration) == (1, True, True)
    assert str(bias) == "isr.bias"
