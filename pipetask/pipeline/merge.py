"""How a pipeline and those it imports become one.

The importing pipeline has the last word; two imported ones may not contradict
each other. Reads no file.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, TypeVar

from butler_core.errors import near_misses
from pipetask.pipeline.definition import LabeledSubset, PipelineData, Step, TaskDefinition

_DataT = TypeVar("_DataT", bound=PipelineData)


def merge(own: _DataT, imported: Sequence[PipelineData]) -> tuple[_DataT, list[str]]:
    """Put imported pipelines under a pipeline.

    Parameters
    ----------
    own
        The importing pipeline.
    imported
        The others, in the order of their import.

    Returns
    -------
    merged
        The whole. Tasks are in the order of the imports, then the pipeline's
        own; a task that both have keeps its place, and its configuration goes
        on from the imported one if the class is the same.
    problems : list of str
        What contradicts what; empty if nothing does.
    """
    problems: list[str] = []
    tasks: dict[str, TaskDefinition] = {}
    subsets: dict[str, LabeledSubset] = {}
    steps: dict[str, Step] = {}
    parameters: dict[str, Any] = {}
    instrument, contracts = own.instrument, list(own.contracts)
    for other in imported:
        problems += _contradictions(instrument, tasks, subsets, other)
        instrument = instrument or other.instrument
        tasks.update(other.tasks)
        subsets.update(other.subsets)
        parameters.update(other.parameters)
        contracts += other.contracts
        problems += _add_steps(steps, other.steps)
    problems += _add_steps(steps, own.steps)
    problems += [
        f"the imported subset {label!r} has the label of a task; rename the task"
        for label in subsets
        if label in own.tasks
    ]
    for label, task in own.tasks.items():
        tasks[label] = _on_top_of(tasks.get(label), task)
    merged = replace(
        own,
        tasks=tasks,
        instrument=instrument,
        parameters={**parameters, **own.parameters},
        subsets={**subsets, **own.subsets},
        steps=tuple(steps.values()),
        contracts=tuple(contracts),
    )
    return merged, problems


def structure_faults(data: PipelineData) -> list[str]:
    """Say what in a whole pipeline names what is not there.

    Parameters
    ----------
    data
        The pipeline, with nothing left to import.

    Returns
    -------
    list of str
        One sentence per fault.
    """
    faults = []
    for label, subset in data.subsets.items():
        if label in data.tasks:
            faults.append(f"the subset {label!r} has the label of a task; rename one of them")
        faults += [
            f"the subset {label!r} names {task!r}, which is no task.{near_misses(task, data.tasks)}"
            for task in subset.tasks
            if task not in data.tasks
        ]
    faults += [
        f"the step {step.label!r} is no subset.{near_misses(step.label, data.subsets)}"
        for step in data.steps
        if step.label not in data.subsets
    ]
    return faults + _add_steps({}, data.steps)


def _contradictions(
    instrument: str | None,
    tasks: dict[str, TaskDefinition],
    subsets: dict[str, LabeledSubset],
    other: PipelineData,
) -> list[str]:
    """Say where an imported pipeline contradicts what came before it."""
    problems = []
    if instrument and other.instrument and instrument != other.instrument:
        problems.append(
            f"a pipeline has one instrument; this has {instrument!r} and imports "
            f"{other.instrument!r}"
        )
    problems += [
        f"the task {label!r} is imported twice; exclude it from one of the imports"
        for label in other.tasks
        if label in tasks
    ]
    problems += [
        f"the subset {label!r} is imported twice; exclude it from one of the imports"
        for label in other.subsets
        if label in subsets
    ]
    mixed = (other.subsets.keys() & tasks.keys()) | (subsets.keys() & other.tasks.keys())
    return problems + [
        f"{label!r} is imported both as a task and as a subset" for label in sorted(mixed)
    ]


def _add_steps(steps: dict[str, Step], more: Sequence[Step]) -> list[str]:
    """Add steps by label; say which are there already with other dimensions."""
    counts = Counter(step.label for step in more)
    problems = [
        f"the step {label!r} is declared more than once" for label, n in counts.items() if n > 1
    ]
    for step in more:
        known = steps.setdefault(step.label, step)
        if known.dimensions != step.dimensions:
            problems.append(
                f"the step {step.label!r} has the dimensions {list(known.dimensions)} in one "
                f"place and {list(step.dimensions)} in another"
            )
    return problems


def _on_top_of(imported: TaskDefinition | None, own: TaskDefinition) -> TaskDefinition:
    """Put a task's own configuration after the imported one of the same class."""
    if imported is None or imported.class_name != own.class_name:
        return own
    for block in own.config:
        imported = imported.with_config(block)
    return imported
