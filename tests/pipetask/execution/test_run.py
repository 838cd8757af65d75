"""What a run does with what its tasks do."""

from __future__ import annotations

import json
import logging
import os
import signal
from collections.abc import Callable
from typing import Any

import pytest

from butler_core.errors import DatasetExistsError
from butler_core.repository.removal import remove_runs
from pipetask.errors import RunError
from pipetask.execution import RunOptions, RunSummary, run_graph
from pipetask.execution.prepare import prepare_run
from pipetask.execution.quantum_work import QuantumResult
from pipetask.execution.task_rules import TaskRules
from pipetask.execution.watching import NobodyWatching

Outcomes = Callable[[RunSummary], dict[str, dict[str, int]]]
ALL = [10, 11, 20, 21, 30, 31]


class Told(NobodyWatching):
    """Writes down what it is told."""

    def __init__(self) -> None:
        self.events: list[tuple[str, str]] = []

    def started(self, label: str, number: int) -> None:
        self.events += [("started", label)] * number

    def ended(self, result: QuantumResult) -> None:
        self.events.append((result.outcome.value, result.task_label))

    def came_back(self, label: str) -> None:
        self.events.append(("came back", label))

    def blocked(self, label: str) -> None:
        self.events.append(("blocked", label))


def test_outputs_are_datasets_of_the_run(runs: Any, outcomes: Outcomes) -> None:
    summary = runs(runs.pipeline(isr=("IsrTask", {"offset": 100}), gather="GatherTask"))

    assert outcomes(summary) == {"isr": {"succeeded": 6}, "gather": {"succeeded": 3}}
    assert runs.numbers("frame") == {n: {"number": n + 100} for n in ALL}
    assert runs.numbers("total")[20] == {"number": 241, "detectors": [0, 1]}
    assert summary.is_good
    assert summary.n_datasets == 6 + 3 + 2 * 9


def test_metadata_and_logs_are_datasets_like_others(runs: Any) -> None:
    runs(runs.pipeline(isr="IsrTask"))

    metadata = runs.numbers("isr_metadata")
    log = runs.numbers("isr_log")
    assert {n: dict(notes)["number"] for n, notes in metadata.items()} == {n: n for n in ALL}
    assert metadata[10]["quantum"]["elapsed_s"] >= 0
    assert all(
        any(record["message"] == f"working on {n}" for record in records)
        for n, records in log.items()
    )
    assert all(record["MDC"]["LABEL"].startswith("isr:") for record in log[10])


def test_configurations_and_versions_are_kept(runs: Any) -> None:
    runs(runs.pipeline(isr=("IsrTask", {"offset": 7})))

    assert "python" in runs.butler.get("packages", collections="u/1")
    assert runs.butler.get("isr_config", collections="u/1")["offset"] == 7


def test_a_quantum_that_raises_leaves_its_log_and_blocks_what_needs_it(
    runs: Any, outcomes: Outcomes
) -> None:
    summary = runs(
        runs.pipeline(isr=("IsrTask", {"failing": [20]}), split="SplitTask", gather="GatherTask")
    )

    assert outcomes(summary) == {
        "isr": {"succeeded": 5, "failed": 1},
        "split": {"succeeded": 5, "blocked": 1},
        "gather": {"succeeded": 2, "blocked": 1},
    }
    assert set(runs.numbers("frame")) == set(ALL) - {20}
    assert set(runs.numbers("isr_metadata")) == set(ALL) - {20}
    log = runs.numbers("isr_log")
    assert set(log) == set(ALL)
    assert [r["message"] for r in log[20] if r["levelname"] == "WARNING"] == ["about to fail"]
    (failure,) = summary.failures
    assert failure.error == "ValueError: number 20 cannot be"
    record = json.loads(failure.record)
    assert "behave" in record["traceback"]
    assert "WARNING: about to fail" in record["log_tail"]
    assert record["fault"] == "error"
    assert not summary.is_good


def test_what_was_written_before_a_failure_is_removed(runs: Any) -> None:
    runs(runs.pipeline(isr="IsrTask", split=("SplitTask", {"failing": [20]})))

    assert set(runs.numbers("low")) == set(runs.numbers("high")) == set(ALL) - {20}
    assert len([path for path in runs.files("u/1") if path.startswith("low/")]) == 5


def test_no_work_passes_on_as_no_work(runs: Any, outcomes: Outcomes) -> None:
    summary = runs(
        runs.pipeline(
            isr=("IsrTask", {"idle": [20, 30, 31]}), split="SplitTask", gather="GatherTask"
        )
    )

    assert outcomes(summary) == {
        "isr": {"succeeded": 3, "no-work": 3},
        "split": {"succeeded": 3, "no-work": 3},
        "gather": {"succeeded": 2, "no-work": 1},
    }
    assert summary.is_good
    assert runs.numbers("total") == {
        10: {"number": 21, "detectors": [0, 1]},
        20: {"number": 21, "detectors": [1]},
    }
    assert set(runs.numbers("isr_metadata")) == set(ALL)


def test_an_output_of_none_is_not_made(runs: Any, outcomes: Outcomes) -> None:
    summary = runs(runs.pipeline(isr=("IsrTask", {"empty": [10]}), gather="GatherTask"))

    assert outcomes(summary)["isr"] == {"succeeded": 6}
    assert set(runs.numbers("frame")) == set(ALL) - {10}
    assert runs.numbers("total")[10]["detectors"] == [1]


def test_several_outputs_are_written_and_some_may_be_left_out(runs: Any) -> None:
    runs(runs.pipeline(isr="IsrTask", split=("SplitTask", {"empty": [11]})))

    assert set(runs.numbers("low")) == set(ALL) - {11}
    assert runs.numbers("high")[11] == {"number": -11}


def test_what_was_written_before_no_work_was_found_is_kept(runs: Any, outcomes: Outcomes) -> None:
    summary = runs(runs.pipeline(isr="IsrTask", split=("SplitTask", {"idle": [20]})))

    assert outcomes(summary)["split"] == {"succeeded": 5, "no-work": 1}
    assert set(runs.numbers("low")) == set(ALL)
    assert set(runs.numbers("high")) == set(ALL) - {20}


def test_an_output_that_cannot_be_written_fails_its_quantum(runs: Any, outcomes: Outcomes) -> None:
    summary = runs(runs.pipeline(isr=("IsrTask", {"broken": [21]})))

    assert outcomes(summary) == {"isr": {"succeeded": 5, "failed": 1}}
    assert "StorageClassMismatchError" in summary.failures[0].error
    assert len([p for p in runs.files("u/1") if p.startswith("frame/")]) == 5


def test_a_task_that_exits_fails_alone(runs: Any, outcomes: Outcomes) -> None:
    summary = runs(runs.pipeline(isr=("IsrTask", {"exiting": [21]})))

    assert outcomes(summary) == {"isr": {"succeeded": 5, "failed": 1}}
    assert summary.failures[0].error == "SystemExit: 3"


def test_a_task_reads_what_another_noted_and_logged(runs: Any) -> None:
    summary = runs(runs.pipeline(isr=("IsrTask", {"idle": [31]}), notes=("NotesTask", {})))

    assert runs.numbers("summary")[20] == {"numbers": [20, 21], "n_logs": 2}
    assert runs.numbers("summary")[30] == {"numbers": [30], "n_logs": 2}
    assert summary.is_good


def test_components_are_read_at_once_or_later(runs: Any) -> None:
    summary = runs(runs.pipeline(table="TableTask", parts="PartsTask"))

    assert summary.is_good, summary.failures
    assert runs.numbers("parts")[21] == {
        "columns": ["a", "b"], "count": 21, "names": ["b"], "again": 21,
    }  # fmt: skip


def test_init_outputs_reach_the_tasks_that_take_them(runs: Any) -> None:
    runs(runs.pipeline(start="StartTask", use="UseTask"))

    assert runs.butler.get("catalog_schema", collections="u/1") == {
        "columns": ["a", "b"], "offset": 0,
    }  # fmt: skip
    assert runs.numbers("catalog")[21] == {"columns": ["a", "b"], "number": 21}


def test_init_inputs_may_come_from_an_earlier_run(runs: Any) -> None:
    runs(runs.pipeline(start="StartTask"), "u/1")

    runs(runs.pipeline(use="UseTask"), "u/2", request={"input_collections": ("u/1",)})

    assert runs.numbers("catalog", "u/2")[21] == {"columns": ["a", "b"], "number": 21}


def test_a_missing_init_input_is_named(runs: Any) -> None:
    runs(runs.pipeline(isr="IsrTask"), "u/1")

    with pytest.raises(RunError, match="the init input 'catalog_schema' is in none of"):
        runs(runs.pipeline(use="UseTask"), "u/2", request={"input_collections": ("u/1",)})


def test_fail_fast_starts_nothing_after_the_first_failure(runs: Any, outcomes: Outcomes) -> None:
    summary = runs(runs.pipeline(isr=("IsrTask", {"failing": ALL})), is_fail_fast=True)

    assert outcomes(summary) == {"isr": {"failed": 1, "cancelled": 5}}


def test_every_result_is_told(runs: Any) -> None:
    watcher = Told()

    runs(
        runs.pipeline(isr=("IsrTask", {"failing": [20]}), split="SplitTask"),
        watcher=watcher,
        default_rules=TaskRules(retries=1),
    )

    ended = [event for event in watcher.events if event[0] != "started"]
    assert sorted(ended) == sorted(
        [("came back", "isr"), ("failed", "isr"), ("blocked", "split")]
        + [("succeeded", "isr"), ("succeeded", "split")] * 5
    )
    assert watcher.events.count(("started", "isr")) == 7


# ----------------------------------------------------------------------- again
def test_a_run_is_not_made_twice(runs: Any) -> None:
    pipeline = runs.pipeline(isr="IsrTask")
    runs(pipeline)

    with pytest.raises(DatasetExistsError, match="run 'u/1' holds 6 of the 'frame'"):
        runs(pipeline)


def test_a_graph_is_not_run_twice_and_what_it_made_stays(runs: Any) -> None:
    graph, resolved = runs.build(runs.pipeline(isr=("IsrTask", {"offset": 5})), "u/1")
    with graph:
        setup = prepare_run(runs.butler.repository, graph, resolved)
        run_graph(runs.butler.repository, graph, setup, RunOptions())
        watcher = Told()

        with pytest.raises(DatasetExistsError, match=r"run 'u/1' has done quanta.*\(6 isr\)"):
            run_graph(runs.butler.repository, graph, setup, RunOptions(watcher=watcher))

    assert watcher.events == []
    assert len(runs.numbers("isr_log")) == 6


def test_a_run_with_failures_is_completed_by_skipping_what_exists(
    runs: Any, outcomes: Outcomes
) -> None:
    from pipetask.execution.output_collections import clobber

    bad = runs.pipeline(isr=("IsrTask", {"idle": [31]}), split=("SplitTask", {"failing": [20]}),
                        gather="GatherTask")  # fmt: skip
    runs(bad)
    good = runs.pipeline(isr=("IsrTask", {"idle": [31]}), split="SplitTask", gather="GatherTask")

    request = {"skip_existing_in": ("u/1",), "input_collections": ("u/1", "raw/all")}
    graph, resolved = runs.build(good, "u/2", **request)
    with graph:
        setup = prepare_run(runs.butler.repository, graph, resolved)
        assert clobber(runs.butler.repository, graph, only_logs=True) == 0
        summary = run_graph(runs.butler.repository, graph, setup, RunOptions())

    assert outcomes(summary) == {"split": {"succeeded": 1}}
    assert runs.numbers("low", "u/2") == {20: {"number": 20}}


def test_a_run_made_with_another_configuration_is_not_extended(runs: Any) -> None:
    runs(runs.pipeline(isr=("IsrTask", {"failing": [20]})))

    with pytest.raises(RunError, match="run 'u/1' was made with another 'isr_config'"):
        runs(runs.pipeline(isr="IsrTask"), request={"skip_existing_in": ("u/1",)})


def test_a_run_that_is_removed_takes_its_graphs_along(runs: Any) -> None:
    runs(runs.pipeline(isr="IsrTask"), "u/1")
    runs(runs.pipeline(isr="IsrTask"), "u/2")
    root = runs.butler.repository.datastore.root
    assert len(list((root / "u/1/graphs").iterdir())) == 2

    remove_runs(runs.butler.repository, ["u/1"])

    assert not (root / "u/1").exists()
    assert len(list((root / "u/2/graphs").iterdir())) == 2


# ------------------------------------------------------------------ interruption
def test_an_interrupt_lets_what_runs_end_and_cancels_the_rest(
    runs: Any, outcomes: Outcomes, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        summary = runs(runs.pipeline(isr=("IsrTask", {"interrupting": [20]}), gather="GatherTask"))

    counts = outcomes(summary)
    n_made = len(runs.numbers("frame"))
    assert "interrupted" in caplog.text
    assert 0 < n_made < 6
    assert counts["isr"] == {"succeeded": n_made, "cancelled": 6 - n_made}
    assert counts["gather"]["cancelled"] >= 1
    assert len(runs.numbers("isr_log")) == n_made
    assert not summary.is_good


def test_a_second_interrupt_stops_at_once_and_keeps_what_was_made(runs: Any) -> None:
    with pytest.raises(KeyboardInterrupt):
        runs(runs.pipeline(isr=("IsrTask", {"interrupting": [20, 20]}), split=("SplitTask", {})),
             watcher=InterruptsTwice())  # fmt: skip

    assert 0 < len(runs.numbers("frame")) < 6


class InterruptsTwice(NobodyWatching):
    def ended(self, result: QuantumResult) -> None:
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGINT)


def test_interrupts_mean_what_they_did_after_a_run(runs: Any) -> None:
    before = signal.getsignal(signal.SIGINT)

    runs(runs.pipeline(isr="IsrTask"))

    assert signal.getsignal(signal.SIGINT) is before
