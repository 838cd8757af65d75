"""Small tasks that can be made to fail, hang or find nothing; worker processes import them too."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from typing import Any

from pydantic import Field

from pipetask import PipelineTask, PipelineTaskConfig, PipelineTaskConnections, Struct
from pipetask.connections import InitInput, InitOutput, Input, Output, PrerequisiteInput
from pipetask.errors import NoWorkFound

FRAME = ("instrument", "exposure", "detector")
EXPOSURE = ("instrument", "exposure")
DETECTOR = ("instrument", "detector")
DICT = "StructuredDataDict"


class MeasureConnections(PipelineTaskConnections, dimensions=FRAME):
    raw = Input("raw", DICT, dimensions=FRAME, doc="A frame.")
    schema = InitOutput("measure_schema", DICT, doc="What is measured.")
    measured = Output("measured", DICT, dimensions=FRAME, doc="What was measured.")


class MeasureConfig(PipelineTaskConfig, connections=MeasureConnections):
    factor: float = Field(1.0, description="What counts are multiplied by.")
    fails_for: list[int] = Field([], description="Exposures that cannot be measured.")
    fails_while: str = Field("", description="A file as long as which nothing can be measured.")
    finds_nothing_for: list[int] = Field([], description="Exposures with nothing to measure.")
    hangs_for: list[int] = Field([], description="Exposures that take for ever.")
    dies_for: list[int] = Field([], description="Exposures that kill the process.")


class MeasureTask(PipelineTask):
    ConfigClass = MeasureConfig

    def __init__(self, **keywords: Any) -> None:
        super().__init__(**keywords)
        self.schema = {"columns": ["counts"]}

    def run(self, raw: dict[str, Any]) -> Struct:
        config, exposure = self.config, raw["exposure"]
        if exposure in config.finds_nothing_for:
            raise NoWorkFound("no counts")
        if exposure in config.fails_for or (
            config.fails_while and Path(config.fails_while).exists()
        ):
            raise ValueError(f"exposure {exposure} cannot be measured")
        if exposure in config.hangs_for:
            time.sleep(60)
        if exposure in config.dies_for:
            os.kill(os.getpid(), signal.SIGKILL)
        self.metadata["n_counts"] = exposure
        self.log.info("measuring exposure %d", exposure)
        return Struct(measured={"counts": raw["counts"] * config.factor})


class MergeConnections(PipelineTaskConnections, dimensions=EXPOSURE):
    schema = InitInput("measure_schema", DICT, doc="What was measured.")
    measured = Input("measured", DICT, dimensions=FRAME, multiple=True, doc="Measurements.")
    notes = Input(
        "measure_metadata", "TaskMetadata", dimensions=FRAME, multiple=True, doc="How it went."
    )
    merged = Output("merged", DICT, dimensions=EXPOSURE, doc="All detectors.")


class MergeConfig(PipelineTaskConfig, connections=MergeConnections):
    scale: float = Field(1.0, description="What sums are multiplied by.")


class MergeTask(PipelineTask):
    ConfigClass = MergeConfig

    def run(self, measured: list[dict[str, Any]], notes: list[Any]) -> Struct:
        columns = self.init_inputs["schema"]["columns"]
        n_counts = sum(note["n_counts"] for note in notes)
        total = sum(one[name] for one in measured for name in columns) * self.config.scale
        return Struct(merged={"total": total, "n_counts": n_counts})


class CopyConnections(PipelineTaskConnections, dimensions=DETECTOR):
    frame = Input("frame", DICT, dimensions=DETECTOR, doc="Anything.")
    made = Output("copy", DICT, dimensions=DETECTOR, doc="The same.")


class CopyConfig(PipelineTaskConfig, connections=CopyConnections):
    pass


class CopyTask(PipelineTask):
    ConfigClass = CopyConfig

    def run(self, frame: dict[str, Any]) -> Struct:
        return Struct(made=frame)


class CorrectConnections(PipelineTaskConnections, dimensions=FRAME):
    raw = Input("raw", DICT, dimensions=FRAME, doc="A frame.")
    bias = PrerequisiteInput(
        "bias", DICT, dimensions=DETECTOR, is_calibration=True, doc="Its bias."
    )
    corrected = Output("corrected", DICT, dimensions=FRAME, doc="The difference.")


class CorrectConfig(PipelineTaskConfig, connections=CorrectConnections):
    pass


class CorrectTask(PipelineTask):
    """Needs a bias, which nobody made."""

    ConfigClass = CorrectConfig


class OtherShapeConnections(PipelineTaskConnections, dimensions=EXPOSURE):
    raw = Input("raw", DICT, dimensions=EXPOSURE, doc="Frames have detectors, too.")
    shaped = Output("shaped", DICT, dimensions=EXPOSURE, doc="Nothing.")


class OtherShapeConfig(PipelineTaskConfig, connections=OtherShapeConnections):
    pass


class OtherShapeTask(PipelineTask):
    """Thinks that frames have other dimensions than they have."""

    ConfigClass = OtherShapeConfig


class UnableConfig(PipelineTaskConfig, connections=MeasureConnections):
    pass


class UnableTask(PipelineTask):
    """Cannot even be made."""

    ConfigClass = UnableConfig

    def __init__(self, **keywords: Any) -> None:
        super().__init__(**keywords)
        raise RuntimeError("no licence")
