"""``pipetask report``: what became of the quanta of runs, and why."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from butler_core.failpoints import VARIABLE
from pipetask.cli.pipetask_program import pipetask as program
from pipetask.provenance.process_identity import identity
from pipetask.provenance.run_folder import RunFolder
from tests.pipetask.cli.chain_steps import CHAIN, one_error

Run = Callable[..., Result]

PROGRAM = Path(sys.executable).with_name("pipetask")


@pytest.fixture
def typed(repo: Path, chain_pipeline: Path) -> list[Any]:
    """Return a command that runs the pipeline into ``out/1``."""
    common = ["-i", "Cam/raw/all", "-o", "out", "--output-run", "out/1"]
    return ["run", "-b", repo, "-p", chain_pipeline, *common, "--register-dataset-types"]


@pytest.fixture
def start(run: Run, typed: list[Any]) -> Run:
    """Return a function that runs the pipeline into ``out/1``."""
    return lambda *args: run(*typed, *args)


@pytest.fixture
def report(run: Run, repo: Path) -> Run:
    """Return a function that reports runs."""
    return lambda *args: run("report", repo, *args)


@pytest.fixture(scope="session")
def failed_repo(pristine_repo: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a repository, not to be changed, with a run in which not all went well."""
    folder = tmp_path_factory.mktemp("failed")
    root, pipeline, cause = folder / "repo", folder / "chain.yaml", folder / "cause"
    shutil.copytree(pristine_repo, root)
    pipeline.write_text(CHAIN)
    cause.touch()
    common = ["-i", "Cam/raw/all", "-o", "out", "--output-run", "out/1", "--retries", "1"]
    bad = ["-c", "find:fails_for=[11, 21]", "-c", f"find:fails_while={str(cause)!r}"]
    idle = ["-c", "clean:finds_nothing_for=[20]"]
    typed = ["run", "-b", root, "-p", pipeline, *common, *bad, *idle, "--register-dataset-types"]
    result = CliRunner().invoke(program, [str(word) for word in typed])
    assert result.exit_code == 1, result.output
    return root


@pytest.fixture
def failed(repo: Path, failed_repo: Path) -> Path:
    """Have that run; return the file that makes quanta fail."""
    shutil.rmtree(repo)
    shutil.copytree(failed_repo, repo)
    cause = failed_repo.parent / "cause"
    cause.touch()
    return cause


def told(result: Result) -> list[dict[str, Any]]:
    """Return what a report says as JSON."""
    found: list[dict[str, Any]] = json.loads(result.stdout)
    return found


def counts(report: dict[str, Any]) -> dict[str, dict[str, int]]:
    return {task["task"]: task["counts"] for task in report["tasks"]}


# ------------------------------------------------------------------- all is well
def test_a_good_run_is_told_in_a_table(start: Run, report: Run) -> None:
    assert start("--retries", "2").exit_code == 0

    result = report("out/1")

    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    assert lines[0] == "Run out/1"
    assert lines[1].split() == ["task", "succeeded", "mean", "s", "longest", "s", "peak", "MiB"]
    assert [line.split()[:2] for line in lines[3:6]] == [
        ["clean", "4"],
        ["find", "4"],
        ["sum", "2"],
    ]
    assert lines[lines.index("Slowest:") + 1].split()[1:3][0] == "s"
    assert "To run what is not done" not in result.stdout


def test_json_has_everything(start: Run, report: Run, tmp_path: Path) -> None:
    assert start().exit_code == 0

    result = report("out/1", "--json", tmp_path / "r.json")
    alone = report("out/1", "--json", "-")

    assert (result.exit_code, alone.exit_code) == (0, 0)
    assert "Slowest:" in result.stdout
    assert told(alone) == json.loads((tmp_path / "r.json").read_text())
    (made,) = told(alone)
    assert set(made) == {"run", "is_going_on", "tasks", "causes", "slowest"}
    assert (made["run"], made["is_going_on"], made["causes"]) == ("out/1", False, [])
    assert counts(made) == {
        "clean": {"succeeded": 4}, "find": {"succeeded": 4}, "sum": {"succeeded": 2}
    }  # fmt: skip
    for task in made["tasks"]:
        assert 0 < task["mean_s"] <= task["longest_s"]
        assert task["n_retried"] == 0
    assert len(made["slowest"]) == 5
    times = [slow["elapsed_s"] for slow in made["slowest"]]
    assert times == sorted(times, reverse=True)
    assert set(made["slowest"][0]["data_id"]) >= {"instrument", "exposure"}


# ---------------------------------------------------------------------- failures
@pytest.mark.usefixtures("failed")
def test_every_quantum_is_counted_by_what_became_of_it(report: Run) -> None:
    result = report("out/1", "--json", "-")

    assert result.exit_code == 1
    (made,) = told(result)
    # What waits for one without work finds no work, or fewer inputs.
    assert counts(made) == {
        "clean": {"succeeded": 3, "no-work": 1},
        "find": {"succeeded": 1, "no-work": 1, "failed": 2},
        "sum": {"blocked": 2},
    }
    assert {task["task"]: task["n_retried"] for task in made["tasks"]} == {
        "clean": 0, "find": 2, "sum": 0,
    }  # fmt: skip


@pytest.mark.usefixtures("failed")
def test_failures_of_one_cause_are_told_once(report: Run) -> None:
    result = report("out/1")

    said = result.stdout
    assert "\nfind: 2 quanta failed: ValueError: number 11 is unbearable\n" in said
    assert "  first: {instrument: 'Cam', detector: 1, exposure: 1}\n" in said
    assert 'raise ValueError(f"number {number} is unbearable")' in said
    assert "number 21" not in said
    assert said.count("failed:") == 1


@pytest.mark.usefixtures("failed")
def test_a_cause_is_told_with_log_and_traceback(report: Run) -> None:
    (made,) = told(report("out/1", "--json", "-"))

    (cause,) = made["causes"]
    assert (cause["task"], cause["fault"], cause["n_quanta"]) == ("find", "error", 2)
    assert cause["error"] == "ValueError: number 11 is unbearable"
    assert cause["data_id"] == {"instrument": "Cam", "detector": 1, "exposure": 1}
    assert cause["traceback"].startswith("Traceback (most recent call last)")


def test_causes_of_several_tasks_come_in_their_order(start: Run, report: Run) -> None:
    bad = ["-c", "clean:fails_for=[10, 11, 20]", "-c", "find:fails_for=[21]"]
    assert start(*bad).exit_code == 1

    (made,) = told(report("out/1", "--json", "-"))

    found = [(cause["task"], cause["n_quanta"]) for cause in made["causes"]]
    assert found == [("clean", 3), ("find", 1)]
    assert counts(made) == {
        "clean": {"succeeded": 1, "failed": 3},
        "find": {"failed": 1, "blocked": 3},
        "sum": {"blocked": 2},
    }


def test_what_is_said_to_do_does_it(run: Run, report: Run, failed: Path) -> None:
    said = report("out/1").stdout
    command = shlex.split(said.split("To run what is not done:\n")[1])
    failed.unlink()

    mended = run(*command[1:])
    after = report("out/1", "--json", "-")

    assert command[0] == "pipetask"
    assert mended.exit_code == 0, mended.output
    assert after.exit_code == 0
    assert counts(told(after)[0])["sum"] == {"succeeded": 2}
    assert told(after)[0]["causes"] == []


def test_a_run_of_several_graphs_is_one_run(
    start: Run, typed: list[Any], run: Run, report: Run
) -> None:
    assert start("-d", "exposure=1 AND detector=0").exit_code == 0
    extended = [word for word in typed if word not in ("-i", "Cam/raw/all")]
    assert run(*extended, "--extend-run", "-d", "exposure=2").exit_code == 0

    (made,) = told(report("out/1", "--json", "-"))

    assert counts(made) == {
        "clean": {"succeeded": 3}, "find": {"succeeded": 3}, "sum": {"succeeded": 2}
    }  # fmt: skip


def test_what_another_graph_did_again_is_counted_as_it_ended(
    start: Run, typed: list[Any], run: Run, report: Run, failed: Path
) -> None:
    bad = ["-c", "find:fails_for=[11, 21]", "-c", f"find:fails_while={str(failed)!r}"]
    idle = ["-c", "clean:finds_nothing_for=[20]"]
    failed.unlink()
    extended = [word for word in typed if word not in ("-i", "Cam/raw/all")]
    assert run(*extended, "--extend-run", *bad, *idle).exit_code == 0

    result = report("out/1", "--json", "-")

    assert result.exit_code == 0
    (made,) = told(result)
    assert counts(made) == {
        "clean": {"succeeded": 3, "no-work": 1},
        "find": {"succeeded": 3, "no-work": 1},
        "sum": {"succeeded": 2},
    }
    # Two attempts at each failed; a third did not.
    assert {task["task"]: task["n_retried"] for task in made["tasks"]}["find"] == 4


# ------------------------------------------------------------- parts and the rest
def test_what_was_not_asked_for_is_not_run(
    run: Run, repo: Path, chain_pipeline: Path, report: Run, tmp_path: Path
) -> None:
    file = tmp_path / "g.qg"
    common = ["-i", "Cam/raw/all", "--output-run", "out/1", "-c", "clean:fails_for=[11]"]
    assert run("qgraph", "-b", repo, "-p", chain_pipeline, *common, "-q", file).exit_code == 0
    part = ["--qgraph-node-id", "0,1,2", "--register-dataset-types"]
    assert run("run", "-b", repo, "-g", file, *part).exit_code == 1

    result = report(file, "--json", "-")

    assert result.exit_code == 1
    (made,) = told(result)
    assert counts(made)["clean"] == {"succeeded": 2, "failed": 1, "not run": 1}
    assert counts(made)["find"] == {"blocked": 1, "not run": 3}
    assert counts(made)["sum"] == {"blocked": 1, "not run": 1}


def test_runs_of_a_chain_are_told_one_after_the_other(start: Run, run: Run, repo: Path) -> None:
    assert start("-d", "exposure=1").exit_code == 0
    more = ["-o", "out", "--output-run", "out/2", "-d", "exposure=2", "-c", "sum:fails_for=[41]"]
    again = ["run", "-b", repo, "-t", "chain_tasks.CleanTask:clean", "-t",
             "chain_tasks.FindTask:find", "-t", "chain_tasks.SumTask:sum"]  # fmt: skip
    assert run(*again, *more).exit_code == 1

    both, one = run("report", repo, "out"), run("report", repo, "out/1")
    listed = run("report", repo, "out/1", "out/2", "--json", "-")

    assert (both.exit_code, one.exit_code, listed.exit_code) == (1, 0, 1)
    heads = [line for line in both.stdout.splitlines() if line.startswith("Run ")]
    assert heads == ["Run out/2", "Run out/1"]
    assert [made["run"] for made in told(listed)] == ["out/1", "out/2"]


# -------------------------------------------------------------- while it goes on
@pytest.fixture
def killed(repo: Path, typed: list[Any]) -> RunFolder:
    """Have a run that was killed when it had registered some of what it did."""
    environment = {**os.environ, VARIABLE: "journal.written=kill@6"}
    done = subprocess.run(
        [PROGRAM, *map(str, typed)], env=environment, capture_output=True, check=False, timeout=100
    )
    assert done.returncode == -9, done.stderr
    return RunFolder.of(repo, "out/1")


def test_a_run_that_was_killed_is_told_as_it_stands(
    start: Run, report: Run, killed: RunFolder
) -> None:
    assert killed.unfinished()
    lease, journals = killed.lease.read_text(), killed.unfinished()

    dead = report("out/1", "--json", "-")
    killed.lease.write_text(json.dumps({**identity(), "token": "x", "since": 0}))
    alive, shown = report("out/1", "--json", "-"), report("out/1")
    killed.lease.write_text(lease)

    assert dead.exit_code == alive.exit_code == 1
    # The run's head comes first in its journal.
    assert counts(told(dead)[0]) == {
        "clean": {"succeeded": 3, "not run": 1},
        "find": {"succeeded": 2, "not run": 2},
        "sum": {"not run": 2},
    }
    assert (told(dead)[0]["is_going_on"], told(alive)[0]["is_going_on"]) == (False, True)
    assert shown.stdout.startswith("Run out/1, which is going on\n")
    assert "To run what is not done" not in shown.stdout
    assert killed.unfinished() == journals

    assert start("--extend-run").exit_code == 0
    assert counts(told(report("out/1", "--json", "-"))[0]) == {
        "clean": {"succeeded": 4}, "find": {"succeeded": 4}, "sum": {"succeeded": 2}
    }  # fmt: skip


def test_a_journal_beside_its_history_is_counted_once(
    start: Run, report: Run, killed: RunFolder, tmp_path: Path
) -> None:
    (journal,) = killed.path.glob("*.journal")
    shutil.copy(journal, tmp_path)
    assert start("--extend-run").exit_code == 0
    shutil.copy(tmp_path / journal.name, killed.path)

    (made,) = told(report("out/1", "--json", "-"))

    assert counts(made)["find"] == {"succeeded": 4}
    assert [task["n_retried"] for task in made["tasks"]] == [0, 0, 0]


# ------------------------------------------------------------------------ refused
def test_what_is_no_run_is_told(
    run: Run, repo: Path, chain_pipeline: Path, report: Run, tmp_path: Path
) -> None:
    file = tmp_path / "g.qg"
    common = ["-i", "Cam/raw/all", "--output-run", "out/1"]
    assert run("qgraph", "-b", repo, "-p", chain_pipeline, *common, "-q", file).exit_code == 0

    one_error(report("out/9"), 1, "no collection 'out/9'")
    one_error(report("Cam/raw/all"), 1, "'Cam/raw/all' holds nothing that `pipetask run` has made")
    one_error(report(file), 1, "has not been run: run 'out/1' does not have it")
    one_error(report(tmp_path / "absent.qg"), 1, "absent.qg")
    one_error(report(), 2, "RUN")


def test_a_file_that_cannot_be_written_is_told(start: Run, report: Run, tmp_path: Path) -> None:
    assert start("--until", "clean").exit_code == 0

    one_error(report("out/1", "--json", tmp_path / "no" / "r.json"), 2, "no such directory")
