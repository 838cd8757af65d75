"""``pipetask run --reuse``: what runs again, what does not, and what is said of it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from butler_core import Butler, CollectionType
from butler_core.timespan import Timespan
from pipetask.cli.pipetask_program import pipetask as program

Run = Callable[..., Result]
Snapshot = Callable[[Path], tuple[list[str], list[str]]]

PIPELINE = """\
description: Tasks that follow one another
instrument: Cam
tasks:
  clean: chain_tasks.CleanTask
  find: chain_tasks.FindTask
  sum: chain_tasks.SumTask
"""
PROGRAM = Path(sys.executable).with_name("pipetask")
EVERY = {"clean": 4, "find": 4, "sum": 2}


@pytest.fixture
def pipeline(tmp_path: Path) -> Path:
    """Return the file of a pipeline of three tasks."""
    path = tmp_path / "chain.yaml"
    path.write_text(PIPELINE)
    return path


@pytest.fixture
def start(run: Run, repo: Path, pipeline: Path) -> Run:
    """Return a function that runs the pipeline into a run of the chain ``out``."""

    def invoke(output_run: str, *args: object) -> Result:
        with Butler(repo) as butler:
            first = not butler.collections.exists("out")
        inputs = ["-i", "Cam/raw/all"] if first else []
        common = ["-b", repo, "-p", pipeline, "-o", "out", "--output-run", output_run]
        return run("run", *common, *inputs, "--register-dataset-types", *args)

    return invoke


@pytest.fixture(scope="session")
def worked_repo(pristine_repo: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a repository, not to be changed, in which the pipeline has run into ``out/1``."""
    folder = tmp_path_factory.mktemp("worked")
    root, pipeline = folder / "repo", folder / "chain.yaml"
    shutil.copytree(pristine_repo, root)
    pipeline.write_text(PIPELINE)
    collections = ["-i", "Cam/raw/all", "-o", "out", "--output-run", "out/1"]
    typed = ["run", "-b", root, "-p", pipeline, *collections, "--register-dataset-types"]
    result = CliRunner().invoke(program, [str(word) for word in typed])
    assert result.exit_code == 0, result.output
    return root


@pytest.fixture
def done(repo: Path, worked_repo: Path) -> None:
    """Have the pipeline run once, into ``out/1``."""
    shutil.rmtree(repo)
    shutil.copytree(worked_repo, repo)


def ran(result: Result | str) -> dict[str, int]:
    """Return how many quanta of each task succeeded in a run."""
    lines = (result if isinstance(result, str) else result.stdout).splitlines()
    begin = next((n for n, line in enumerate(lines) if line.split()[:1] == ["task"]), len(lines))
    found = {}
    for line in lines[begin + 2 :]:
        words = line.split()
        if len(words) < 3 or not words[1].isdigit():
            break
        found[words[0]] = int(words[1])
    return found


def reasons(result: Result | str) -> list[str]:
    """Return what was said of why quanta run."""
    lines = (result if isinstance(result, str) else result.stdout).splitlines()
    begin = lines.index("Why quanta run:") + 1 if "Why quanta run:" in lines else len(lines)
    return [line.strip() for line in lines[begin:] if re.match(r"  \w+: ", line)]


def numbers(repo: Path, name: str, collections: str = "out") -> dict[Any, int]:
    """Return the numbers in datasets of a type, as they are found in a chain, by data ID."""
    with Butler(repo) as butler:
        found = butler.query_datasets(name, [collections], find_first=True)
        return {tuple(ref.data_id.required.values()): butler.get(ref)["number"] for ref in found}


def runs_of(repo: Path, name: str) -> set[str]:
    with Butler(repo) as butler:
        return {ref.run for ref in butler.query_datasets(name, ["out"], find_first=True)}


def replace_raw(repo: Path, exposure: int, detector: int, counts: int) -> None:
    """Put another frame in the place of one, or where there was none."""
    data_id = {"instrument": "Cam", "exposure": exposure, "detector": detector}
    with Butler(repo, writeable=True) as butler:
        found = butler.find_dataset("raw", data_id, collections="Cam/raw/all")
        if found is not None:
            butler.prune_datasets([found], unstore=True, purge=True)
        butler.put({"exposure": exposure, "counts": counts}, "raw", data_id, run="Cam/raw/all")


# ------------------------------------------------------------------- untouched
@pytest.mark.usefixtures("done")
def test_nothing_runs_where_nothing_has_changed(
    start: Run, repo: Path, snapshot: Snapshot
) -> None:
    before, folders = snapshot(repo), sorted(p for p in repo.rglob("*") if p.is_dir())

    result = start("out/2", "--reuse")

    assert result.exit_code == 0, result.output
    assert result.stdout == (
        "Nothing to do: all quanta are done already (4 clean, 4 find, 2 sum).\n"
    )
    assert snapshot(repo) == before
    assert sorted(p for p in repo.rglob("*") if p.is_dir()) == folders


def test_what_was_never_run_is_new(start: Run) -> None:
    result = start("out/1", "--reuse")

    assert result.exit_code == 0, result.output
    assert ran(result) == EVERY
    assert reasons(result) == ["clean: 4 quanta: new", "find: 4 quanta: new", "sum: 2 quanta: new"]


def test_a_graph_says_the_same_as_a_run(
    run: Run, repo: Path, pipeline: Path, done: None, snapshot: Snapshot
) -> None:
    before = snapshot(repo)
    common = ["-b", repo, "-p", pipeline, "-o", "out", "--output-run", "out/2"]

    nothing = run("qgraph", *common, "--reuse")
    changed = run("qgraph", *common, "--reuse", "-c", "sum:add=1")

    assert nothing.exit_code == changed.exit_code == 0
    assert nothing.stdout.startswith("Nothing to do: all quanta are done already")
    assert reasons(changed) == ["sum: 2 quanta: config changed (add: 0 -> 1)"]
    assert re.search(r"^ *0 clean +4$", changed.stdout, re.MULTILINE)
    assert snapshot(repo) == before


# --------------------------------------------------------------- configuration
@pytest.mark.usefixtures("done")
def test_a_change_of_configuration_runs_the_task_and_what_follows(start: Run, repo: Path) -> None:
    result = start("out/2", "--reuse", "-c", "find:add=100")

    assert result.exit_code == 0, result.output
    assert ran(result) == {"find": 4, "sum": 2}
    assert reasons(result) == [
        "find: 4 quanta: config changed (add: 0 -> 100)",
        "sum: 2 quanta: input changed (found)",
    ]
    assert numbers(repo, "total") == {("Cam", 1): 221, ("Cam", 2): 241}
    assert runs_of(repo, "cleaned") == {"out/1"}
    assert runs_of(repo, "found") == runs_of(repo, "total") == {"out/2"}


def test_results_are_those_of_a_run_without_reuse(
    run: Run, start: Run, repo: Path, pipeline: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    shutil.copytree(repo, other)
    options = ["-c", "find:add=5", "-c", "sum:add=1"]
    assert start("out/1").exit_code == 0
    common = ["-p", pipeline, "-o", "out", "--output-run", "out/2", "--register-dataset-types"]
    assert run("run", "-b", other, *common, "-i", "Cam/raw/all", *options).exit_code == 0

    assert start("out/2", "--reuse", "-j", "2", *options).exit_code == 0

    names = ("cleaned", "found", "total", "clean_config", "find_config")
    for name in names[:3]:
        assert numbers(repo, name) == numbers(other, name)
    for name in names[3:]:
        with Butler(repo, collections="out") as one, Butler(other, collections="out") as two:
            assert one.get(name) == two.get(name)


def test_work_of_two_earlier_runs_is_reused(start: Run, repo: Path) -> None:
    assert start("out/1", "-d", "exposure=1").exit_code == 0
    assert start("out/2", "-d", "exposure=2").exit_code == 0

    nothing = start("out/3", "--reuse")
    one = start("out/3", "--reuse", "-c", "sum:add=1")

    assert nothing.stdout.startswith("Nothing to do")
    assert ran(one) == {"sum": 2}
    assert runs_of(repo, "found") == {"out/1", "out/2"}
    assert numbers(repo, "total") == {("Cam", 1): 22, ("Cam", 2): 42}


def test_the_newest_work_counts(start: Run) -> None:
    assert start("out/1").exit_code == 0
    assert start("out/2", "-c", "find:add=1").exit_code == 0

    back = start("out/3", "--reuse")
    same = start("out/4", "--reuse")

    # What stands first in the chain was made with another configuration.
    assert reasons(back) == [
        "find: 4 quanta: config changed (add: 1 -> 0)",
        "sum: 2 quanta: input changed (found)",
    ]
    assert same.stdout.startswith("Nothing to do")


@pytest.mark.usefixtures("done")
def test_a_run_that_was_extended_is_known_whole(start: Run, repo: Path) -> None:
    replace_raw(repo, 3, 0, 30)
    assert ran(start("out/1", "--extend-run")) == {"clean": 1, "find": 1, "sum": 1}

    result = start("out/2", "--reuse")

    assert result.stdout == (
        "Nothing to do: all quanta are done already (5 clean, 5 find, 3 sum).\n"
    )


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
def little(tmp_path: Path, pipeline: Path) -> Path:
    """Return the folder of a package of tasks that other processes can import."""
    folder = tmp_path / "site" / "little"
    folder.mkdir(parents=True)
    for name, text in LITTLE.items():
        (folder / name).write_text(text)
    pipeline.write_text(
        "description: Edited\ntasks:\n"
        "  clean: little.clean.Task\n  find: little.find.Task\n  sum: chain_tasks.SumTask\n"
    )
    return folder


def fresh(repo: Path, pipeline: Path, little: Path, output_run: str) -> str:
    """Run the pipeline in a process of its own; return what it printed."""
    path = os.pathsep.join([str(little.parent), os.environ["PYTHONPATH"]])
    inputs = ["-i", "Cam/raw/all"] if output_run == "out/1" else ["--reuse"]
    typed = ["run", "-b", repo, "-p", pipeline, "-o", "out", "--output-run", output_run, *inputs]
    done = subprocess.run(
        [PROGRAM, *map(str, typed), "--register-dataset-types"],
        env={**os.environ, "PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True, text=True, check=False, timeout=100,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_module_that_was_edited_runs_the_tasks_that_import_it(
    repo: Path, pipeline: Path, little: Path
) -> None:
    fresh(repo, pipeline, little, "out/1")
    (little / "deep.py").write_text("FACTOR = 3\n")
    (little / "new.py").write_text("# nobody imports this\n")

    edited = fresh(repo, pipeline, little, "out/2")
    untouched = fresh(repo, pipeline, little, "out/3")

    assert reasons(edited) == [
        "find: 4 quanta: code changed (little.deep)",
        "sum: 2 quanta: input changed (found)",
    ]
    assert ran(edited) == {"find": 4, "sum": 2}
    assert numbers(repo, "total") == {("Cam", 1): 63, ("Cam", 2): 123}
    assert untouched.startswith("Nothing to do")


# ---------------------------------------------------------------------- inputs
@pytest.mark.usefixtures("done")
def test_a_new_raw_runs_its_quanta_alone(start: Run, repo: Path) -> None:
    replace_raw(repo, 3, 1, 31)

    result = start("out/2", "--reuse")

    assert ran(result) == {"clean": 1, "find": 1, "sum": 1}
    assert reasons(result) == ["clean: 1 quantum: new", "find: 1 quantum: new", "sum: 1 quantum: new"]
    assert numbers(repo, "total") == {("Cam", 1): 21, ("Cam", 2): 41, ("Cam", 3): 31}


@pytest.mark.usefixtures("done")
def test_a_raw_that_was_replaced_runs_its_quanta_alone(start: Run, repo: Path) -> None:
    replace_raw(repo, 2, 1, 1000)

    result = start("out/2", "--reuse")

    assert result.exit_code == 0, result.output
    assert reasons(result) == [
        "clean: 1 quantum: input changed (raw)",
        "find: 1 quantum: input changed (cleaned)",
        "sum: 1 quantum: input changed (found)",
    ]
    assert numbers(repo, "total") == {("Cam", 1): 21, ("Cam", 2): 1020}


def test_an_input_more_for_a_quantum_is_a_change(start: Run, repo: Path) -> None:
    assert start("out/1", "-d", "detector=0").exit_code == 0

    result = start("out/2", "--reuse")

    assert reasons(result) == [
        "clean: 2 quanta: new",
        "find: 2 quanta: new",
        "sum: 2 quanta: input changed (found)",
    ]
    assert numbers(repo, "total") == {("Cam", 1): 21, ("Cam", 2): 41}


@pytest.mark.usefixtures("done")
def test_an_input_less_for_a_quantum_is_a_change(start: Run) -> None:
    result = start("out/2", "--reuse", "-d", "detector=0")

    assert reasons(result) == ["sum: 2 quanta: input changed (found)"]


def test_a_quantum_without_work_is_reused(start: Run) -> None:
    option = ("-c", "clean:finds_nothing_for=[10, 20, 21]")
    assert start("out/1", *option).exit_code == 0

    result = start("out/2", "--reuse", *option)

    assert result.stdout == (
        "Nothing to do: all quanta are done already (4 clean, 4 find, 2 sum).\n"
    ), result.output


def test_a_task_without_dimensions_is_reused(start: Run, pipeline: Path, repo: Path) -> None:
    pipeline.write_text(PIPELINE + "  all: chain_tasks.AllTask\n")
    assert start("out/1").exit_code == 0

    nothing = start("out/2", "--reuse")
    changed = start("out/2", "--reuse", "-c", "sum:add=1")

    assert nothing.stdout.startswith("Nothing to do"), nothing.output
    assert reasons(changed)[1:] == ["all: 1 quantum: input changed (totals)"]
    assert numbers(repo, "everything") == {(): 64}


def test_a_calibration_that_was_certified_anew_is_a_change(
    run: Run, start: Run, repo: Path, pipeline: Path
) -> None:
    pipeline.write_text("description: Bias\ntasks: {calibrate: chain_tasks.CalibrateTask}\n")
    certify(repo, "bias/1", level=1)
    inputs = ["-i", "Cam/raw/all,Cam/calib"]
    assert start("out/1", *inputs).exit_code == 0

    nothing = start("out/2", "--reuse")
    certify(repo, "bias/2", level=2, detectors=(1,))
    changed = start("out/2", "--reuse")

    assert nothing.stdout.startswith("Nothing to do"), nothing.output
    assert reasons(changed) == ["calibrate: 2 quanta: input changed (bias)"]
    assert numbers(repo, "calibrated") == {
        ("Cam", 0, 1): 9, ("Cam", 1, 1): 9, ("Cam", 0, 2): 19, ("Cam", 1, 2): 19,
    }  # fmt: skip


def certify(repo: Path, run: str, *, level: int, detectors: tuple[int, ...] = (0, 1)) -> None:
    """Make biases the valid ones."""
    with Butler(repo, writeable=True) as butler:
        butler.collections.register("Cam/calib", CollectionType.CALIBRATION)
        registry, always = butler.repository.registry, Timespan.unbounded()
        registered = registry.dataset_types.get("bias")
        collection = registry.collections.get("Cam/calib")
        for number in detectors:
            data_id = {"instrument": "Cam", "detector": number}
            old = butler.find_dataset("bias", data_id, collections="Cam/calib", timespan=always)
            new = butler.put({"level": level}, "bias", data_id, run=run)
            if old is not None:
                columns = {name: [value] for name, value in data_id.items()}
                registry.memberships.decertify(registered, collection, always, columns)
            (key,) = registry.datasets.keys_of([new]).values()
            registry.memberships.certify(registered, collection, [key], always)


def test_what_a_task_was_told_at_its_start_is_an_input(
    start: Run, pipeline: Path, repo: Path
) -> None:
    pipeline.write_text(
        "description: Schemas\n"
        "tasks: {schema: chain_tasks.SchemaTask, fill: chain_tasks.FillTask}\n"
    )
    assert start("out/1").exit_code == 0

    nothing = start("out/2", "--reuse")
    changed = start("out/2", "--reuse", "-c", "schema:add=7")

    assert nothing.stdout.startswith("Nothing to do"), nothing.output
    assert "fill: 4 quanta: input changed (schema)" in reasons(changed)
    assert numbers(repo, "filled")["Cam", 0, 1] == 17


# -------------------------------------------------------------------- failures
def test_what_failed_before_is_said(start: Run, tmp_path: Path, repo: Path) -> None:
    cause = tmp_path / "cause"
    cause.touch()
    option = ("-c", "find:fails_for=[21]", "-c", f"find:fails_while={str(cause)!r}")
    assert start("out/1", *option).exit_code == 1
    cause.unlink()

    result = start("out/2", "--reuse", *option)

    assert result.exit_code == 0, result.output
    assert reasons(result) == [
        "find: 1 quantum: failed before (ValueError: number 21 is unbearable)",
        "sum: 1 quantum: new",
    ]
    assert numbers(repo, "total") == {("Cam", 1): 21, ("Cam", 2): 41}


def test_failures_that_were_mended_count_as_done(start: Run, tmp_path: Path) -> None:
    cause = tmp_path / "cause"
    cause.touch()
    option = ("-c", "find:fails_for=[21]", "-c", f"find:fails_while={str(cause)!r}")
    assert start("out/1", *option).exit_code == 1
    cause.unlink()
    assert start("out/1", "--extend-run", *option).exit_code == 0

    assert start("out/2", "--reuse", *option).stdout.startswith("Nothing to do")


# -------------------------------------------------------------------- no record
@pytest.mark.usefixtures("done")
@pytest.mark.parametrize("missing", ["*.history", "*"])
def test_what_kept_no_record_runs_again(start: Run, repo: Path, missing: str) -> None:
    for path in (repo / "out/1/graphs").glob(missing):
        path.unlink()

    result = start("out/2", "--reuse")

    assert result.exit_code == 0, result.output
    assert ran(result) == EVERY
    if missing == "*.history":
        assert reasons(result)[0] == "clean: 4 quanta: no record"


@pytest.mark.usefixtures("done")
def test_what_was_put_by_hand_is_passed_over_as_a_full_run_does(start: Run, repo: Path) -> None:
    data_id = {"instrument": "Cam", "exposure": 1, "detector": 0}
    with Butler(repo, writeable=True) as butler:
        butler.put({"number": 500}, "found", data_id, run="by_hand")
        butler.collections.redefine_chain("out", ["by_hand", "out/1", "Cam/raw/all"])

    result = start("out/2", "--reuse", "-c", "sum:add=1")

    assert ran(result) == {"sum": 2}
    assert numbers(repo, "total") == {("Cam", 1): 22, ("Cam", 2): 42}


@pytest.mark.usefixtures("done")
def test_what_was_removed_is_made_again(start: Run, repo: Path) -> None:
    with Butler(repo, writeable=True) as butler:
        gone = butler.query_datasets("found", ["out/1"], where="exposure=1 AND detector=0")
        butler.prune_datasets(list(gone), unstore=True, purge=True)

    result = start("out/2", "--reuse")

    assert result.exit_code == 0, result.output
    assert ran(result) == {"find": 1, "sum": 1}
    assert numbers(repo, "total") == {("Cam", 1): 21, ("Cam", 2): 41}


# ------------------------------------------------------------- forced, and less
@pytest.mark.usefixtures("done")
def test_a_task_runs_where_it_is_asked_to(start: Run) -> None:
    result = start("out/2", "--redo", "find")

    assert ran(result) == {"find": 4, "sum": 2}
    assert reasons(result) == [
        "find: 4 quanta: forced",
        "sum: 2 quanta: input changed (found)",
    ]


def one_error(result: Result, code: int, *parts: str) -> None:
    assert result.exit_code == code, result.output
    assert "Traceback" not in result.output
    said = " ".join(result.stderr.split())
    for part in parts:
        assert part in said


@pytest.mark.usefixtures("done")
def test_unknown_labels_are_told_with_what_is_like_them(
    start: Run, repo: Path, snapshot: Snapshot
) -> None:
    before = snapshot(repo)

    redo, until = start("out/2", "--redo", "fnd"), start("out/2", "--until", "fnd")

    one_error(redo, 1, "--redo 'fnd': the pipeline has no such task", "Did you mean 'find'?")
    one_error(until, 1, "--until 'fnd': the pipeline has no such task", "Did you mean 'find'?")
    assert until.stderr.count("\n") == 1
    assert snapshot(repo) == before


def test_tasks_that_are_not_needed_are_left_out(start: Run, repo: Path) -> None:
    first = start("out/1", "--until", "clean")
    second = start("out/2", "--until", "find", "--reuse")

    assert ran(first) == {"clean": 4}
    assert ran(second) == {"find": 4}
    assert runs_of(repo, "cleaned") == {"out/1"}


def test_until_may_be_given_with_other_selections(start: Run) -> None:
    result = start("out/1", "--until", "find", "--select-tasks", "clean")

    assert ran(result) == {"clean": 4}


# ---------------------------------------------------------- failures, in one run
FAILS = ("-c", "find:fails_for=[11, 21]")


@pytest.fixture
def failed(start: Run, tmp_path: Path) -> Path:
    """Have two quanta of ``find`` fail in ``out/1``; return the file that makes them fail."""
    cause = tmp_path / "cause"
    cause.touch()
    result = start("out/1", *FAILS, "-c", f"find:fails_while={str(cause)!r}")
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
    run: Run, repo: Path, pipeline: Path, snapshot: Snapshot
) -> None:
    before = snapshot(repo)
    common = ["run", "-b", repo, "--retry-failed"]

    one_error(run(*common), 2, "--retry-failed needs the run")
    one_error(run(*common, "-o", "out", "-p", pipeline), 2, "takes the run's own graph")
    one_error(run(*common, "-o", "out"), 1, "'out' is no chain that has a run")
    one_error(run(*common, "--output-run", "Cam/raw/all"), 1, "run 'Cam/raw/all' has no graph")
    assert snapshot(repo) == before


def test_failures_that_are_accepted_do_not_stop_what_follows(start: Run, repo: Path) -> None:
    result = start("out/1", *FAILS, "--accept-failures")

    assert result.exit_code == 0, result.output
    assert ran(result) == {"clean": 4, "find": 2, "sum": 2}
    assert numbers(repo, "total") == {("Cam", 1): 10, ("Cam", 2): 20}
    with Butler(repo) as butler:
        assert [butler.get(ref)["n"] for ref in butler.query_datasets("total", "out")] == [1, 1]


def test_what_ran_without_an_input_runs_again_when_there_is_one(
    run: Run, start: Run, repo: Path, tmp_path: Path
) -> None:
    cause = tmp_path / "cause"
    cause.touch()
    option = (*FAILS, "-c", f"find:fails_while={str(cause)!r}")
    assert start("out/1", *option, "--accept-failures").exit_code == 0
    cause.unlink()
    assert ran(run("run", "-b", repo, "-o", "out", "--retry-failed")) == {"find": 2}

    result = start("out/2", "--reuse", *option)

    assert reasons(result) == ["sum: 2 quanta: input changed (found)"]
    assert numbers(repo, "total") == {("Cam", 1): 21, ("Cam", 2): 41}


def test_failures_that_were_accepted_are_tried_again(start: Run, repo: Path) -> None:
    assert start("out/1", *FAILS, "--accept-failures").exit_code == 0

    result = start("out/2", "--reuse")

    assert reasons(result) == [
        "find: 2 quanta: config changed (fails_for: [11, 21] -> [])",
        "find: 2 quanta: failed before (ValueError: number 11 is unbearable)",
        "sum: 2 quanta: input changed (found)",
    ]
    assert numbers(repo, "total") == {("Cam", 1): 21, ("Cam", 2): 41}
