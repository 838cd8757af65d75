"""Runs our quantum graphs."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import run_commands
from actor import Setting, program
from clock import time_program

from ours.repositories import place_of
from pipetask.execution.schedule import Schedule
from pipetask.quantum_graph.graph import QuantumGraph


def by_command(
    setting: Setting, *, few: int, many: int, n_workers: int = 1, engine: str = ""
) -> dict[str, Any]:
    """Run trivial quanta by command line; return what one more costs."""
    options = ("-j", str(n_workers), *(("--engine", engine) if engine else ()))
    place = place_of(setting, "repository")
    return run_commands.marginal(setting, place, few=few, many=many, options=options)


def quantum_backed(setting: Setting, *, few: int, many: int) -> dict[str, Any]:
    """Run the same without a registry."""
    return run_commands.marginal(
        setting, place_of(setting, "repository"), few=few, many=many, command=("run-qbb",),
        graph_options=("--qgraph-datastore-records",),
    )  # fmt: skip


def gathered(setting: Setting, *, n_exposures: int, n_workers: int) -> dict[str, Any]:
    """Run many quanta that few gather, by command line.

    Returns
    -------
    dict
        Besides the usual: ``schedule_us``, what the schedule alone takes of a quantum.
    """
    place = place_of(setting, "repository")
    graph = run_commands.build(setting, place, "gather", n_exposures)
    words = ["run", "-b", str(place), "-g", str(graph), "-j", str(n_workers)]
    taken = time_program([program("pipetask"), *words, "--register-dataset-types"], setting.folder)
    with QuantumGraph.open(graph) as read:
        n = len(read)
    return taken.facts(n=n, n_quanta=n, schedule_us=_scheduled_us(graph))


def _scheduled_us(path: Path) -> float:
    """Take a graph's quanta from its schedule and give them back; return the time of one [us]."""
    with QuantumGraph.open(path) as graph:
        tasks, dependencies = graph.task_numbers(), graph.dependencies()
    begin = time.perf_counter()
    schedule = Schedule(tasks, *dependencies)
    while start := schedule.take(64):
        for number in start.quanta:
            schedule.finish(number)
    return 1e6 * (time.perf_counter() - begin) / len(schedule)
