"""Tasks: construction, running a quantum, results, metadata."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from pydantic import Field

from pipetask import (
    Input,
    NoWorkFound,
    Output,
    PipelineTask,
    PipelineTaskConfig,
    PipelineTaskConnections,
    Struct,
)
from pipetask.errors import TaskConfigError, TaskError
from pipetask.task import TaskMetadata


class ScaleConnections(PipelineTaskConnections, dimensions=("exposure",)):
    raw = Input("raw", "Array", dimensions=("exposure",))
    scaled = Output("scaled", "Array", dimensions=("exposure",))
    mask = Output("mask", "Array", dimensions=("exposure",))


class ScaleConfig(PipelineTaskConfig, connections=ScaleConnections):
    factor: float = Field(2.0, description="Multiplies the input.")


class ScaleTask(PipelineTask):
    ConfigClass = ScaleConfig
    _DefaultName = "scaleIt"

    def run(self, raw: float) -> Struct:  # type: ignore[override]
        if raw < 0:
            raise NoWorkFound("negative")
        self.metadata["n"] = 1
        return Struct(scaled=raw * self.config.factor, mask=None)


class Forgetful(ScaleTask):
    def run(self, raw: float) -> Any:  # type: ignore[override]
        return Struct(scled=raw) if raw else raw


class MemoryContext:
    """Reads from and writes to a dict of datasets by ref."""

    def __init__(self, **datasets: Any) -> None:
        self.datasets = datasets
        self.data_id = {"exposure": 1}
        self.log = logging.getLogger("test")

    def get(self, refs: Struct) -> dict[str, Any]:
        return {name: self.datasets[ref] for name, ref in refs}

    def put(self, datasets: Struct, refs: Struct) -> None:
        for name, ref in refs:
            if (dataset := getattr(datasets, name)) is not None:
                self.datasets[ref] = dataset


REFS = {"inputs": Struct(raw="raw1"), "outputs": Struct(scaled="scaled1", mask="mask1")}


def test_quantum_is_read_run_and_written() -> None:
    context = MemoryContext(raw1=3)
    task = ScaleTask()

    task.run_quantum(context, **REFS)

    assert context.datasets == {"raw1": 3, "scaled1": 6}
    assert task.metadata.to_dict() == {"n": 1}


def test_missing_output_is_named() -> None:
    with pytest.raises(TaskError, match=r"no 'scaled', 'mask': its Struct has 'scled'"):
        Forgetful().run_quantum(MemoryContext(raw1=3), **REFS)
    with pytest.raises(TaskError, match=r"returned a int; return a Struct with scaled, mask"):
        Forgetful().run_quantum(MemoryContext(raw1=0), **REFS)


def test_no_work_passes_through() -> None:
    with pytest.raises(NoWorkFound, match=r"negative"):
        ScaleTask().run_quantum(MemoryContext(raw1=-1), **REFS)


def test_configuration_is_frozen_by_the_task() -> None:
    config = ScaleConfig(factor=3)
    task = ScaleTask(config=config, log=logging.getLogger("isr"), init_inputs={"schema": 1})

    with pytest.raises(TaskConfigError):
        config.factor = 4
    assert task.run(raw=1).scaled == 3
    assert task.log.name == "isr"
    assert task.init_inputs == {"schema": 1}


def test_default_name_has_both_spellings_or_comes_from_the_class() -> None:
    class FlatFieldTask(ScaleTask):
        pass

    class Named(ScaleTask):
        default_name = "named"

    assert ScaleTask.default_name == "scaleIt"
    assert FlatFieldTask.default_name == FlatFieldTask._DefaultName == "flatField"
    assert Named._DefaultName == "named"
    assert ScaleTask().log.name == "scaleIt"


def test_incomplete_task_is_refused() -> None:
    class Bare(PipelineTask):
        pass

    class NoRun(PipelineTask):
        ConfigClass = ScaleConfig

    class OtherConfig(PipelineTaskConfig, connections=ScaleConnections):
        pass

    with pytest.raises(TaskError, match=r"Bare has None as its ConfigClass"):
        Bare()
    with pytest.raises(TaskError, match=r"does not write run.raw."):
        NoRun().run(raw=3)
    with pytest.raises(TaskError, match=r"takes a ScaleConfig, not a .*OtherConfig"):
        ScaleTask(config=OtherConfig())


def test_struct_gives_its_values_and_refuses_reserved_names() -> None:
    struct = Struct(a=1, b=2)

    assert struct.get_dict() == struct.getDict() == {"a": 1, "b": 2}
    assert dict(struct) == {"a": 1, "b": 2}
    assert "a" in struct
    assert len(struct) == 2
    with pytest.raises(TaskError, match=r"cannot hold 'get_dict'"):
        Struct(get_dict=1)


def test_metadata_nests_by_dots_and_reads_back() -> None:
    metadata = TaskMetadata({"fit": {"order": 3}})
    metadata["fit.rms"] = 0.5
    metadata.add("fit.bad", "a")
    metadata.add("fit.bad", "b")
    metadata["nan"] = float("nan")

    again = TaskMetadata.from_json(metadata.to_json())

    assert again.to_dict() == {
        "fit": {"order": 3, "rms": 0.5, "bad": ["a", "b"]},
        "nan": None,
    }
    assert "fit.rms" in again
    del again["fit.rms"]
    assert "fit.rms" not in again
    assert "fit.order.x" not in again


def test_metadata_refuses_what_json_cannot_hold() -> None:
    metadata = TaskMetadata({"a": 1})

    with pytest.raises(TaskError, match=r"'x' cannot be a object"):
        metadata["x"] = object()
    with pytest.raises(TaskError, match=r"'a.b' cannot be set: 'a' is a value"):
        metadata["a.b"] = 3
    with pytest.raises(TaskError, match=r"cannot name a note"):
        metadata["a."] = 3
