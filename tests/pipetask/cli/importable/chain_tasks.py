"""Tasks that follow one another, for runs that build upon earlier ones."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import Field

from pipetask import PipelineTask, PipelineTaskConfig, PipelineTaskConnections, Struct
from pipetask.connections import InitInput, InitOutput, Input, Output, PrerequisiteInput
from pipetask.errors import NoWorkFound

FRAME = ("instrument", "exposure", "detector")
EXPOSURE = ("instrument", "exposure")
DICT = "StructuredDataDict"


class Behaviour(PipelineTaskConfig):
    """How a task misbehaves, and a number that its results depend on."""

    add: int = Field(0, description="Added to what it writes.")
    fails_for: list[int] = Field([], description="Numbers that it cannot bear.")
    fails_while: str = Field("", description="A file as long as which these numbers are unbearable")
    finds_nothing_for: list[int] = Field([], description="Numbers that are no work.")


def behave(config: Any, number: int) -> int:
    """Do what the configuration says for a number; return the result."""
    is_mended = config.fails_while and not Path(config.fails_while).exists()
    if number in config.fails_for and not is_mended:
        raise ValueError(f"number {number} is unbearable")
    if number in config.finds_nothing_for:
        raise NoWorkFound(f"number {number} is dull")
    return number + int(config.add)


class CleanConnections(PipelineTaskConnections, dimensions=FRAME):
    raw = Input("raw", DICT, dimensions=FRAME)
    cleaned = Output("cleaned", DICT, dimensions=FRAME)


class CleanConfig(Behaviour, connections=CleanConnections):
    """Configuration of `CleanTask`."""


class CleanTask(PipelineTask):
    """Takes the counts of a frame."""

    ConfigClass = CleanConfig

    def run(self, raw: Any) -> Struct:
        return Struct(cleaned={"number": behave(self.config, raw["counts"])})


class FindConnections(PipelineTaskConnections, dimensions=FRAME):
    cleaned = Input("cleaned", DICT, dimensions=FRAME)
    found = Output("found", DICT, dimensions=FRAME)


class FindConfig(Behaviour, connections=FindConnections):
    """Configuration of `FindTask`."""


class FindTask(PipelineTask):
    """Adds to what was cleaned."""

    ConfigClass = FindConfig

    def run(self, cleaned: Any) -> Struct:
        return Struct(found={"number": behave(self.config, cleaned["number"])})


class SumConnections(PipelineTaskConnections, dimensions=EXPOSURE):
    found = Input("found", DICT, dimensions=FRAME, multiple=True)
    total = Output("total", DICT, dimensions=EXPOSURE)


class SumConfig(Behaviour, connections=SumConnections):
    """Configuration of `SumTask`."""


class SumTask(PipelineTask):
    """Adds up what was found in an exposure."""

    ConfigClass = SumConfig

    def run(self, found: Any) -> Struct:
        number = behave(self.config, sum(each["number"] for each in found))
        return Struct(total={"number": number, "n": len(found)})


class AllConnections(PipelineTaskConnections, dimensions=()):
    totals = Input("total", DICT, dimensions=EXPOSURE, multiple=True)
    everything = Output("everything", DICT, dimensions=())


class AllConfig(Behaviour, connections=AllConnections):
    """Configuration of `AllTask`."""


class AllTask(PipelineTask):
    """Adds up everything there is, in one quantum without dimensions."""

    ConfigClass = AllConfig

    def run(self, totals: Any) -> Struct:
        number = behave(self.config, sum(each["number"] for each in totals))
        return Struct(everything={"number": number, "n": len(totals)})


class CalibrateConnections(PipelineTaskConnections, dimensions=FRAME):
    raw = Input("raw", DICT, dimensions=FRAME)
    bias = PrerequisiteInput(
        "bias", DICT, dimensions=("instrument", "detector"), is_calibration=True
    )
    calibrated = Output("calibrated", DICT, dimensions=FRAME)


class CalibrateConfig(PipelineTaskConfig, connections=CalibrateConnections):
    """Configuration of `CalibrateTask`."""


class CalibrateTask(PipelineTask):
    """Takes the bias from the counts."""

    ConfigClass = CalibrateConfig

    def run(self, raw: Any, bias: Any) -> Struct:
        return Struct(calibrated={"number": raw["counts"] - bias["level"]})


class SchemaConnections(PipelineTaskConnections, dimensions=FRAME):
    schema = InitOutput("schema", DICT)
    raw = Input("raw", DICT, dimensions=FRAME)
    row = Output("row", DICT, dimensions=FRAME)


class SchemaConfig(Behaviour, connections=SchemaConnections):
    """Configuration of `SchemaTask`."""


class SchemaTask(PipelineTask):
    """Says at its start what its rows are like."""

    ConfigClass = SchemaConfig

    def __init__(self, **keywords: Any) -> None:
        super().__init__(**keywords)
        self.schema = {"add": self.config.add}

    def run(self, raw: Any) -> Struct:
        return Struct(row={"number": behave(self.config, raw["counts"])})


class FillConnections(PipelineTaskConnections, dimensions=FRAME):
    schema = InitInput("schema", DICT)
    raw = Input("raw", DICT, dimensions=FRAME)
    filled = Output("filled", DICT, dimensions=FRAME)


class FillConfig(Behaviour, connections=FillConnections):
    """Configuration of `FillTask`."""


class FillTask(PipelineTask):
    """Heeds what another task said at its start, and reads nothing that it made."""

    ConfigClass = FillConfig

    def run(self, raw: Any) -> Struct:
        return Struct(filled={"number": raw["counts"] + self.init_inputs["schema"]["add"]})
