"""Runs without a registry: ``pre-exec-init-qbb``, ``run-qbb`` and ``transfer-from-graph``."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st

from butler_core import Butler
from butler_core.cli.butler_program import butler as butler_program
from pipetask.execution.quantum_backed import part_of
from pipetask.quantum_graph import QuantumGraph
from tests.pipetask.cli.chain_steps import n_datasets, one_error, well

Run = Callable[..., Result]

DATABASE = "gen3.sqlite3"


@pytest.fixture
def hidden(repo: Path, tmp_path: Path) -> Callable[[], None]:
    """Return a function that moves the registry out of the way, and back."""
    here, there = repo / DATABASE, tmp_path / "away.sqlite3"

    def move() -> None:
        one, other = (here, there) if here.exists() else (there, here)
        one.rename(other)

    return move


def contents(repo: Path) -> dict[tuple[str, str], Any]:
    """Read every dataset of the run; what differs from run to run is left out."""
    found = {}
    with Butler(repo) as butler:
        for registered in butler.repository.registry.dataset_types.all():
            name = registered.dataset_type.name
            for ref in butler.query_datasets(name, ["out/1"]):
                value = butler.get(ref)
                is_note = name.endswith(("_log", "_metadata"))
                key = (name, json.dumps(dict(ref.data_id.required)))
                found[key] = type(value).__name__ if is_note else value
    return found


def files(repo: Path) -> dict[str, str]:
    """Return the digests of the run's files; of notes, nothing but their names."""
    root = repo / "out/1"
    return {
        str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in root.rglob("*")
        if path.is_file() and path.parent.name not in ("graphs", "notes")
        if not path.relative_to(root).parts[0].endswith(("_log", "_metadata"))
    }


# ----------------------------------------------------------------------- whole
@pytest.mark.parametrize("options", [[], ["-j", "2"]])
def test_what_is_made_is_what_a_plain_run_makes(
    run: Run,
    repo: Path,
    pipeline: Path,
    files_graph: Path,
    hidden: Callable[[], None],
    transfer: Run,
    tmp_path: Path,
    options: list[str],
) -> None:
    plain = tmp_path / "plain"
    shutil.copytree(repo, plain)
    common = ["-i", "Cam/raw/all", "--output-run", "out/1", "--register-dataset-types"]
    well(run("run", "-b", plain, "-p", pipeline, *common))

    hidden()
    begun = well(run("pre-exec-init-qbb", repo, files_graph))
    ended = well(run("run-qbb", repo, files_graph, *options))
    again = well(run("run-qbb", repo, files_graph, *options))
    hidden()
    registered = well(transfer(files_graph, "--update-output-chain"))

    assert begun.stdout == "4 datasets of run 'out/1' are written\n"
    assert "measure" in ended.stdout
    assert again.stdout == "Nothing to do: all quanta asked for are done already.\n"
    assert registered.stdout == "22 datasets registered in run 'out/1'\n"
    assert contents(repo) == contents(plain)
    assert files(repo) == files(plain)
    with Butler(repo) as butler:
        assert butler.collections.get_info("out").children == ("out/1", "Cam/raw/all")


def test_files_are_as_the_registry_says(
    run: Run, repo: Path, files_graph: Path, transfer: Run
) -> None:
    well(run("pre-exec-init-qbb", repo, files_graph))
    well(run("run-qbb", repo, files_graph))
    well(transfer(files_graph))

    result = CliRunner().invoke(butler_program, ["check", str(repo)])

    assert result.exit_code == 0, result.output


def test_registering_twice_registers_once(
    run: Run, repo: Path, files_graph: Path, transfer: Run
) -> None:
    well(run("pre-exec-init-qbb", repo, files_graph))
    well(run("run-qbb", repo, files_graph, "--label", "measure"))

    counts = [well(transfer(files_graph)).stdout.split()[0] for _ in range(2)]
    well(run("run-qbb", repo, files_graph))
    counts += [well(transfer(files_graph)).stdout.split()[0] for _ in range(2)]

    assert counts == ["16", "0", "6", "0"]
    assert [n_datasets(repo, n) for n in ("measured", "measure_log", "merged")] == [4, 4, 2]


def test_a_plain_run_goes_on_from_there(
    run: Run, repo: Path, files_graph: Path, transfer: Run
) -> None:
    well(run("pre-exec-init-qbb", repo, files_graph))
    well(run("run-qbb", repo, files_graph, "--label", "measure"))
    well(transfer(files_graph))

    well(run("run", "-b", repo, "-g", files_graph, "--extend-run"))

    assert n_datasets(repo, "merged") == 2


# ----------------------------------------------------------------------- parts
@given(st.lists(st.integers(0, 10**6), unique=True).map(sorted), st.integers(1, 60))
def test_parts_are_disjoint_complete_and_alike(numbers: list[int], n: int) -> None:
    parts = [part_of(numbers, f"{k}/{n}") for k in range(n)]

    assert sorted(number for part in parts for number in part) == numbers
    assert max(map(len, parts)) - min(map(len, parts)) <= 1


@pytest.mark.parametrize("text", ["3", "1/1", "-1/2", "a/b", "0/0", "1/", "²/9", "0/2/3", ""])
def test_parts_that_there_cannot_be_are_refused(
    run: Run, repo: Path, files_graph: Path, text: str
) -> None:
    result = run("run-qbb", repo, files_graph, "--part", text)

    one_error(result, 1, "--part takes K/N with K from 0 to N-1")


def test_parts_make_the_whole(run: Run, repo: Path, files_graph: Path, transfer: Run) -> None:
    well(run("pre-exec-init-qbb", repo, files_graph))

    # Five parts of four quanta: one is empty.
    for k in range(5):
        well(run("run-qbb", repo, files_graph, "--label", "measure", "--part", f"{k}/5"))
    well(run("run-qbb", repo, files_graph, "--qgraph-node-id", "4"))
    well(run("run-qbb", repo, files_graph, "--label", "merge", "--part", "1/2", "-j", "2"))
    well(transfer(files_graph))

    assert [n_datasets(repo, n) for n in ("measured", "measure_log", "merged")] == [4, 4, 2]


def test_what_lacks_others_is_refused(run: Run, repo: Path, files_graph: Path) -> None:
    well(run("pre-exec-init-qbb", repo, files_graph))

    one = run("run-qbb", repo, files_graph, "--qgraph-node-id", "4")
    whole = run("run-qbb", repo, files_graph, "--label", "merge")
    well(run("run-qbb", repo, files_graph, "--qgraph-node-id", "0,2"))
    after = run("run-qbb", repo, files_graph, "--qgraph-node-id", "4")

    one_error(one, 1, "needs the quanta 0, 2, which are not done")
    one_error(whole, 1, "needs the quanta 0, 1, 2, 3, which are not done")
    assert after.exit_code == 0, after.output


def test_labels_and_ids_are_checked(run: Run, repo: Path, files_graph: Path) -> None:
    label = run("run-qbb", repo, files_graph, "--label", "mesure")
    number = run("run-qbb", repo, files_graph, "--qgraph-node-id", "0,99")
    graph = run("run-qbb", repo, files_graph, "--qgraph-id", "0000")

    one_error(label, 1, "no task 'mesure'")
    one_error(number, 1, "has no quantum 99; it has 6")
    one_error(graph, 1, "has the id")


def test_parts_of_a_graph_in_files_of_their_own(
    run: Run, repo: Path, files_graph: Path, transfer: Run, tmp_path: Path
) -> None:
    well(run("split-graph", files_graph, tmp_path / "parts"))
    well(run("pre-exec-init-qbb", repo, files_graph))

    for name in ("measure", "merge"):
        well(run("run-qbb", repo, tmp_path / "parts" / f"{name}.qg"))
    for file in (files_graph, tmp_path / "parts/merge.qg", tmp_path / "parts/measure.qg"):
        well(transfer(file))

    assert [n_datasets(repo, n) for n in ("measured", "merged")] == [4, 2]
    with Butler(repo) as butler:
        got = butler.get("merged", instrument="Cam", exposure=2, collections="out/1")
    assert got == {"total": 82.0, "n_counts": 4}


# --------------------------------------------------------------------- refused
def test_a_graph_that_does_not_say_where_inputs_are_is_refused(
    run: Run, repo: Path, build: Callable[..., Path]
) -> None:
    file = build(name="bare.qg")

    result = run("run-qbb", repo, file)

    one_error(result, 1, "does not say where the files of its inputs are",
              "--qgraph-datastore-records")  # fmt: skip


def test_nothing_to_register_is_said(files_graph: Path, transfer: Run, repo: Path) -> None:
    result = transfer(files_graph)

    one_error(result, 1, "nothing to transfer", "run it with `pipetask run-qbb` first")
    with Butler(repo) as butler:
        assert not butler.collections.exists("out/1")


def test_unregistered_types_are_told(run: Run, repo: Path, files_graph: Path) -> None:
    well(run("pre-exec-init-qbb", repo, files_graph))
    well(run("run-qbb", repo, files_graph))

    given = ["transfer-from-graph", str(files_graph), str(repo)]
    result = CliRunner().invoke(butler_program, given, prog_name="butler")

    one_error(result, 1, "'measured'", "--register-dataset-types")
    with Butler(repo) as butler:
        assert not butler.collections.exists("out/1")


def test_what_runs_without_its_beginning_is_told_what_is_missing(
    run: Run, repo: Path, files_graph: Path
) -> None:
    result = run("run-qbb", repo, files_graph)

    one_error(result, 1, "measure_schema", "pre-exec-init-qbb")


def test_a_pipeline_that_makes_nothing_at_its_start_needs_no_beginning(
    run: Run, repo: Path, build: Callable[..., Path], transfer: Run
) -> None:
    file = build("--qgraph-datastore-records", "--until", "measure", name="measure.qg")

    well(run("run-qbb", repo, file))
    well(transfer(file))

    assert n_datasets(repo, "measured") == 4


# ---------------------------------------------------------------------- graphs
def test_files_stay_with_a_graph_that_is_rewritten(
    run: Run, repo: Path, files_graph: Path, tmp_path: Path, hidden: Callable[[], None]
) -> None:
    other = tmp_path / "other.qg"
    well(run("update-graph-run", files_graph, "out/2", other, "--update-graph-id"))

    hidden()
    well(run("pre-exec-init-qbb", repo, other))
    result = well(run("run-qbb", repo, other))

    assert "in run 'out/2'" in result.stdout
    with QuantumGraph.open(files_graph) as graph, QuantumGraph.open(other) as written:
        sql = "SELECT * FROM file ORDER BY dataset"
        assert graph.fetch(sql) == written.fetch(sql) != []


def test_journals_can_be_elsewhere(
    run: Run, repo: Path, files_graph: Path, transfer: Run, tmp_path: Path
) -> None:
    elsewhere = ["--journal", str(tmp_path / "journals")]
    well(run("pre-exec-init-qbb", repo, files_graph, *elsewhere))
    well(run("run-qbb", repo, files_graph, *elsewhere))
    told = well(run("report", repo, "out/1", *elsewhere))

    well(transfer(files_graph, *elsewhere))

    assert told.stdout.startswith("Run out/1\n")
    assert not (repo / "out/1/graphs").exists()
    assert n_datasets(repo, "merged") == 2
