"""Pipelines and conditions as plain data, random ones too, and our tasks made of them.

A specification names no program's classes, so that two programs can be given the same.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

STORAGE_CLASS = "StructuredDataDict"
INSTRUMENT = ("instrument",)
PATCH = ("skymap", "tract", "patch")
#: Units of work, and of data, by a short name.
UNITS = {
    "I": INSTRUMENT,
    "E": ("instrument", "exposure"),
    "D": ("instrument", "detector"),
    "F": ("instrument", "physical_filter"),
    "ED": ("instrument", "exposure", "detector"),
    "V": ("instrument", "visit"),
    "VD": ("instrument", "visit", "detector"),
    "DF": ("instrument", "detector", "physical_filter"),
    "T": ("skymap", "tract"),
    "P": PATCH,
    "PV": (*PATCH, "instrument", "visit"),
    "PB": (*PATCH, "band"),
}


@dataclass(frozen=True)
class Connection:
    """A connection of a task."""

    name: str
    dimensions: tuple[str, ...]
    multiple: bool = True
    minimum: int = 1
    is_calibration: bool = False
    lookup: Callable[..., Any] | None = None
    storage_class: str = STORAGE_CLASS


@dataclass(frozen=True)
class Task:
    """A task."""

    label: str
    dimensions: tuple[str, ...]
    inputs: Mapping[str, Connection] = field(default_factory=dict)
    prerequisites: Mapping[str, Connection] = field(default_factory=dict)
    outputs: Mapping[str, Connection] = field(default_factory=dict)


def simple(label: str, unit: str, reads: Iterable[str], writes: str | None = None) -> Task:
    """Return a task from strings such as ``"raw:ED"``; every input may come several times."""
    inputs = [read.split(":") for read in reads]
    name, _, out = (writes or f"{label}Out").partition(":")
    return Task(
        label,
        UNITS[unit],
        {f"in{i}": Connection(n, UNITS[u]) for i, (n, u) in enumerate(inputs)},
        outputs={"out": Connection(name, UNITS[out or unit], multiple=bool(out and out != unit))},
    )


def random_pipeline(seed: object) -> list[Task]:
    """Return one to four tasks that begin with ``raw``."""
    chosen = random.Random(repr(seed))
    known: list[Connection] = [Connection("raw", UNITS["ED"])]
    overall = {"flat": "DF", "template": "PB", "summary": "V"}
    tasks = []
    for i in range(chosen.randint(1, 4)):
        unit = chosen.choice(list(UNITS))
        inputs = {"main": known[-1] if chosen.random() < 0.7 else chosen.choice(known)}
        if chosen.random() < 0.4:
            inputs["other"] = chosen.choice(known)
        if chosen.random() < 0.25:
            name = chosen.choice(list(overall))
            minimum = chosen.choice([0, 1])
            inputs["more"] = Connection(name, UNITS[overall[name]], minimum=minimum)
        wider = [u for u, names in UNITS.items() if set(UNITS[unit]) <= set(names)]
        out = chosen.choice([unit, unit, chosen.choice(wider)])
        output = Connection(f"out{i}", UNITS[out], multiple=out != unit)
        tasks.append(Task(f"task{i}", UNITS[unit], inputs, outputs={"out": output}))
        known.append(Connection(output.name, output.dimensions))
    return tasks


# -------------------------------------------------------------------- conditions
@dataclass(frozen=True)
class Condition:
    """An expression, and the same as a function of a row and of records found by element."""

    text: str
    holds: Callable[[Mapping[str, Any], Callable[[str], Mapping[str, Any]]], bool]
    #: Names of the dimensions it looks at.
    dimensions: frozenset[str] = frozenset()


def _atoms(chosen: random.Random) -> dict[str, Condition]:
    """Return one random condition by the dimension it needs."""
    n, low, text = chosen.randint(0, 3), chosen.randint(1, 3), chosen.choice(["g1", "r1"])
    raft, target = chosen.choice(["R0", "R1"]), f"field{n % 3}"
    return {
        "detector": chosen.choice([
            Condition(f"detector != {n}", lambda row, _: row["detector"] != n),
            Condition(f"detector.raft = '{raft}'", lambda row, of: of("detector")["raft"] == raft),
        ]),
        "exposure": chosen.choice([
            Condition(f"exposure IN ({low}..5:2, 2)", lambda row, _: row["exposure"] in {*range(low, 6, 2), 2}),
            Condition(f"exposure.seq_num + 1 > {n}", lambda row, of: of("exposure")["seq_num"] + 1 > n),
            Condition("exposure.has_simulated", lambda row, of: of("exposure")["has_simulated"]),
            Condition("exposure.exposure_time / 2 < 15", lambda row, of: of("exposure")["exposure_time"] / 2 < 15),
        ]),
        "visit": chosen.choice([
            Condition(f"visit > {101 + n}", lambda row, _: row["visit"] > 101 + n),
            Condition(f"visit.target_name = '{target}'", lambda row, of: of("visit")["target_name"] == target),
            Condition("GLOB(visit.name, 'Cam_V10[24]')", lambda row, of: False),
        ]),
        "physical_filter": Condition(f"physical_filter = '{text}'", lambda row, _: row["physical_filter"] == text),
        "band": Condition("band = 'g'", lambda row, _: row["band"] == "g"),
        "patch": Condition(f"patch.cell_x = {n % 2}", lambda row, of: of("patch")["cell_x"] == n % 2),
        "tract": Condition(f"tract = {n % 2}", lambda row, _: row["tract"] == n % 2),
    }  # fmt: skip


def random_condition(seed: object, dimensions: Iterable[str], depth: int = 2) -> Condition:
    """Return a condition on some dimensions, with AND, OR and NOT."""
    chosen = random.Random(repr(seed))
    return _condition(chosen, set(dimensions), depth)


def _condition(chosen: random.Random, dimensions: set[str], depth: int) -> Condition:
    if depth and chosen.random() < 0.6:
        one, other = (_condition(chosen, dimensions, depth - 1) for _ in range(2))
        word, both = chosen.choice([("AND", all), ("OR", any)])
        return Condition(
            f"({one.text} {word} {other.text})",
            lambda row, of: both([one.holds(row, of), other.holds(row, of)]),
            one.dimensions | other.dimensions,
        )
    usable = [
        replace(atom, dimensions=frozenset({name}))
        for name, atom in _atoms(chosen).items()
        if name in dimensions
    ]
    atom = chosen.choice(usable) if usable else Condition("1 = 1", lambda row, of: True)
    if chosen.random() < 0.25:
        return Condition(
            f"NOT ({atom.text})", lambda row, of: not atom.holds(row, of), atom.dimensions
        )
    return atom


# -------------------------------------------------------------------- our tasks
def make_pipeline(tasks: Iterable[Task]) -> Any:
    """Return our pipeline of some tasks, whose classes go into a module of their own."""
    from pipetask import Pipeline

    pipeline = Pipeline("made of specifications")
    for task in tasks:
        name = f"Task{abs(hash((task.label, repr(task))))}"
        setattr(sys.modules[__name__], name, _task_class(name, task))
        pipeline = pipeline.add_task(task.label, f"{__name__}.{name}")
    return pipeline


def _task_class(name: str, task: Task) -> type:
    from pipetask import (
        Input,
        Output,
        PipelineTask,
        PipelineTaskConfig,
        PipelineTaskConnections,
        PrerequisiteInput,
    )

    body: dict[str, Any] = {"__module__": __name__}
    for key, c in task.inputs.items():
        body[key] = Input(
            c.name, c.storage_class, dimensions=c.dimensions, multiple=c.multiple,
            minimum=c.minimum,
        )  # fmt: skip
    for key, c in task.prerequisites.items():
        body[key] = PrerequisiteInput(
            c.name, c.storage_class, dimensions=c.dimensions, multiple=c.multiple, minimum=c.minimum,
            is_calibration=c.is_calibration, lookup_function=c.lookup,
        )  # fmt: skip
    for key, c in task.outputs.items():
        body[key] = Output(c.name, c.storage_class, dimensions=c.dimensions, multiple=c.multiple)
    connections = type(PipelineTaskConnections)(
        f"{name}Connections", (PipelineTaskConnections,), body, dimensions=task.dimensions
    )
    config = type(PipelineTaskConfig)(
        f"{name}Config", (PipelineTaskConfig,), {"__module__": __name__}, connections=connections
    )
    return type(name, (PipelineTask,), {"__module__": __name__, "ConfigClass": config})
