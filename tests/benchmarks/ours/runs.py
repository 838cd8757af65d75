"""Runs our quantum graphs."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import run_commands
from actor import Setting
from clock import clock

from ours.repositories import place_of
from pipetask.cli.pipetask_program import pipetask
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
    """Run many quanta that few gather, with this process as the parent of the workers.

    Returns
    -------
    dict
        Besides the usual: ``schedule_us``, what the schedule alone takes of a quantum, and
        ``parent_us``, processor time of the whole parent for each: journal, rows and all.
    """
    place = place_of(setting, "repository")
    graph = run_commands.build(setting, place, "gather", n_exposures)
    schedule_us = _scheduled_us(graph)
    words = ["run", "-b", str(place), "-g", str(graph), "-j", str(n_workers)]
    used_s = time.process_time()
    with clock() as taken:
        pipetask([*words, "--register-dataset-types"], standalone_mode=False)
    used_s = time.process_time() - used_s
    with QuantumGraph.open(graph) as read:
        n = len(read)
    return taken.facts(
        n=n, n_quanta=n, schedule_us=schedule_us, parent_us=1e6 * used_s / n,
        ms_each=1000 * taken.seconds / n,
    )  # fmt: skip


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
