"""Little tasks that do as their configurations say: work, fail, find nothing, die.

Every dataset is a mapping with a ``number``: ten times the exposure, plus the detector.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
import time
import warnings
from pathlib import Path
from typing import Any

from pydantic import Field

from pipetask import (
    InitInput,
    InitOutput,
    Input,
    NoWorkFound,
    Output,
    PipelineTask,
    PipelineTaskConfig,
    PipelineTaskConnections,
    Struct,
)

SC = "StructuredDataDict"
EXPOSURE = ("instrument", "exposure")
FRAME = ("instrument", "exposure", "detector")


class Behaviour(PipelineTaskConfig):
    """Numbers of the quanta in which a task misbehaves."""

    failing: list[int] = Field([], description="Raises.")
    idle: list[int] = Field([], description="Finds no work.")
    empty: list[int] = Field([], description="Returns None for its first output.")
    dying: list[int] = Field([], description="Kills its process.")
    dying_once: str = Field("", description="A file; while it is not there, kills its process.")
    exiting: list[int] = Field([], description="Calls sys.exit.")
    interrupting: list[int] = Field([], description="Sends an interrupt to the parent.")
    broken: list[int] = Field([], description="Returns what cannot be written.")
    sleep_s: float = Field(0.0, description="How long it takes.")
    offset: int = Field(0, description="Added to what it writes.")


def behave(config: Any, number: int, log: logging.Logger) -> None:
    """Do what the configuration says for a number."""
    log.info("working on %d", number)
    time.sleep(config.sleep_s)
    if number in config.failing:
        log.warning("about to fail")
        raise ValueError(f"number {number} cannot be")
    if number in config.idle:
        raise NoWorkFound(f"number {number} is dull")
    if number in config.dying:
        os.kill(os.getpid(), signal.SIGKILL)
    if config.dying_once and not Path(config.dying_once).exists():
        Path(config.dying_once).touch()
        os.kill(os.getpid(), signal.SIGKILL)
    if number in config.exiting:
        sys.exit(3)
    if number in config.interrupting:
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(0.01)


class IsrConnections(PipelineTaskConnections, dimensions=FRAME):
    raw = Input("raw", SC, dimensions=FRAME)
    frame = Output("frame", SC, dimensions=FRAME)


class IsrConfig(Behaviour, pipelineConnections=IsrConnections):
    """Configuration of `IsrTask`."""


class IsrTask(PipelineTask):
    """Copies the number, notes it, warns."""

    ConfigClass = IsrConfig

    def run(self, raw: Any) -> Struct:
        behave(self.config, raw["number"], self.log)
        self.metadata["number"] = raw["number"]
        if raw["number"] in self.config.broken:
            return Struct(frame=object())
        if raw["number"] in self.config.empty:
            return Struct(frame=None)
        return Struct(frame={"number": raw["number"] + self.config.offset})


class SplitConnections(PipelineTaskConnections, dimensions=FRAME):
    frame = Input("frame", SC, dimensions=FRAME)
    low = Output("low", SC, dimensions=FRAME)
    high = Output("high", SC, dimensions=FRAME)


class SplitConfig(Behaviour, pipelineConnections=SplitConnections):
    """Configuration of `SplitTask`."""


class SplitTask(PipelineTask):
    """Writes two datasets; misbehaves between them."""

    ConfigClass = SplitConfig

    def run_quantum(self, context: Any, inputs: Struct, outputs: Struct) -> None:
        number = context.get(inputs.frame)["number"]
        if number not in self.config.empty:
            context.put({"number": number}, outputs.low)
        behave(self.config, number, self.log)
        context.put({"number": -number}, outputs.high)


class GatherConnections(PipelineTaskConnections, dimensions=EXPOSURE):
    frames = Input("frame", SC, dimensions=FRAME, multiple=True, deferLoad=True)
    total = Output("total", SC, dimensions=EXPOSURE)


class GatherConfig(Behaviour, pipelineConnections=GatherConnections):
    """Configuration of `GatherTask`."""


class GatherTask(PipelineTask):
    """Adds up the frames of an exposure."""

    ConfigClass = GatherConfig

    def run(self, frames: Any) -> Struct:
        numbers = [handle.get()["number"] for handle in frames]
        detectors = [handle.data_id["detector"] for handle in frames]
        behave(self.config, sum(numbers), self.log)
        return Struct(total={"number": sum(numbers), "detectors": detectors})


class NotesConnections(PipelineTaskConnections, dimensions=EXPOSURE):
    notes = Input("isr_metadata", "TaskMetadata", dimensions=FRAME, multiple=True)
    logs = Input("isr_log", "ButlerLogRecords", dimensions=FRAME, multiple=True)
    summary = Output("summary", SC, dimensions=EXPOSURE)


class NotesConfig(Behaviour, pipelineConnections=NotesConnections):
    """Configuration of `NotesTask`."""


class NotesTask(PipelineTask):
    """Reads what another task noted and logged."""

    ConfigClass = NotesConfig

    def run(self, notes: Any, logs: Any) -> Struct:
        numbers = sorted(dict(note)["number"] for note in notes if "number" in dict(note))
        return Struct(summary={"numbers": numbers, "n_logs": len(logs)})


class StartConnections(PipelineTaskConnections, dimensions=FRAME):
    schema_out = InitOutput("catalog_schema", SC)
    raw = Input("raw", SC, dimensions=FRAME)
    frame = Output("frame", SC, dimensions=FRAME)


class StartConfig(Behaviour, pipelineConnections=StartConnections):
    """Configuration of `StartTask`."""


class StartTask(PipelineTask):
    """Makes a schema when it is constructed."""

    ConfigClass = StartConfig

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.schema_out = {"columns": ["a", "b"], "offset": self.config.offset}

    def run(self, raw: Any) -> Struct:
        return Struct(frame={"number": raw["number"]})


class UseConnections(PipelineTaskConnections, dimensions=FRAME):
    schema_in = InitInput("catalog_schema", SC)
    frame = Input("frame", SC, dimensions=FRAME)
    catalog = Output("catalog", SC, dimensions=FRAME)


class UseConfig(Behaviour, pipelineConnections=UseConnections):
    """Configuration of `UseTask`."""


class UseTask(PipelineTask):
    """Uses the schema that another task made."""

    ConfigClass = UseConfig

    def run(self, frame: Any) -> Struct:
        return Struct(catalog={"columns": self.init_inputs["schema_in"]["columns"], **frame})


class WarnConnections(PipelineTaskConnections, dimensions=FRAME):
    raw = Input("raw", SC, dimensions=FRAME)
    frame = Output("frame", SC, dimensions=FRAME)


class WarnConfig(Behaviour, pipelineConnections=WarnConnections):
    """Configuration of `WarnTask`."""


class WarnTask(PipelineTask):
    """Warns, and logs slowly."""

    ConfigClass = WarnConfig

    def run(self, raw: Any) -> Struct:
        for step in range(5):
            self.log.info("step %d of %d", step, raw["number"])
            time.sleep(0.005 * (1 + raw["number"] % 3))
        with warnings.catch_warnings():
            warnings.simplefilter("always")
            warnings.warn(f"number {raw['number']} is odd", stacklevel=1)
        return Struct(frame={"number": raw["number"]})


class TableConnections(PipelineTaskConnections, dimensions=FRAME):
    raw = Input("raw", SC, dimensions=FRAME)
    catalog = Output("catalog", "ArrowAstropy", dimensions=FRAME)


class TableConfig(PipelineTaskConfig, pipelineConnections=TableConnections):
    """Configuration of `TableTask`."""


class TableTask(PipelineTask):
    """Writes a table with as many rows as its number."""

    ConfigClass = TableConfig

    def run(self, raw: Any) -> Struct:
        from astropy.table import Table

        numbers = list(range(raw["number"]))
        return Struct(catalog=Table({"a": numbers, "b": [-n for n in numbers]}))


class PartsConnections(PipelineTaskConnections, dimensions=FRAME):
    columns = Input("catalog.columns", "ArrowColumnList", dimensions=FRAME)
    count = Input("catalog.rowcount", "int", dimensions=FRAME, deferLoad=True)
    table = Input("catalog", "ArrowAstropy", dimensions=FRAME, deferLoad=True)
    parts = Output("parts", SC, dimensions=FRAME)


class PartsConfig(PipelineTaskConfig, pipelineConnections=PartsConnections):
    """Configuration of `PartsTask`."""


class PartsTask(PipelineTask):
    """Reads components, now and later, and one column of the table."""

    ConfigClass = PartsConfig

    def run(self, columns: Any, count: Any, table: Any) -> Struct:
        one = table.get(parameters={"columns": ["b"]})
        found = {"columns": list(columns), "count": int(count.get()), "names": list(one.colnames)}
        found["again"] = int(table.get(component="rowcount"))
        return Struct(parts=found)


class MisbehavingConfig(PipelineTaskConfig, pipelineConnections=IsrConnections):
    """Numbers of the quanta in which `MisbehavingTask` misbehaves."""

    eating: list[int] = Field([], description="Takes memory, bite after bite.")
    bites: int = Field(1000, description="How many bites of 50 MB it takes.")
    crashing: list[int] = Field([], description="Reads where nothing is.")
    hanging: list[int] = Field([], description="Waits for ever.")
    printing: list[int] = Field([], description="Prints 100 MB, and fails.")
    logging: list[int] = Field([], description="Logs 50,000 records.")


def misbehave(config: Any, number: int, log: logging.Logger) -> None:
    """Do what the configuration says for a number."""
    if number in config.eating:
        log.info("about to eat")
        eaten = [bytearray(50_000_000) for _ in range(config.bites)]
        log.info("%d bites", len(eaten))
    if number in config.crashing:
        import ctypes

        print("before the crash", flush=True)
        ctypes.string_at(0)
    while number in config.hanging:
        time.sleep(0.1)
    if number in config.printing:
        for i in range(1_000_000):
            print(f"line {i} of what nobody will ever read, {'x' * 60}")
        raise ValueError("enough printed")
    if number in config.logging:
        for i in range(50_000):
            log.info("record %d of what nobody will ever read", i)


class MisbehavingTask(PipelineTask):
    """Copies the number, or does not."""

    ConfigClass = MisbehavingConfig

    def run(self, raw: Any) -> Struct:
        misbehave(self.config, raw["number"], self.log)
        return Struct(frame={"number": raw["number"]})
