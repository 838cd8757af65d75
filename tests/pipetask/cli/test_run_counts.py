"""The live view: what is counted, what is shown of it, and what Prometheus is told."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from hypothesis import given
from hypothesis import strategies as st

from pipetask.cli import run_progress
from pipetask.cli.metrics_file import MetricsFile
from pipetask.cli.run_counts import RunCounts
from pipetask.execution.quantum_work import Fault, Outcome, QuantumResult

Run = Callable[..., Result]


def ended(label: str, outcome: Outcome, peak_mib: float | None = None) -> QuantumResult:
    is_bad = outcome in (Outcome.FAILED, Outcome.LOST)
    fault = Fault.ERROR if is_bad else None
    return QuantumResult(0, label, {}, outcome, {}, fault, peak_memory_mib=peak_mib)


def fill(counts: RunCounts) -> None:
    """Have some quanta of two tasks start, end, come back and be blocked."""
    counts.started("isr", 5)
    counts.ended(ended("isr", Outcome.SUCCEEDED, 100.5))
    counts.ended(ended("isr", Outcome.NO_WORK, 50.0))
    counts.ended(ended("isr", Outcome.FAILED))
    counts.ended(ended("isr", Outcome.LOST))
    counts.blocked("sum")


# ---------------------------------------------------------------------- counts
def test_each_quantum_stands_somewhere() -> None:
    counts = RunCounts({"isr": 8, "sum": 2})

    fill(counts)

    isr, total = counts.tasks["isr"], counts.tasks["sum"]
    assert (isr.n_running, isr.n_succeeded, isr.n_without_work, isr.n_failed) == (1, 1, 1, 2)
    assert (isr.n_ended, isr.peak_memory_mib, total.n_blocked) == (4, 100.5, 1)


def test_a_quantum_that_came_back_does_not_run() -> None:
    counts = RunCounts({"isr": 2})

    counts.started("isr", 2)
    counts.came_back("isr")

    assert (counts.tasks["isr"].n_running, counts.tasks["isr"].n_ended) == (1, 0)


def test_a_task_is_active_from_its_first_quantum_to_its_last() -> None:
    counts = RunCounts({"isr": 2})
    task = counts.tasks["isr"]

    seen = [task.is_active]
    counts.started("isr", 1)
    seen.append(task.is_active)
    counts.ended(ended("isr", Outcome.SUCCEEDED))
    seen.append(task.is_active)
    counts.blocked("isr")
    seen.append(task.is_active)

    assert seen == [False, True, True, False]


def test_the_rest_takes_as_long_as_what_is_done_did(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: clock[0])
    counts = RunCounts({"isr": 10})
    task = counts.tasks["isr"]
    assert (task.rate, task.seconds_left) == (0.0, None)

    counts.started("isr", 1)
    clock[0] += 4
    assert task.seconds_left is None
    counts.ended(ended("isr", Outcome.SUCCEEDED))
    counts.ended(ended("isr", Outcome.FAILED))
    counts.blocked("isr")

    assert (task.rate, task.seconds_left) == (0.5, 14.0)


def test_listeners_hear_of_every_change() -> None:
    counts = RunCounts({"isr": 8, "sum": 2})
    heard: list[int] = []
    counts.listen(lambda: heard.append(1))

    fill(counts)

    assert len(heard) == 6


# --------------------------------------------------------------------- metrics
#: A sample as the text exposition format has it, with two labels or three.
SAMPLE = re.compile(r'(\w+)\{((?:\w+="(?:[^"\\\n]|\\["\\n])*",?)+)\} (-?\d+)')
LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')


def samples(text: str) -> dict[tuple[str, ...], int]:
    """Read the format: values by metric, and values of labels, which are unescaped."""
    assert text.endswith("\n")
    found = {}
    for line in text.splitlines():
        if line.startswith("#"):
            assert re.match(r"# (HELP|TYPE) \w+ .+", line)
            continue
        match = SAMPLE.fullmatch(line)
        assert match, line
        values = [_unescaped(value) for _, value in LABEL.findall(match[2])]
        assert (match[1], *values) not in found
        found[match[1], *values] = int(match[3])
    return found


def _unescaped(value: str) -> str:
    return re.sub(r"\\(.)", lambda m: {"n": "\n"}.get(m[1], m[1]), value)


def test_the_file_has_all_counts(tmp_path: Path) -> None:
    counts = RunCounts({"isr": 8, "sum": 2})
    fill(counts)

    MetricsFile(tmp_path / "m.prom", "u/run", counts).write()

    found = samples((tmp_path / "m.prom").read_text())
    states = {"waiting": 3, "running": 1, "succeeded": 1, "no-work": 1, "failed": 2, "blocked": 0}
    for state, number in states.items():
        assert found["pipetask_quanta", "u/run", "isr", state] == number
    assert found["pipetask_quanta", "u/run", "sum", "waiting"] == 1
    assert found["pipetask_peak_memory_bytes", "u/run", "isr"] == int(100.5 * 2**20)
    assert [path.name for path in tmp_path.iterdir()] == ["m.prom"]


@given(
    st.text(
        st.characters(
            exclude_categories=["Cs"], exclude_characters="\r\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029"
        )
    )
)
def test_names_are_escaped(run: str) -> None:
    lines = MetricsFile(Path("m"), run, RunCounts({"isr": 1}))._lines()

    found = samples("\n".join(lines) + "\n")

    assert ("pipetask_quanta", run, "isr", "waiting") in found


def test_the_file_is_written_now_and_then(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: clock[0])
    counts = RunCounts({"isr": 3})
    metrics = MetricsFile(tmp_path / "m.prom", "r", counts)
    counts.listen(metrics.write_now_and_then)

    def running() -> int:
        return samples((tmp_path / "m.prom").read_text())["pipetask_quanta", "r", "isr", "running"]

    counts.started("isr", 1)
    first = running()
    counts.started("isr", 1)
    soon = running()
    clock[0] += 6
    counts.started("isr", 1)

    assert (first, soon, running()) == (1, 1, 3)


def test_a_file_that_cannot_be_written_stops_no_run(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    metrics = MetricsFile(tmp_path / "gone" / "m.prom", "r", RunCounts({"isr": 3}))

    metrics.write()
    metrics.write()

    assert caplog.text.count("cannot write the counts to") == 1
    assert not (tmp_path / "gone").exists()


# -------------------------------------------------------------------- the whole
@pytest.fixture
def typed(repo: Path, pipeline: Path, tmp_path: Path) -> list[Any]:
    """Return a command that keeps counts."""
    common = ["-i", "Cam/raw/all", "-o", "out", "--output-run", "out/1"]
    metrics = ["--metrics", tmp_path / "m.prom"]
    return ["run", "-b", repo, "-p", pipeline, *common, "--register-dataset-types", *metrics]


def by_task(path: Path) -> dict[tuple[str, str], int]:
    found = samples(path.read_text())
    return {
        (name[2], name[3]): number
        for name, number in found.items()
        if name[0] == "pipetask_quanta" and number
    }


@pytest.mark.parametrize("engine", [[], ["-j", "2"]])
def test_in_the_end_the_file_says_what_became_of_all(
    run: Run, typed: list[Any], tmp_path: Path, engine: list[str]
) -> None:
    result = run(*typed, *engine, "--retries", "1", "-c", "measure:fails_for=[2]")

    assert result.exit_code == 1
    assert by_task(tmp_path / "m.prom") == {
        ("measure", "succeeded"): 2, ("measure", "failed"): 2,
        ("merge", "succeeded"): 1, ("merge", "blocked"): 1,
    }  # fmt: skip


def test_a_worker_that_dies_is_counted_once(run: Run, typed: list[Any], tmp_path: Path) -> None:
    result = run(*typed, "-j", "2", "-c", "measure:dies_for=[2]", "-d", "detector=0")

    assert result.exit_code == 1
    assert by_task(tmp_path / "m.prom") == {
        ("measure", "succeeded"): 1, ("measure", "failed"): 1,
        ("merge", "succeeded"): 1, ("merge", "blocked"): 1,
    }  # fmt: skip


def test_only_what_is_to_run_is_counted(
    run: Run, repo: Path, typed: list[Any], tmp_path: Path
) -> None:
    assert run(*typed, "-c", "measure:fails_for=[2]").exit_code == 1

    again = run("run", "-b", repo, "-o", "out", "--retry-failed", "--metrics", tmp_path / "m.prom")

    assert again.exit_code == 1
    assert by_task(tmp_path / "m.prom") == {("measure", "failed"): 2, ("merge", "blocked"): 1}


def test_where_there_is_no_terminal_lines_are_logged(
    run: Run,
    typed: list[Any],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(run_progress, "_LINE_S", 0.0)
    caplog.set_level(logging.INFO, logger="pipetask")

    assert run(*typed, "-c", "measure:fails_for=[2]").exit_code == 1

    said = [r.getMessage() for r in caplog.records if r.name == run_progress.__name__]
    assert said[0] == "measure: 0 of 4 done, 1 running, 0/s"
    pattern = r"measure: 3 of 4 done, 1 running, \d failed, .*/s, 0:00:\d\d left"
    assert any(re.fullmatch(pattern, line) for line in said), said


def test_on_a_terminal_there_is_a_table(
    run: Run, typed: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_progress, "is_shown", lambda: True)
    monkeypatch.setattr(run_progress, "_DRAW_S", 0.0)
    for name, value in {"FORCE_COLOR": "1", "TERM": "xterm", "COLUMNS": "120"}.items():
        monkeypatch.setenv(name, value)

    result = run(*typed, "-c", "measure:fails_for=[2]")

    assert result.exit_code == 1
    drawn = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", result.stderr)
    assert re.search(r"done +running +failed +blocked", drawn)
    assert re.search(r"measure .* 4/4 +0 +2 ", drawn)
    assert re.search(r"merge .* 1/2 +0 +1 ", drawn)
