"""``pipetask run``: what is made, what is told, and the exit code."""

from __future__ import annotations

import json
import pstats
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from butler_core import Butler
from butler_core.errors import DatasetNotFoundError

Run = Callable[..., Result]

ROW = ["task", "succeeded"]


@pytest.fixture
def start(run: Run, repo: Path, pipeline: Path) -> Run:
    """Return a function that runs the little pipeline into ``out/1``."""

    def invoke(*args: object) -> Result:
        common = ["-b", repo, "-p", pipeline, "-o", "out", "--register-dataset-types"]
        if "--extend-run" not in args:
            common += ["-i", "Cam/raw/all", "--output-run", "out/1"]
        return run("run", *common, *args)

    return invoke


def rows(result: Result) -> dict[str, dict[str, str]]:
    """Return the table of what became of quanta, by task."""
    lines = result.stdout.replace("mean s", "mean").replace("peak MiB", "peak").splitlines()
    begin = next(n for n, line in enumerate(lines) if line.split()[:2] == ROW)
    names = lines[begin].split()
    parts = [line.split() for line in lines[begin + 2 :] if len(line.split()) == len(names)]
    return {row[0]: dict(zip(names[1:], row[1:], strict=True)) for row in parts}


def merged(repo: Path, exposure: int, run: str = "out/1") -> Any:
    with Butler(repo) as butler:
        return butler.get("merged", instrument="Cam", exposure=exposure, collections=run)


def names_in(repo: Path, run: str = "out/1") -> set[str]:
    with Butler(repo) as butler:
        registry = butler.repository.registry
        return set(registry.datasets.in_run(registry.collections.get(run)))


# ----------------------------------------------------------------- all is well
def test_outputs_are_there(start: Run, repo: Path) -> None:
    result = start()

    assert result.exit_code == 0, result.output
    assert {label: row["succeeded"] for label, row in rows(result).items()} == {
        "measure": "4",
        "merge": "2",
    }
    assert "18 datasets in run 'out/1'" in result.stdout
    assert merged(repo, 2) == {"total": 82.0, "n_counts": 4}


@pytest.mark.parametrize("options", [["-j", "2"], ["-j", "2", "--engine", "threads"]])
def test_metadata_is_an_input_for_several_workers(
    start: Run, repo: Path, options: list[str]
) -> None:
    result = start(*options)

    assert result.exit_code == 0, result.output
    assert [merged(repo, exposure)["n_counts"] for exposure in (1, 2)] == [2, 4]


def test_configurations_versions_and_init_outputs_are_kept(start: Run, repo: Path) -> None:
    assert start("-c", "measure:factor=2").exit_code == 0

    with Butler(repo, collections="out") as butler:
        assert butler.get("measure_config")["factor"] == 2.0
        assert butler.get("measure_schema") == {"columns": ["counts"]}
        assert "python" in butler.get("packages")
    assert len(list((repo / "out/1/graphs").glob("*.qg"))) == 1


@pytest.mark.parametrize(
    ("option", "missing"),
    [
        ("--no-versions", {"packages"}),
        ("--skip-init-writes", {"packages", "measure_config", "merge_config", "measure_schema"}),
    ],
)
def test_what_is_not_wanted_is_not_written(
    start: Run, repo: Path, option: str, missing: set[str]
) -> None:
    everything = {"packages", "measure_config", "merge_config", "measure_schema"}
    assert start("--init-only").exit_code == 0

    # What merge reads at its start is in the run before.
    result = start("--output-run", "out/2", "-d", "exposure=1", option)

    assert result.exit_code == 0, result.output
    assert names_in(repo) == everything
    assert everything - names_in(repo, "out/2") == missing


def test_init_only_makes_a_run_to_be_extended(start: Run, repo: Path) -> None:
    ready = start("--init-only")
    again = start()
    extended = start("--extend-run")

    assert (ready.exit_code, ready.stdout) == (0, "Run 'out/1' is ready; nothing was run.\n")
    assert again.exit_code == 1
    assert "run 'out/1' exists already; use --extend-run" in again.stderr
    assert extended.exit_code == 0, extended.output
    assert merged(repo, 1)["n_counts"] == 2


def test_nothing_to_do_is_fine(start: Run, repo: Path, snapshot: Callable[[Path], Any]) -> None:
    assert start().exit_code == 0
    before = snapshot(repo)

    result = start("--extend-run")

    assert result.exit_code == 0
    assert result.stdout == ("Nothing to do: all quanta are done already (4 measure, 2 merge).\n")
    assert snapshot(repo) == before


def test_no_work_is_no_failure(start: Run) -> None:
    result = start("-c", "measure:finds_nothing_for=[2]")

    assert result.exit_code == 0, result.output
    assert rows(result)["measure"]["no-work"] == "2"
    assert rows(result)["merge"]["no-work"] == "1"


def test_summary_is_written(start: Run, tmp_path: Path) -> None:
    summary = tmp_path / "s.json"

    assert start("--summary", summary).exit_code == 0

    told = json.loads(summary.read_text())
    assert told["run"] == "out/1"
    assert told["n_datasets"] == 18
    assert told["tasks"] == {"measure": {"succeeded": 4}, "merge": {"succeeded": 2}}
    assert told["failures"] == []


def test_profile_is_written(start: Run, tmp_path: Path) -> None:
    file = tmp_path / "profile"

    assert start("--profile", file).exit_code == 0

    assert pstats.Stats(str(file)).total_calls > 0  # type: ignore[attr-defined]


# -------------------------------------------------------------------- failures
def test_a_failure_is_told_at_once_and_at_the_end_with_how_to_go_on(start: Run) -> None:
    result = start("-c", "measure:fails_for=[2]", "-j", "2")

    assert result.exit_code == 1
    assert rows(result)["measure"]["failed"] == "2"
    assert rows(result)["merge"]["blocked"] == "1"
    *at_once, _, _, _, _ = result.stderr.splitlines(keepends=True)
    assert sorted(at_once) == [
        "pipetask.execution.loop ERROR: measure {'instrument': 'Cam', 'detector': "
        f"{detector}, 'exposure': 2}} failed: ValueError: exposure 2 cannot be measured\n"
        for detector in (0, 1)
    ]
    assert result.stderr.removeprefix("".join(at_once)) == (
        "measure {instrument: 'Cam', detector: 0, exposure: 2} failed: "
        "ValueError: exposure 2 cannot be measured\n"
        "measure {instrument: 'Cam', detector: 1, exposure: 2} failed: "
        "ValueError: exposure 2 cannot be measured\n"
        "What they logged is in the datasets 'measure_log' of run 'out/1'.\n"
        "When the cause is mended, the same command with --extend-run does what is missing.\n"
    )


def test_a_run_is_resumed_when_the_cause_is_mended(start: Run, repo: Path, tmp_path: Path) -> None:
    cause = tmp_path / "cause"
    cause.touch()
    option = ("-c", f"measure:fails_while={str(cause)!r}")
    failed = start(*option, "-d", "exposure=1")
    cause.unlink()

    resumed = start(*option, "--extend-run")

    assert failed.exit_code == 1
    assert resumed.exit_code == 0, resumed.output
    assert rows(resumed)["measure"]["succeeded"] == "4"
    with Butler(repo) as butler:
        logs = butler.query_datasets("measure_log", ["out/1"])
        assert len(logs) == 4
        said = [str(butler.get(ref)) for ref in logs]
    assert not any("cannot be measured" in text for text in said)


def test_a_run_is_not_resumed_with_another_configuration(
    start: Run, repo: Path, snapshot: Callable[[Path], Any]
) -> None:
    assert start("-c", "measure:fails_for=[2]").exit_code == 1
    before = snapshot(repo)

    result = start("--extend-run", "--clobber-outputs")

    assert result.exit_code == 1
    assert "run 'out/1' was made with another 'measure_config'" in result.stderr
    assert snapshot(repo) == before


def test_fail_fast_starts_nothing_more(start: Run, repo: Path) -> None:
    result = start("--fail-fast", "-c", "measure:fails_for=[1,2]")

    assert result.exit_code == 1
    table = rows(result)
    assert (table["measure"]["failed"], table["measure"]["cancelled"]) == ("1", "3")
    assert "measured" not in names_in(repo)


def test_a_hanging_quantum_fails_alone(start: Run, repo: Path) -> None:
    result = start("--timeout", "1", "-j", "2", "-c", "measure:hangs_for=[2]", "-d", "detector=0")

    assert result.exit_code == 1
    assert "it took longer than 1 s (--timeout)" in result.stderr
    assert rows(result)["measure"]["failed"] == "1"
    assert rows(result)["merge"]["succeeded"] == "1"
    assert merged(repo, 1)["total"] == 20.0


def test_a_task_that_cannot_be_made_leaves_no_run(
    start: Run, repo: Path, snapshot: Callable[[Path], Any]
) -> None:
    before = snapshot(repo)

    result = start("--delete", "measure", "-t", "toy_tasks.UnableTask:measure")

    assert result.exit_code == 1
    assert "no licence" in result.stderr
    assert snapshot(repo) == before


def test_failures_beyond_the_first_are_counted(start: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipetask.execution.summary._MAX_FAILURES", 1)

    result = start("-c", "measure:fails_for=[1,2]")

    assert "... and 3 more.\n" in result.stderr


# ------------------------------------------------------------- replacing runs
@pytest.mark.parametrize("how", ["unstore", "purge"])
def test_a_replaced_run_is_pruned(start: Run, repo: Path, how: str) -> None:
    assert start().exit_code == 0

    result = start("--replace-run", "--prune-replaced", how, "--output-run", "out/2")

    assert result.exit_code == 0, result.output
    with Butler(repo) as butler:
        assert butler.collections.get_info("out").children == ("out/2", "Cam/raw/all")
        assert butler.collections.exists("out/1") is (how == "unstore")
        if how == "unstore":
            ref = butler.find_dataset("merged", instrument="Cam", exposure=1, collections="out/1")
            assert ref is not None
            with pytest.raises(DatasetNotFoundError):
                butler.get(ref)


# ---------------------------------------------------------------------- purge
def test_purge_asks_before_it_removes(run: Run, start: Run, repo: Path) -> None:
    assert start().exit_code == 0

    declined = run("purge", "-b", repo, "out", answer="n\n")
    assert declined.exit_code == 1
    with Butler(repo) as butler:
        assert butler.collections.exists("out/1")

    accepted = run("purge", "-b", repo, "out", answer="y\n")
    assert accepted.exit_code == 0
    assert "22 datasets removed." in accepted.stdout
    with Butler(repo) as butler:
        assert set(butler.collections.query("*")) == {"Cam/raw/all", "empty"}


def test_cleanup_removes_what_the_chain_has_no_more(run: Run, start: Run, repo: Path) -> None:
    assert start().exit_code == 0
    assert start("--replace-run", "--output-run", "out/2").exit_code == 0

    removed = run("cleanup", "-b", repo, "--no-confirm", "out")
    again = run("cleanup", "-b", repo, "--no-confirm", "out")

    assert removed.exit_code == 0, removed.output
    assert "  out/1\n" in removed.stdout
    assert again.stdout == "Nothing to remove: all collections 'out/*' are in the chain.\n"
    with Butler(repo) as butler:
        assert set(butler.collections.query("out*")) == {"out", "out/2"}
