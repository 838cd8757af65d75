"""The pipelines' YAML: it loads, its tasks exist, and its configuration fits them."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest

from butler_core.cameras.find import find_camera
from pipetask.config_overrides import apply_overrides
from pipetask.pipeline import Pipeline

FOLDER = Path(__file__).parents[3] / "pipelines"
LABELS = {
    "latiss/calibrations.yaml": ["bias", "dark", "flat"],
    "latiss/night.yaml": ["isr", "measure", "calibrate", "visit_summary"],
    "testcam/night.yaml": ["isr", "measure"],
}


@pytest.mark.parametrize("name", sorted(LABELS))
def test_every_task_can_be_made_as_configured(name: str) -> None:
    pipeline = Pipeline.from_file(FOLDER / name)

    assert list(pipeline.task_labels) == LABELS[name]
    for label in pipeline.task_labels:
        module, _, class_name = pipeline.task(label).class_name.rpartition(".")
        task_class = getattr(importlib.import_module(module), class_name)
        config = task_class.ConfigClass()
        apply_overrides(config, pipeline.config_overrides(label), label=label)
        task_class(config=config)


@pytest.mark.parametrize("name", sorted(LABELS))
def test_instrument_is_known_and_everything_is_described(name: str) -> None:
    pipeline = Pipeline.from_file(FOLDER / name)

    assert pipeline.instrument is not None
    assert find_camera(pipeline.instrument).detectors
    assert pipeline.description
    assert all(subset.description for subset in pipeline.subsets.values())


def test_calibrations_are_run_one_at_a_time() -> None:
    alone = Pipeline.from_file(f"{FOLDER / 'latiss/calibrations.yaml'}#dark")

    assert alone.task_labels == ("dark",)


def test_test_camera_does_without_calibrations() -> None:
    pipeline = Pipeline.from_file(FOLDER / "testcam/night.yaml")

    assert pipeline.subsets["processCcd"].tasks == ("isr", "measure")
    values = pipeline.task("isr").config[0].values
    assert [values[f"do_{kind}"] for kind in ("bias", "dark", "flat")] == [False] * 3
