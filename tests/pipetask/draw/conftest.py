"""A little pipeline, and its quantum graph over two detectors of two exposures."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from butler_core import Butler, DatasetType
from butler_core.dimensions.universe import DimensionUniverse
from pipetask.draw.show import ShowContext
from pipetask.pipeline import Pipeline
from pipetask.pipeline_graph import PipelineGraph, build_pipeline_graph, resolve
from pipetask.quantum_graph import BuildRequest, build_quantum_graph

PIPELINE = """
description: A demo
tasks:
  isr: {class: little_tasks.IsrTask, config: {n_sigma: 7}}
  calibrate: little_tasks.CalibrateTask
  summarise: little_tasks.SummariseTask
  finish: little_tasks.FinishTask
subsets:
  step1: {subset: [isr, calibrate], description: First things}
  step2: [summarise, finish]
"""

CAMERA = "Cam<&\"'~"


@pytest.fixture(scope="session", autouse=True)
def _little_tasks_on_path() -> Iterator[None]:
    folder = str(Path(__file__).parent)
    sys.path.insert(0, folder)
    yield
    sys.path.remove(folder)


@pytest.fixture(scope="session")
def pipeline() -> Pipeline:
    return Pipeline.from_text(PIPELINE, name="demo.yaml")


@pytest.fixture(scope="session")
def pipeline_graph(pipeline: Pipeline, _little_tasks_on_path: None) -> PipelineGraph:
    return build_pipeline_graph(pipeline)


@pytest.fixture(scope="session")
def butler(tmp_path_factory: pytest.TempPathFactory) -> Butler:
    butler = Butler.create(tmp_path_factory.mktemp("drawn") / "repo")
    fill(butler)
    return butler


def fill(butler: Butler) -> None:
    """Add two exposures of two detectors, with raws and biases."""
    insert, name = butler.insert_dimension_data, CAMERA
    insert(
        "instrument",
        {"name": name, "visit_max": 9, "exposure_max": 9, "detector_max": 9, "class_name": "x.Y"},
    )
    insert("physical_filter", {"instrument": name, "name": "r1", "band": "r"})
    insert("day_obs", {"instrument": name, "id": 20240101})
    insert("group", {"instrument": name, "name": "g"})
    for detector in (0, 1):
        insert("detector", {"instrument": name, "id": detector, "full_name": f"d{detector}"})
    for exposure in (1, 2):
        insert(
            "exposure",
            {
                "instrument": name, "id": exposure, "obs_id": f"o{exposure}", "group": "g",
                "physical_filter": "r1", "day_obs": 20240101,
            },
        )  # fmt: skip
    universe = butler.dimensions
    for name_, dimensions in (
        ("raw", ("instrument", "exposure", "detector")),
        ("bias", ("instrument", "detector")),
    ):
        butler.register_dataset_type(
            DatasetType.of(name_, dimensions, "StructuredDataDict", universe=universe)
        )
    butler.collections.register("in")
    for detector in (0, 1):
        data_id = {"instrument": name, "detector": detector}
        butler.put({"a": 1}, "bias", data_id, run="in")
        for exposure in (1, 2):
            butler.put({"a": 1}, "raw", {**data_id, "exposure": exposure}, run="in")


@pytest.fixture(scope="session")
def shown(
    pipeline: Pipeline,
    pipeline_graph: PipelineGraph,
    butler: Butler,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[ShowContext]:
    """Return a context with everything there is to show."""
    repository = butler.repository
    types = repository.registry.dataset_types

    def find(name: str) -> DatasetType | None:
        found = types.find(name)
        return None if found is None else found.dataset_type

    resolved = resolve(pipeline_graph, DimensionUniverse.default(), find)
    request = BuildRequest(repository, resolved, ("in",), "out/run")
    path = tmp_path_factory.mktemp("graphs") / "demo.qg"
    graph, report = build_quantum_graph(request, path)
    yield ShowContext(pipeline, pipeline_graph, resolved, graph, report, repository)
    graph.close()
