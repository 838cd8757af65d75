"""Pipeline graphs in the light of the dataset types that a repository knows."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest
from graph_specs import UNITS, Connection, Task, make_pipeline, simple

from butler_core import DatasetType
from butler_core.dimensions.universe import DimensionUniverse
from pipetask import Pipeline
from pipetask.errors import PipelineGraphError
from pipetask.pipeline_graph import ResolvedPipelineGraph, build_pipeline_graph, resolve

UNIVERSE = DimensionUniverse.default()
ISR = simple("isr", "ED", ["raw:ED"], "frame")


def known(name: str, unit: Iterable[str], storage_class: str = "StructuredDataDict") -> DatasetType:
    return DatasetType.of(name, unit, storage_class, universe=UNIVERSE)


def resolved(pipeline: Pipeline | list[Task], *types: DatasetType) -> ResolvedPipelineGraph:
    if isinstance(pipeline, list):
        pipeline = make_pipeline(pipeline)
    found = {one.name: one for one in types}
    return resolve(build_pipeline_graph(pipeline), UNIVERSE, found.get)


def faults(pipeline: Any, *types: DatasetType) -> str:
    with pytest.raises(PipelineGraphError, match="does not fit the repository") as caught:
        resolved(pipeline, *types)
    return str(caught.value)


def test_dataset_types_come_from_the_repository_or_from_their_producer() -> None:
    graph = resolved([ISR, simple("sum", "E", ["frame:ED"])], known("raw", UNITS["ED"]))

    assert graph.dataset_types["raw"] == known("raw", UNITS["ED"])
    assert graph.dataset_types["frame"].dimensions == UNIVERSE.conform(UNITS["ED"])
    assert graph.dataset_types["isr_metadata"].storage_class == "TaskMetadata"
    assert "raw" not in graph.unregistered
    assert {"frame", "isr_metadata", "isr_log", "isr_config", "packages"} <= graph.unregistered
    assert graph.overall_inputs == ("raw",)
    assert graph.outputs == (
        "frame",
        "isr_metadata",
        "isr_log",
        "sumOut",
        "sum_metadata",
        "sum_log",
    )


def test_inputs_that_every_reader_needs_constrain() -> None:
    optional = Connection("hint", UNITS["E"], minimum=0)
    tasks = [
        Task("a", UNITS["ED"], {"raw": Connection("raw", UNITS["ED"]), "hint": optional}),
        simple("b", "ED", ["raw:ED", "flat:DF"]),
    ]

    graph = resolved(tasks)

    assert graph.overall_inputs == ("flat", "hint", "raw")
    assert graph.constraining_inputs == ("flat", "raw")


def test_dimensions_are_those_of_tasks_and_regular_datasets() -> None:
    task = Task(
        "isr", UNITS["ED"], {"raw": Connection("raw", UNITS["ED"])},
        {"ref": Connection("ref", ("htm7",)), "map": Connection("skyMap", ("skymap",))},
        {"out": Connection("warps", UNITS["PV"])},
    )  # fmt: skip

    graph = resolved([task])

    assert graph.dimensions == UNIVERSE.conform((*UNITS["ED"], *UNITS["PV"]))
    assert [str(edge) for edge in graph.prerequisites] == ["isr.ref", "isr.map"]


def test_all_misfits_are_told_together() -> None:
    tasks = [ISR, simple("sum", "E", ["frame:E"]), simple("cal", "VD", ["flat:D"])]

    text = faults(tasks, known("raw", UNITS["E"]), known("flat", UNITS["DF"]))

    assert "isr.in0 declares 'raw'" in text
    assert "is registered with {" in text
    assert "sum.in0 declares 'frame'" in text
    assert "has in 'isr', which writes it," in text
    assert "cal.in0 declares 'flat'" in text


def test_two_readers_of_one_input_must_agree() -> None:
    text = faults([simple("a", "ED", ["raw:ED"]), simple("b", "E", ["raw:E"])])

    assert "declares 'raw' with" in text


def test_an_output_registered_with_other_dimensions_is_told() -> None:
    assert "isr.out declares 'frame'" in faults([ISR], known("frame", UNITS["VD"]))


def test_a_storage_class_that_cannot_be_converted_is_told() -> None:
    text = faults([ISR], known("raw", UNITS["ED"], "ArrowAstropy"))

    assert "isr.in0 has 'raw' as 'ArrowAstropy', which cannot become 'StructuredDataDict'" in text


def test_a_storage_class_that_can_be_converted_is_taken() -> None:
    graph = resolved(
        Pipeline("one").add_task("use", "graph_tasks.PartsTask"),
        known("catalog", UNITS["ED"], "AstropyTable"),
    )

    assert graph.dataset_types["catalog"].storage_class == "AstropyTable"


def test_components_are_read_from_the_whole() -> None:
    pipeline = Pipeline("two").add_task("table", "graph_tasks.TableTask")
    pipeline = pipeline.add_task("parts", "graph_tasks.PartsTask")

    graph = resolved(pipeline)

    assert graph.overall_inputs == ("raw",)
    assert graph.dataset_types["catalog"].storage_class == "ArrowAstropy"


def test_a_component_of_an_unknown_whole_is_told() -> None:
    pipeline = Pipeline("one").add_task("parts", "graph_tasks.PartsTask")
    pipeline = pipeline.add_override("parts", "connections.table", "other")

    assert "no dataset type 'catalog' is registered" in faults(pipeline)


def test_a_component_that_the_whole_lacks_is_told() -> None:
    pipeline = Pipeline("one").add_task("parts", "graph_tasks.PartsTask")
    pipeline = pipeline.add_override("parts", "connections.columns", "catalog.colums")

    text = faults(pipeline, known("catalog", UNITS["ED"], "ArrowAstropy"))

    assert "parts.columns" in text
    assert "colums" in text


def test_an_unknown_dimension_is_told_with_the_task() -> None:
    task = Task("isr", ("instrument", "exposur"), {"raw": Connection("raw", UNITS["ED"])})

    assert "task 'isr': no dimension 'exposur'" in faults([task])


@pytest.mark.parametrize(("registered", "level"), [("htm9", "htm9"), (None, "htm7")])
def test_skypix_stands_for_the_pixels_that_are_registered(
    registered: str | None, level: str
) -> None:
    task = Task(
        "match", UNITS["VD"], {"x": Connection("calexp", UNITS["VD"])},
        {"ref": Connection("ref", ("skypix",))},
    )  # fmt: skip
    types = [known("ref", (registered,))] if registered else []

    graph = resolved([task], *types)

    assert graph.dataset_types["ref"].dimensions.names == (level,)


def test_metadata_of_a_task_are_an_input_of_another() -> None:
    pipeline = Pipeline("two").add_task("isr", "graph_tasks.IsrTask")
    pipeline = pipeline.add_task("notes", "graph_tasks.NotesTask")

    graph = resolved(pipeline)

    assert graph.overall_inputs == ("raw",)
    assert [node.label for node in graph.tasks] == ["isr", "notes"]


def test_metadata_registered_with_other_dimensions_are_told() -> None:
    text = faults([ISR], known("isr_metadata", UNITS["E"], "TaskMetadata"))

    assert "'isr_metadata' is registered with" in text
    assert "another label" in text
