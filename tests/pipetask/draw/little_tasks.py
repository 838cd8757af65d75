"""Four tasks with every kind of connection, for a pipeline that is drawn and never run."""

from __future__ import annotations

from pydantic import Field

from pipetask.config import PipelineTaskConfig
from pipetask.connections import PipelineTaskConnections
from pipetask.connections.kinds import InitInput, InitOutput, Input, Output, PrerequisiteInput
from pipetask.task import PipelineTask

FRAME = ("instrument", "exposure", "detector")
DICT = "StructuredDataDict"


class IsrConnections(PipelineTaskConnections, dimensions=FRAME):
    raw = Input("raw", DICT, dimensions=FRAME)
    bias = PrerequisiteInput("bias", DICT, dimensions=("instrument", "detector"))
    exposure = Output("post_isr", DICT, dimensions=FRAME)
    schema = InitOutput("isr_schema", DICT)


class IsrConfig(PipelineTaskConfig, connections=IsrConnections):
    doFlat: bool = Field(True, description="Divide by\n    the flat?")
    n_sigma: float = Field(3.0, description="Clipping threshold.")


class IsrTask(PipelineTask):
    ConfigClass = IsrConfig


class CalibrateConnections(PipelineTaskConnections, dimensions=FRAME):
    exposure = Input("post_isr", DICT, dimensions=FRAME)
    schema = InitInput("isr_schema", DICT)
    calexp = Output("calexp", DICT, dimensions=FRAME)
    src = Output("src", DICT, dimensions=FRAME)


class CalibrateConfig(PipelineTaskConfig, connections=CalibrateConnections):
    limit: float = Field(float("inf"), description="Faintest magnitude.")
    names: list[str] = Field(["a"], description="Names.")


class CalibrateTask(PipelineTask):
    ConfigClass = CalibrateConfig


class SummariseConnections(PipelineTaskConnections, dimensions=("instrument",)):
    src = Input("src", DICT, dimensions=FRAME, multiple=True)
    notes = Input("isr_metadata", "TaskMetadata", dimensions=FRAME, multiple=True)
    summary = Output("summary", DICT, dimensions=("instrument",))


class SummariseConfig(PipelineTaskConfig, connections=SummariseConnections):
    pass


class SummariseTask(PipelineTask):
    ConfigClass = SummariseConfig


class FinishConnections(PipelineTaskConnections, dimensions=FRAME):
    calexp = Input("calexp", DICT, dimensions=FRAME)
    summary = Input("summary", DICT, dimensions=("instrument",))
    final = Output("final", DICT, dimensions=FRAME)


class FinishConfig(PipelineTaskConfig, connections=FinishConnections):
    pass


class FinishTask(PipelineTask):
    ConfigClass = FinishConfig
