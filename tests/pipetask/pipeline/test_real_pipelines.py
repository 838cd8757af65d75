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
        with pytest.raises(PipelineFileError, match="(DRP_PIPE|PIPE_TASKS|TEST_?)DIR|TESTDIR|DRP_PIPE_DIR"):
            Pipeline.from_file(path)

    assert len(others) == 11
