"""``pipetask run --reuse``: what runs again, what does not, and what is said of it."""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from butler_core import Butler, CollectionType
from butler_core.timespan import Timespan
from tests.pipetask.cli.chain_steps import (
    CHAIN,
    EVERY,
    numbers,
    ran,
    reasons,
    replace_raw,
    runs_of,
    well,
)

Run = Callable[..., Result]
Snapshot = Callable[[Path], tuple[list[str], list[str]]]

PROGRAM = Path(sys.executable).with_name("pipetask")


# ------------------------------------------------------------------- untouched
@pytest.mark.usefixtures("chain_done")
def test_nothing_runs_where_nothing_has_changed(chain: Run, repo: Path, snapshot: Snapshot) -> None:
    before, folders = snapshot(repo), sorted(p for p in repo.rglob("*") if p.is_dir())

    result = chain("out/2", "--reuse")

    assert result.exit_code == 0, result.output
    assert result.stdout == (
        "Nothing to do: all quanta are done already (4 clean, 4 find, 2 sum).\n"
    )
    assert snapshot(repo) == before
    assert sorted(p for p in repo.rglob("*") if p.is_dir()) == folders


def test_what_was_never_run_is_new(chain: Run) -> None:
    result = chain("out/1", "--reuse")

    assert result.exit_code == 0, result.output
    assert ran(result) == EVERY
    assert reasons(result) == ["clean: 4 quanta: new", "find: 4 quanta: new", "sum: 2 quanta: new"]


def test_a_graph_says_the_same_as_a_run(
    run: Run, repo: Path, chain_pipeline: Path, chain_done: None, snapshot: Snapshot
) -> None:
    before = snapshot(repo)
    common = ["-b", repo, "-p", chain_pipeline, "-o", "out", "--output-run", "out/2"]

    nothing = run("qgraph", *common, "--reuse")
    changed = run("qgraph", *common, "--reuse", "-c", "sum:add=1")

    assert nothing.exit_code == changed.exit_code == 0
    assert nothing.stdout.startswith("Nothing to do: all quanta are done already")
    assert reasons(changed) == ["sum: 2 quanta: config changed (add: 0 -> 1)"]
    assert re.search(r"^ *0 clean +4$", changed.stdout, re.MULTILINE)
    assert snapshot(repo) == before


# --------------------------------------------------------------- configuration
@pytest.mark.usefixtures("chain_done")
def test_a_change_of_configuration_runs_the_task_and_what_follows(chain: Run, repo: Path) -> None:
    result = chain("out/2", "--reuse", "-c", "find:add=100")

    assert result.exit_code == 0, result.output
    assert ran(result) == {"find": 4, "sum": 2}
    assert reasons(result) == [
        "find: 4 quanta: config changed (add: 0 -> 100)",
        "sum: 2 quanta: input changed (found)",
    ]
    assert numbers(repo, "total") == {("Cam", 1): 221, ("Cam", 2): 241}
    assert runs_of(repo, "cleaned") == {"out/1"}
    assert runs_of(repo, "found") == runs_of(repo, "total") == {"out/2"}


@pytest.mark.usefixtures("chain_done")
def test_results_are_those_of_a_run_without_reuse(
    run: Run, chain: Run, repo: Path, chain_pipeline: Path, tmp_path: Path, pristine_repo: Path
) -> None:
    other, options = tmp_path / "other", ["-c", "find:add=5", "-c", "sum:add=1"]
    shutil.copytree(pristine_repo, other)
    common = ["-i", "Cam/raw/all", "-o", "out", "--output-run", "out/2"]
    more = ["-p", chain_pipeline, "--register-dataset-types", *options]
    well(run("run", "-b", other, *common, *more))

    well(chain("out/2", "--reuse", "-j", "2", *options))

    names = ("cleaned", "found", "total", "clean_config", "find_config")
    for name in names[:3]:
        assert numbers(repo, name) == numbers(other, name)
    for name in names[3:]:
        with Butler(repo, collections="out") as one, Butler(other, collections="out") as two:
            assert one.get(name) == two.get(name)


def test_work_of_two_earlier_runs_is_reused(chain: Run, repo: Path) -> None:
    assert chain("out/1", "-d", "exposure=1").exit_code == 0
    assert chain("out/2", "-d", "exposure=2").exit_code == 0

    nothing = chain("out/3", "--reuse")
    one = chain("out/3", "--reuse", "-c", "sum:add=1")

    assert nothing.stdout.startswith("Nothing to do")
    assert ran(one) == {"sum": 2}
    assert runs_of(repo, "found") == {"out/1", "out/2"}
    assert numbers(repo, "total") == {("Cam", 1): 22, ("Cam", 2): 42}


@pytest.mark.usefixtures("chain_done")
def test_the_newest_work_counts(chain: Run) -> None:
    assert chain("out/2", "-c", "find:add=1").exit_code == 0

    back = chain("out/3", "--reuse")

    # What stands first in the chain was made with another configuration.
    assert reasons(back) == [
        "find: 4 quanta: config changed (add: 1 -> 0)",
        "sum: 2 quanta: input changed (found)",
    ]


@pytest.mark.usefixtures("chain_done")
def test_a_run_that_was_extended_is_known_whole(chain: Run, repo: Path) -> None:
    replace_raw(repo, 3, 0, 30)
    assert ran(chain("out/1", "--extend-run")) == {"clean": 1, "find": 1, "sum": 1}

    result = chain("out/2", "--reuse")

    assert result.stdout == (
        "Nothing to do: all quanta are done already (5 clean, 5 find, 3 sum).\n"
    )


# ---------------------------------------------------------------------- inputs
@pytest.mark.usefixtures("chain_done")
def test_a_new_raw_runs_its_quanta_alone(chain: Run, repo: Path) -> None:
    replace_raw(repo, 3, 1, 31)

    result = chain("out/2", "--reuse")

    assert ran(result) == {"clean": 1, "find": 1, "sum": 1}
    assert reasons(result) == [
        "clean: 1 quantum: new",
        "find: 1 quantum: new",
        "sum: 1 quantum: new",
    ]
    assert numbers(repo, "total") == {("Cam", 1): 21, ("Cam", 2): 41, ("Cam", 3): 31}


@pytest.mark.usefixtures("chain_done")
def test_a_raw_that_was_replaced_runs_its_quanta_alone(chain: Run, repo: Path) -> None:
    replace_raw(repo, 2, 1, 1000)

    result = chain("out/2", "--reuse")

    assert result.exit_code == 0, result.output
    assert reasons(result) == [
        "clean: 1 quantum: input changed (raw)",
        "find: 1 quantum: input changed (cleaned)",
        "sum: 1 quantum: input changed (found)",
    ]
    assert numbers(repo, "total") == {("Cam", 1): 21, ("Cam", 2): 1020}


def test_an_input_more_for_a_quantum_is_a_change(chain: Run, repo: Path) -> None:
    assert chain("out/1", "-d", "detector=0").exit_code == 0

    result = chain("out/2", "--reuse")

    assert reasons(result) == [
        "clean: 2 quanta: new",
        "find: 2 quanta: new",
        "sum: 2 quanta: input changed (found)",
    ]
    assert numbers(repo, "total") == {("Cam", 1): 21, ("Cam", 2): 41}


@pytest.mark.usefixtures("chain_done")
def test_an_input_less_for_a_quantum_is_a_change(chain: Run) -> None:
    result = chain("out/2", "--reuse", "-d", "detector=0")

    assert reasons(result) == ["sum: 2 quanta: input changed (found)"]


def test_a_quantum_without_work_is_reused(chain: Run) -> None:
    option = ("-c", "clean:finds_nothing_for=[10, 20, 21]")
    assert chain("out/1", *option).exit_code == 0

    result = chain("out/2", "--reuse", *option)

    assert result.stdout == (
        "Nothing to do: all quanta are done already (4 clean, 4 find, 2 sum).\n"
    ), result.output


def test_a_task_without_dimensions_is_reused(chain: Run, chain_pipeline: Path, repo: Path) -> None:
    chain_pipeline.write_text(CHAIN + "  all: chain_tasks.AllTask\n")
    assert chain("out/1").exit_code == 0

    nothing = chain("out/2", "--reuse")
    changed = chain("out/2", "--reuse", "-c", "sum:add=1")

    assert nothing.stdout.startswith("Nothing to do"), nothing.output
    assert reasons(changed)[1:] == ["all: 1 quantum: input changed (totals)"]
    assert numbers(repo, "everything") == {(): 64}


def test_a_calibration_that_was_certified_anew_is_a_change(
    run: Run, chain: Run, repo: Path, chain_pipeline: Path
) -> None:
    chain_pipeline.write_text("description: Bias\ntasks: {calibrate: chain_tasks.CalibrateTask}\n")
    certify(repo, "bias/1", level=1)
    inputs = ["-i", "Cam/raw/all,Cam/calib"]
    assert chain("out/1", *inputs).exit_code == 0

    nothing = chain("out/2", "--reuse")
    certify(repo, "bias/2", level=2, detectors=(1,))
    changed = chain("out/2", "--reuse")

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
    chain: Run, chain_pipeline: Path, repo: Path
) -> None:
    chain_pipeline.write_text(
        "description: Schemas\n"
        "tasks: {schema: chain_tasks.SchemaTask, fill: chain_tasks.FillTask}\n"
    )
    assert chain("out/1").exit_code == 0

    nothing = chain("out/2", "--reuse")
    changed = chain("out/2", "--reuse", "-c", "schema:add=7")

    assert nothing.stdout.startswith("Nothing to do"), nothing.output
    assert "fill: 4 quanta: input changed (schema)" in reasons(changed)
    assert numbers(repo, "filled")["Cam", 0, 1] == 17


# -------------------------------------------------------------------- no record
@pytest.mark.usefixtures("chain_done")
@pytest.mark.parametrize("missing", ["*.history", "*"])
def test_what_kept_no_record_runs_again(chain: Run, repo: Path, missing: str) -> None:
    for path in (repo / "out/1/graphs").glob(missing):
        path.unlink()

    result = chain("out/2", "--reuse")

    assert result.exit_code == 0, result.output
    assert ran(result) == EVERY
    if missing == "*.history":
        assert reasons(result)[0] == "clean: 4 quanta: no record"


@pytest.mark.usefixtures("chain_done")
def test_what_was_put_by_hand_is_passed_over_as_a_full_run_does(chain: Run, repo: Path) -> None:
    data_id = {"instrument": "Cam", "exposure": 1, "detector": 0}
    with Butler(repo, writeable=True) as butler:
        butler.put({"number": 500}, "found", data_id, run="by_hand")
        butler.collections.redefine_chain("out", ["by_hand", "out/1", "Cam/raw/all"])

    result = chain("out/2", "--reuse", "-c", "sum:add=1")

    assert ran(result) == {"sum": 2}
    assert numbers(repo, "total") == {("Cam", 1): 22, ("Cam", 2): 42}


@pytest.mark.usefixtures("chain_done")
def test_what_was_removed_is_made_again(chain: Run, repo: Path) -> None:
    with Butler(repo, writeable=True) as butler:
        gone = butler.query_datasets("found", ["out/1"], where="exposure=1 AND detector=0")
        butler.prune_datasets(list(gone), unstore=True, purge=True)

    result = chain("out/2", "--reuse")

    assert result.exit_code == 0, result.output
    assert ran(result) == {"find": 1, "sum": 1}
    assert numbers(repo, "total") == {("Cam", 1): 21, ("Cam", 2): 41}
