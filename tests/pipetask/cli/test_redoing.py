"""Runs that do again what was edited, what failed, or what they are asked to."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from butler_core import Butler
from tests.pipetask.cli.chain_steps import (
    numbers,
    one_error,
    ran,
    reasons,
    runs_of,
)

Run = Callable[..., Result]
Snapshot = Callable[[Path], tuple[list[str], list[str]]]

PROGRAM = Path(sys.executable).with_name("pipetask")


# ------------------------------------------------------------------------ code
LITTLE = {
    "__init__.py": "",
    "first.py": "from chain_tasks import *\nfrom little.unrelated import NOTHING\n",
    "shared.py": "from little import deep\n\ndef doubled(n):\n    return deep.FACTOR * n\n",
    "deep.py": "FACTOR = 2\n",
    "unrelated.py": "NOTHING = None\n",
    "find.py": """
from chain_tasks import *
class Config(Behaviour, connections=FindConnections): pass
class Task(PipelineTask):
    ConfigClass = Config
    def run(self, cleaned):
        from little.shared import doubled
        return Struct(found={"number": doubled(cleaned["number"])})
""",
    "clean.py": """
from little.first import *
class Config(Behaviour, connections=CleanConnections): pass
class Task(PipelineTask):
    ConfigClass = Config
    def run(self, raw):
        return Struct(cleaned={"number": raw["counts"]})
""",
}


@pytest.fixture
def little(tmp_path: Path, chain_pipeline: Path) -> Path:
    """Return the folder of a package of tasks that other processes can import."""
    folder = tmp_path / "site" / "little"
    folder.mkdir(parents=True)
    for name, text in LITTLE.items():
        (folder / name).write_text(text)
    chain_pipeline.write_text(
        "description: Edited\ntasks:\n"
        "  clean: little.clean.Task\n  find: little.find.Task\n  sum: chain_tasks.SumTask\n"
    )
    return folder


def fresh(repo: Path, chain_pipeline: Path, little: Path, output_run: str) -> str:
    """Run the pipeline in a process of its own; return what it printed."""
    path = os.pathsep.join([str(little.parent), os.environ["PYTHONPATH"]])
    inputs = ["-i", "Cam/raw/all"] if output_run == "out/1" else ["--reuse"]
    typed = [
        "run",
        "-b",
        repo,
        "-p",
        chain_pipeline,
        "-o",
        "out",
        "--output-run",
        output_run,
        *inputs,
    ]
    done = subprocess.run(
        [PROGRAM, *map(str, typed), "--register-dataset-types"],
        env={**os.environ, "PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True, text=True, check=False, timeout=100,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_module_that_was_edited_runs_the_tasks_that_import_it(
    repo: Path, chain_pipeline: Path, little: Path
) -> None:
    fresh(repo, chain_pipeline, little, "out/1")
    (little / "deep.py").write_text("FACTOR = 3\n")
    (little / "new.py").write_text("# nobody imports this\n")

    edited = fresh(repo, chain_pipeline, little, "out/2")
    untouched = fresh(repo, chain_pipeline, little, "out/3")

    assert reasons(edited) == [
        "find: 4 quanta: code changed (little.deep)",
        "sum: 2 quanta: input changed (found)",
    ]
    assert ran(edited) == {"find": 4, "sum": 2}
    assert numbers(repo, "total") == {("Cam", 1): 63, ("Cam", 2): 123}
    assert untouched.startswith("Nothing to do")


# -------------------------------------------------------------------- failures
def test_what_failed_before_is_said(chain: Run, tmp_path: Path, repo: Path) -> None:
    cause = tmp_path / "cause"
    cause.touch()
    option = ("-c", "find:fails_for=[21]", "-c", f"find:fails_while={str(cause)!r}")
    assert chain("out/1", *option).exit_code == 1
    cause.unlink()

    result = chain("out/2", "--reuse", *option)

    assert result.exit_code == 0, result.output
    assert reasons(result) == [
        "find: 1 quantum: failed before (ValueError: number 21 is unbearable)",
        "sum: 1 quantum: new",
    ]
    assert numbers(repo, "total") == {("Cam", 1): 21, ("Cam", 2): 41}


def test_failures_that_were_mended_count_as_done(chain: Run, tmp_path: Path) -> None:
    cause = tmp_path / "cause"
    cause.touch()
    option = ("-c", "find:fails_for=[21]", "-c", f"find:fails_while={str(cause)!r}")
    assert chain("out/1", *option).exit_code == 1
    cause.unlink()
    assert chain("out/1", "--extend-run", *option).exit_code == 0

    assert chain("out/2", "--reuse", *option).stdout.startswith("Nothing to do")


# ------------------------------------------------------------- forced, and less
@pytest.mark.usefixtures("chain_done")
def test_a_task_runs_where_it_is_asked_to(chain: Run) -> None:
    result = chain("out/2", "--redo", "find")

    assert ran(result) == {"find": 4, "sum": 2}
    assert reasons(result) == [
        "find: 4 quanta: forced",
        "sum: 2 quanta: input changed (found)",
    ]


@pytest.mark.usefixtures("chain_done")
def test_unknown_labels_are_told_with_what_is_like_them(
    chain: Run, repo: Path, snapshot: Snapshot
) -> None:
    before = snapshot(repo)

    redo, until = chain("out/2", "--redo", "fnd"), chain("out/2", "--until", "fnd")

    one_error(redo, 1, "--redo 'fnd': the pipeline has no such task", "Did you mean 'find'?")
    one_error(until, 1, "--until 'fnd': the pipeline has no such task", "Did you mean 'find'?")
    assert until.stderr.count("\n") == 1
    assert snapshot(repo) == before


def test_tasks_that_are_not_needed_are_left_out(chain: Run, repo: Path) -> None:
    first = chain("out/1", "--until", "clean")
    second = chain("out/2", "--until", "find", "--reuse")

    assert ran(first) == {"clean": 4}
    assert ran(second) == {"find": 4}
    assert runs_of(repo, "cleaned") == {"out/1"}


def test_until_may_be_given_with_other_selections(chain: Run) -> None:
    result = chain("out/1", "--until", "find", "--select-tasks", "clean")

    assert ran(result) == {"clean": 4}


# ---------------------------------------------------------- failures, in one run
FAILS = ("-c", "find:fails_for=[11, 21]")


@pytest.fixture
def failed(chain: Run, tmp_path: Path) -> Path:
    """Have two quanta of ``find`` fail in ``out/1``; return the file that makes them fail."""
    cause = tmp_path / "cause"
    cause.touch()
    result = chain("out/1", *FAILS, "-c", f"find:fails_while={str(cause)!r}")
    assert result.exit_code == 1
    assert ran(result) == {"clean": 4, "find": 2, "sum": 0}
    return cause


@pytest.mark.parametrize("named", [["--output-run", "out/1"], ["-o", "out"]])
def test_what_failed_is_run_again_with_what_waits_for_it(
    run: Run, repo: Path, failed: Path, named: list[str]
) -> None:
    failed.unlink()

    mended = run("run", "-b", repo, *named, "--retry-failed")
    again = run("run", "-b", repo, *named, "--retry-failed")

    assert mended.exit_code == 0, mended.output
    assert ran(mended) == {"find": 2, "sum": 2}
    assert numbers(repo, "total") == {("Cam", 1): 21, ("Cam", 2): 41}
    assert again.exit_code == 0
    assert again.stdout == "Nothing to do: all 10 quanta asked for are done already.\n"


def test_what_fails_again_can_be_tried_again(run: Run, repo: Path, failed: Path) -> None:
    common = ["run", "-b", repo, "-o", "out", "--retry-failed"]

    twice = [run(*common) for _ in range(2)]
    failed.unlink()
    mended = run(*common)

    assert [result.exit_code for result in twice] == [1, 1]
    assert ran(mended) == {"find": 2, "sum": 2}


def test_what_cannot_be_retried_is_told(
    run: Run, repo: Path, chain_pipeline: Path, snapshot: Snapshot
) -> None:
    before = snapshot(repo)
    common = ["run", "-b", repo, "--retry-failed"]

    one_error(run(*common), 2, "--retry-failed needs the run")
    one_error(run(*common, "-o", "out", "-p", chain_pipeline), 2, "takes the run's own graph")
    one_error(run(*common, "-o", "out"), 1, "'out' is no chain that has a run")
    one_error(run(*common, "--output-run", "Cam/raw/all"), 1, "run 'Cam/raw/all' has no graph")
    assert snapshot(repo) == before


def test_failures_that_are_accepted_do_not_stop_what_follows(chain: Run, repo: Path) -> None:
    result = chain("out/1", *FAILS, "--accept-failures")

    assert result.exit_code == 0, result.output
    assert ran(result) == {"clean": 4, "find": 2, "sum": 2}
    assert numbers(repo, "total") == {("Cam", 1): 10, ("Cam", 2): 20}
    with Butler(repo) as butler:
        assert [butler.get(ref)["n"] for ref in butler.query_datasets("total", "out")] == [1, 1]


def test_what_ran_without_an_input_runs_again_when_there_is_one(
    run: Run, chain: Run, repo: Path, tmp_path: Path
) -> None:
    cause = tmp_path / "cause"
    cause.touch()
    option = (*FAILS, "-c", f"find:fails_while={str(cause)!r}")
    assert chain("out/1", *option, "--accept-failures").exit_code == 0
    cause.unlink()
    assert ran(run("run", "-b", repo, "-o", "out", "--retry-failed")) == {"find": 2}

    result = chain("out/2", "--reuse", *option)

    assert reasons(result) == ["sum: 2 quanta: input changed (found)"]
    assert numbers(repo, "total") == {("Cam", 1): 21, ("Cam", 2): 41}


def test_failures_that_were_accepted_are_tried_again(chain: Run, repo: Path) -> None:
    assert chain("out/1", *FAILS, "--accept-failures").exit_code == 0

    result = chain("out/2", "--reuse")

    assert reasons(result) == [
        "find: 2 quanta: config changed (fails_for: [11, 21] -> [])",
        "find: 2 quanta: failed before (ValueError: number 11 is unbearable)",
        "sum: 2 quanta: input changed (found)",
    ]
    assert numbers(repo, "total") == {("Cam", 1): 21, ("Cam", 2): 41}
