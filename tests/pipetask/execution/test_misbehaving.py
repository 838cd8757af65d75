"""Quanta that eat memory, crash, hang, or print without end: each fails alone."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from pipetask.execution import RunSummary
from pipetask.execution.task_rules import TaskRules
from pipetask.provenance.run_folder import RunFolder
from pipetask.report.quantum_states import quantum_states
from pipetask.report.run_report import make_report

Outcomes = Callable[[RunSummary], dict[str, dict[str, int]]]
ALL = [10, 11, 20, 21, 30, 31]


def log_of(runs: Any, number: int) -> str:
    """Return all that the log dataset of a quantum says."""
    return "\n".join(record["message"] for record in runs.numbers("isr_log")[number])


def report_of(runs: Any, run: str = "u/1") -> Any:
    folder = RunFolder.of(runs.butler.repository.datastore.root, run)
    with quantum_states(folder, folder.graph_ids()) as states:
        return make_report(states, run, is_going_on=False)


def test_one_that_eats_memory_fails_at_its_limit(runs: Any, outcomes: Outcomes) -> None:
    summary = runs(
        runs.pipeline(isr=("MisbehavingTask", {"eating": [20]})),
        n_workers=2,
        default_rules=TaskRules(memory_mb=1500),
    )

    assert outcomes(summary) == {"isr": {"succeeded": 5, "failed": 1}}
    (failure,) = summary.failures
    assert "MemoryError" in failure.error
    assert "about to eat" in log_of(runs, 20)
    (cause,) = report_of(runs).causes
    assert (cause.fault, cause.data_id["exposure"]) == ("memory", 2)


def test_one_that_had_too_little_memory_gets_more(runs: Any, outcomes: Outcomes) -> None:
    summary = runs(
        runs.pipeline(isr=("MisbehavingTask", {"eating": [20], "bites": 16})),
        n_workers=2,
        default_rules=TaskRules(memory_mb=900, memory_factor=4.0, retries=1),
    )

    assert outcomes(summary) == {"isr": {"succeeded": 6}}
    assert summary.n_retried == {"isr": 1}


def test_one_that_crashes_is_lost_and_its_log_says_where(runs: Any, outcomes: Outcomes) -> None:
    summary = runs(runs.pipeline(isr=("MisbehavingTask", {"crashing": [20]})), n_workers=2)

    assert outcomes(summary) == {"isr": {"succeeded": 5, "lost": 1}}
    (failure,) = summary.failures
    assert "Segmentation fault" in failure.error
    assert "graph_tasks.py" in log_of(runs, 20)
    assert "before the crash" in log_of(runs, 20)
    (cause,) = report_of(runs).causes
    assert (cause.fault, cause.data_id["exposure"]) == ("death", 2)


def test_one_that_hangs_is_ended_and_its_log_says_where(runs: Any, outcomes: Outcomes) -> None:
    summary = runs(
        runs.pipeline(isr=("MisbehavingTask", {"hanging": [20]})),
        n_workers=2,
        default_rules=TaskRules(timeout_s=2.0),
    )

    assert outcomes(summary) == {"isr": {"succeeded": 5, "failed": 1}}
    (failure,) = summary.failures
    assert failure.error == "it took longer than 2 s (--timeout)"
    assert "in misbehave" in log_of(runs, 20)
    (cause,) = report_of(runs).causes
    assert (cause.fault, cause.data_id["exposure"]) == ("timeout", 2)


def test_one_that_prints_without_end_keeps_the_first_and_the_last(
    runs: Any, outcomes: Outcomes
) -> None:
    summary = runs(runs.pipeline(isr=("MisbehavingTask", {"printing": [20]})), n_workers=2)

    assert outcomes(summary) == {"isr": {"succeeded": 5, "failed": 1}}
    log = log_of(runs, 20)
    assert "line 0 of" in log
    assert "line 999999 of" in log
    assert "left out" in log
    assert len(log) < 300_000
    assert "ValueError: enough printed" in summary.failures[0].error


def test_one_that_logs_without_end_keeps_the_first_and_the_last(runs: Any) -> None:
    runs(runs.pipeline(isr=("MisbehavingTask", {"logging": [20]})), n_workers=2)

    log = log_of(runs, 20)
    assert "record 0 of" in log
    assert "record 49999 of" in log
    assert "records left out here" in log
    assert len(json.dumps(runs.numbers("isr_log")[20])) < 4_000_000


@pytest.mark.parametrize("n_workers", [1, 3])
def test_tasks_take_the_cores_they_are_given(n_workers: int, runs: Any, outcomes: Outcomes) -> None:
    summary = runs(
        runs.pipeline(isr="IsrTask", gather="GatherTask"),
        n_workers=n_workers,
        rules={"isr": TaskRules(cores=2), "gather": TaskRules(max_concurrent=1, memory_mb=500)},
        total_memory_mb=800,
    )

    assert outcomes(summary) == {"isr": {"succeeded": 6}, "gather": {"succeeded": 3}}
