"""The same graph in this thread, in threads and in processes; workers that die."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pipetask.errors import RunError
from pipetask.execution import RunSummary
from pipetask.execution.task_rules import TaskRules

Outcomes = Callable[[RunSummary], dict[str, dict[str, int]]]
ALL = [10, 11, 20, 21, 30, 31]


def test_every_engine_writes_the_same_bytes(require_same_results: Callable[..., None]) -> None:
    require_same_results(
        serial={}, threads={"n_workers": 3, "engine": "threads"}, processes={"n_workers": 2}
    )


def test_a_worker_that_is_killed_loses_its_quantum_only(
    runs: Any, outcomes: Outcomes, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        summary = runs(
            runs.pipeline(isr=("IsrTask", {"dying": [20], "sleep_s": 0.01}), gather="GatherTask"),
            n_workers=2,
        )

    assert outcomes(summary) == {
        "isr": {"succeeded": 5, "lost": 1},
        "gather": {"succeeded": 2, "blocked": 1},
    }
    assert set(runs.numbers("frame")) == set(ALL) - {20}
    (failure,) = summary.failures
    assert "its worker process died" in failure.error
    assert (
        "isr {'instrument': 'Cam', 'detector': 0, 'exposure': 2} failed and is tried" in caplog.text
    )


def test_a_quantum_whose_worker_died_once_is_run_again(
    runs: Any, outcomes: Outcomes, tmp_path: Path
) -> None:
    mark = tmp_path / "died"

    summary = runs(runs.pipeline(isr=("IsrTask", {"dying_once": str(mark)})), n_workers=2)

    assert mark.exists()
    assert outcomes(summary) == {"isr": {"succeeded": 6}}
    assert runs.numbers("frame") == {n: {"number": n} for n in ALL}


def test_a_task_that_exits_its_process_fails_alone(runs: Any, outcomes: Outcomes) -> None:
    summary = runs(runs.pipeline(isr=("IsrTask", {"exiting": [20]})), n_workers=2)

    assert outcomes(summary) == {"isr": {"succeeded": 5, "failed": 1}}


def test_a_quantum_that_takes_too_long_is_ended(runs: Any, outcomes: Outcomes) -> None:
    slow = runs.pipeline(isr=("IsrTask", {"sleep_s": 30.0}))
    begin = time.monotonic()

    summary = runs(
        slow, n_workers=2, default_rules=TaskRules(timeout_s=0.3), request={"where": "exposure = 1"}
    )

    assert outcomes(summary) == {"isr": {"failed": 2}}
    assert "longer than 0.3 s" in summary.failures[0].error
    assert time.monotonic() - begin < 25.0


def test_threads_keep_their_logs_apart_and_leave_the_levels_as_they_were(runs: Any) -> None:
    root = logging.getLogger()
    before = (root.level, list(root.handlers), logging._warnings_showwarning)

    runs(runs.pipeline(warn="WarnTask"), n_workers=4, engine="threads")

    assert (root.level, list(root.handlers), logging._warnings_showwarning) == before
    for number, log in runs.numbers("warn_log").items():
        messages = [record["message"] for record in log]
        assert messages[:5] == [f"step {i} of {number}" for i in range(5)]
        assert f"number {number} is odd" in messages[5]
        assert len(messages) == 6


def test_threads_measure_no_memory(runs: Any) -> None:
    summary = runs(runs.pipeline(isr="IsrTask"), n_workers=2, engine="threads")

    assert summary.peak_memory_mib == {}
    assert runs.numbers("isr_metadata")[10]["quantum"]["peak_memory_mib"] is None


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"n_workers": 0}, "must be at least 1, not 0"),
        (
            {"engine": "thread"},
            "no engine 'thread'; there are serial, threads.*Did you mean 'threads'",
        ),
    ],
)
def test_wrong_options_are_refused_before_anything_runs(
    options: dict[str, Any], said: str, runs: Any
) -> None:
    with pytest.raises(RunError, match=said):
        runs(runs.pipeline(isr="IsrTask"), **options)

    assert runs.numbers("frame") == {}
