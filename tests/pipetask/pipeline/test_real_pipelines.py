"""Real pipeline files, against what Rubin's own loader makes of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pipetask.errors import PipelineFileError
from pipetask.pipeline import Pipeline

PACKAGES = {
    "AP_PIPE_DIR": "ap_pipe",
    "ANALYSIS_TOOLS_DIR": "analysis_tools",
    "PROMPT_PROCESSING_DIR": "prompt_processing",
}


@pytest.fixture
def pipelines(test_data: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = test_data / "pipelines"
    for variable, package in PACKAGES.items():
        monkeypatch.setenv(variable, str(folder / package))
    for variable in ("DRP_PIPE_DIR", "PIPE_TASKS_DIR", "TESTDIR"):
        monkeypatch.delenv(variable, raising=False)
    return folder


def path_of(folder: Path, name: str) -> Path:
    return folder / name.replace("pipe_base/tests/", "pipe_base/")


def summary(pipeline: Pipeline) -> dict[str, Any]:
    return {
        "tasks": sorted(pipeline.tasks),
        "n_tasks": len(pipeline.tasks),
        "subsets": {label: sorted(s.tasks) for label, s in pipeline.subsets.items()},
        "steps": [step.label for step in pipeline.steps],
        "n_contracts": len(pipeline.contracts),
        "instrument": pipeline.instrument,
        "parameters": sorted(pipeline.parameters),
    }


def test_every_resolved_file_that_is_here_loads_as_in_rubins_loader(pipelines: Path) -> None:
    resolved = json.loads((pipelines / "resolved_by_rubin.json").read_text())
    present = {name: path_of(pipelines, name) for name in resolved}
    absent = {name for name, path in present.items() if not path.exists()}

    loaded = {n: summary(Pipeline.from_file(p)) for n, p in present.items() if n not in absent}

    assert loaded == {name: facts for name, facts in resolved.items() if name not in absent}
    assert len(resolved) == 91
    # The folder holds no tests/data of prompt_processing.
    assert {name.rpartition("/")[0] for name in absent} == {"prompt_processing/tests/data"}
    assert len(loaded) == 85


def test_every_other_file_fails_by_naming_the_variable_it_needs(pipelines: Path) -> None:
    resolved = json.loads((pipelines / "resolved_by_rubin.json").read_text())
    known = {path_of(pipelines, name) for name in resolved}
    others = [path for path in pipelines.rglob("*.yaml") if path not in known]

    for path in others:
        needed = r"'(DRP_PIPE_DIR|TESTDIR)', which is not set|no pipeline file .*\$AP_PIPE_DIR is"
        with pytest.raises(PipelineFileError, match=needed):
            Pipeline.from_file(path)

    assert len(others) == 11


def test_emptied_step_of_an_import_stays_in_edit_mode(
    pipelines: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TESTDIR", str(pipelines / "pipe_base"))

    pipeline = Pipeline.from_file(pipelines / "pipe_base/pipelines/step-exclusion.yaml")

    assert pipeline.task_labels == ("a", "b")
    assert [step.label for step in pipeline.steps] == ["step1", "step2"]
    assert pipeline.subsets["step2"].tasks == ()
    assert list(pipeline.subset_from_labels(["a", "b"]).subsets) == ["step1"]


def test_every_file_that_loads_is_written_and_read_again(pipelines: Path) -> None:
    for name in ("ap_pipe/pipelines/LSSTCam/ApPipe.yaml", "pipe_base/pipelines/testPipeline5.yaml"):
        pipeline = Pipeline.from_file(pipelines / name)

        # As text: a NaN among the values is unequal to itself.
        assert Pipeline.from_text(pipeline.to_yaml()).to_yaml() == pipeline.to_yaml()


def test_overrides_of_an_imported_task_end_with_those_of_the_importing_file(
    pipelines: Path,
) -> None:
    path = pipelines / "prompt_processing/pipelines/LSSTCam/ApPipe-noForced.yaml"

    overrides = Pipeline.from_file(path).config_overrides("associateApdb")

    assert overrides[-1].field == "doRunForcedMeasurement"
    assert overrides[-1].value is False
    assert overrides[-1].source.startswith(f"{path}:")
    assert not any("parameters." in str(getattr(o, "value", "")) for o in overrides)
