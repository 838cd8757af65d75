"""``pipetask run --qgraph``: graphs from files, and parts of them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from butler_core import Butler
from pipetask.quantum_graph import QuantumGraph

Run = Callable[..., Result]


@pytest.fixture
def graph_file(run: Run, repo: Path, pipeline: Path, tmp_path: Path) -> Path:
    """Return the graph of the little pipeline: quanta 0 to 3 measure, 4 and 5 merge."""
    file = tmp_path / "little.qg"
    options = ["-i", "Cam/raw/all", "-o", "out", "--output-run", "out/1", "-q", file]
    result = run("qgraph", "-b", repo, "-p", pipeline, *options)
    assert result.exit_code == 0, result.output
    return file


@pytest.fixture
def run_graph(run: Run, repo: Path, graph_file: Path) -> Run:
    """Return a function that runs the graph."""

    def invoke(*args: object) -> Result:
        return run("run", "-b", repo, "-g", graph_file, "--register-dataset-types", *args)

    return invoke


def n_datasets(repo: Path, name: str) -> int:
    with Butler(repo) as butler:
        return len(list(butler.query_datasets(name, ["out/1"])))


def children(repo: Path, name: str = "out") -> tuple[str, ...]:
    with Butler(repo) as butler:
        return tuple(butler.collections.get_info(name).children)


def test_a_graph_brings_its_collections(run_graph: Run, repo: Path) -> None:
    result = run_graph()

    assert result.exit_code == 0, result.output
    assert children(repo) == ("out/1", "Cam/raw/all")
    assert n_datasets(repo, "merged") == 2


def test_a_run_that_exists_is_extended_only_where_that_is_said(
    run_graph: Run, repo: Path, snapshot: Callable[[Path], Any]
) -> None:
    assert run_graph().exit_code == 0
    before = snapshot(repo)

    refused, done = run_graph(), run_graph("--extend-run")

    assert refused.exit_code == 1
    assert "run 'out/1' of the graph exists already; use --extend-run" in refused.stderr
    assert done.exit_code == 0
    assert done.stdout == "Nothing to do: all 6 quanta asked for are done already.\n"
    assert snapshot(repo) == before


def test_parts_of_a_graph_make_the_whole(run_graph: Run, repo: Path, graph_file: Path) -> None:
    with QuantumGraph.open(graph_file) as graph:
        last = str(graph.quantum(5).id)

    parts = [
        run_graph("--qgraph-node-id", "0,1"),
        run_graph("--qgraph-node-id", "1,2", "--extend-run"),
        run_graph("--qgraph-node-id", "3", "--qgraph-node-id", last, "--extend-run"),
        run_graph("--extend-run"),
    ]

    assert [part.exit_code for part in parts] == [0, 0, 0, 0], [part.output for part in parts]
    names = ("measured", "measure_log", "measure_metadata", "merged", "merge_log")
    assert [n_datasets(repo, name) for name in names] == [4, 4, 4, 2, 2]


def test_a_part_that_needs_what_is_not_done_is_refused(
    run_graph: Run, repo: Path, snapshot: Callable[[Path], Any]
) -> None:
    before = snapshot(repo)

    result = run_graph("--qgraph-node-id", "4")

    assert result.exit_code == 1
    assert "needs the quanta 0, 2, which are not done" in result.stderr
    assert snapshot(repo) == before


def test_failed_quanta_of_a_graph_are_run_again(
    run: Run, repo: Path, pipeline: Path, tmp_path: Path
) -> None:
    cause, file = tmp_path / "cause", tmp_path / "g.qg"
    cause.touch()
    options = ["-i", "Cam/raw/all", "--output-run", "out/1", "-q", file]
    config = ("-c", f"measure:fails_while={str(cause)!r}")
    assert run("qgraph", "-b", repo, "-p", pipeline, *options, *config).exit_code == 0

    failed = run("run", "-b", repo, "-g", file, "--register-dataset-types")
    cause.unlink()
    resumed = run("run", "-b", repo, "-g", file, "--extend-run")

    assert (failed.exit_code, resumed.exit_code) == (1, 0), resumed.output
    assert n_datasets(repo, "measure_log") == 4


def test_outputs_of_half_done_quanta_are_replaced_only_where_that_is_said(
    run_graph: Run, repo: Path
) -> None:
    assert run_graph().exit_code == 0
    with Butler(repo, writeable=True) as butler:
        notes = butler.query_datasets("measure_metadata", ["out/1"], where="exposure=2")
        butler.prune_datasets(notes, unstore=True, purge=True)

    refused = run_graph("--extend-run")
    replaced = run_graph("--extend-run", "--clobber-outputs")

    assert refused.exit_code == 1
    assert "has 2 outputs of quanta that are not done, such as 'measured'" in refused.stderr
    assert replaced.exit_code == 0, replaced.output
    assert [n_datasets(repo, name) for name in ("measured", "measure_log", "merged")] == [4, 4, 2]


def test_what_came_into_the_chain_meanwhile_stays(
    run: Run, run_graph: Run, repo: Path, pipeline: Path, graph_file: Path
) -> None:
    options = ["-i", "Cam/raw/all", "-o", "out", "--output-run", "out/0", "-d", "exposure=1"]
    between = run("run", "-b", repo, "-p", pipeline, *options, "--register-dataset-types")
    assert between.exit_code == 0, between.output

    result = run_graph()

    assert result.exit_code == 0, result.output
    assert children(repo) == ("out/1", "out/0", "Cam/raw/all")


def test_the_id_of_a_graph_is_checked(run_graph: Run, graph_file: Path) -> None:
    with QuantumGraph.open(graph_file) as graph:
        right = graph.header["graph_id"]

    wrong = run_graph("--qgraph-id", "00000000-0000-0000-0000-000000000000")
    assert wrong.exit_code == 1
    assert f"has the id {right}, not 0000" in wrong.stderr
    assert run_graph("--qgraph-id", right, "--init-only").exit_code == 0


def test_a_graph_from_a_file_is_shown(run: Run, repo: Path, graph_file: Path) -> None:
    result = run("qgraph", "-b", repo, "-g", graph_file, "--show", "workflow")

    assert result.exit_code == 0, result.output
    assert "merge" in result.stdout


def test_parts_of_a_graph_run_one_after_the_other(
    run: Run, repo: Path, graph_file: Path, tmp_path: Path
) -> None:
    result = run("split-graph", graph_file, tmp_path / "parts")
    assert result.exit_code == 0, result.output
    assert [line.split("/")[-1] for line in result.stdout.splitlines()] == [
        "measure.qg: 4 quanta",
        "merge.qg: 2 quanta",
    ]

    for name, more in (("measure", []), ("merge", ["--extend-run"])):
        file = tmp_path / "parts" / f"{name}.qg"
        result = run("run", "-b", repo, "-g", file, "--register-dataset-types", *more)
        assert result.exit_code == 0, result.output

    assert n_datasets(repo, "merged") == 2


def test_a_graph_for_another_run_is_run_beside_the_first(
    run: Run, run_graph: Run, repo: Path, graph_file: Path, tmp_path: Path
) -> None:
    assert run_graph().exit_code == 0

    result = run("update-graph-run", graph_file, "out/2", tmp_path / "b.qg", "--update-graph-id")

    assert result.exit_code == 0, result.output
    assert result.stdout == f"{tmp_path / 'b.qg'}: 6 quanta for run out/2\n"
    result = run("run", "-b", repo, "-g", tmp_path / "b.qg")
    assert result.exit_code == 0, result.output
    with Butler(repo) as butler:
        assert butler.query_datasets("merged", "out/2").count() == 2


@pytest.mark.parametrize(
    ("typed", "code", "part"),
    [
        (["split-graph", "FILE", "DIR", "--task", "mesure"], 1, "no task 'mesure'"),
        (["split-graph", "FILE", "DIR", "--subset", "night"], 1, "no subset 'night'"),
        (["split-graph", "absent.qg", "DIR"], 1, "no quantum graph file 'absent.qg'"),
        (["update-graph-run", "FILE", "out/2", "FILE"], 1, "there is a file"),
        (["update-graph-run", "FILE", "a b*", "NEW"], 1, "a b*"),
        (["update-graph-run", "FILE", "out/2", "no/such/b.qg"], 1, "its directory does not exist"),
        (
            ["update-graph-run", "FILE", "o", "NEW", "--metadata-run-key", "r"],
            2,
            "under 'output_run'",
        ),
    ],
)
def test_bad_mutations_make_nothing(
    run: Run, graph_file: Path, tmp_path: Path, typed: list[str], code: int, part: str
) -> None:
    places = {"FILE": graph_file, "DIR": tmp_path / "parts", "NEW": tmp_path / "new.qg"}

    result = run(*(places.get(word, word) for word in typed))

    assert result.exit_code == code, result.output
    assert part in " ".join(result.stderr.split())
    assert "Traceback" not in result.output
    assert not (tmp_path / "parts").exists()
    assert not (tmp_path / "new.qg").exists()
