"""``pipetask qgraph``: which quanta there are, what is shown and saved, and no more."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from pipetask.quantum_graph import QuantumGraph

Run = Callable[..., Result]
Snapshot = Callable[[Path], Any]


@pytest.fixture
def qgraph(run: Run, pristine_repo: Path, pipeline: Path) -> Run:
    """Return a function that builds the little pipeline's graph; the repository stays as it is."""

    def invoke(*args: object, inputs: str = "Cam/raw/all", repo: Path = pristine_repo) -> Result:
        return run(
            "qgraph", "-b", repo, "-p", pipeline, "-i", inputs, "--output-run", "out/1", *args
        )

    return invoke


def counts(result: Result) -> dict[str, int]:
    assert result.exit_code == 0, result.output
    rows = [line.split() for line in result.stdout.splitlines()[2:]]
    return {row[1]: int(row[0]) for row in rows}


def test_every_frame_has_a_quantum(qgraph: Run, pristine_repo: Path, snapshot: Snapshot) -> None:
    before = snapshot(pristine_repo)

    result = qgraph()

    assert counts(result) == {"measure": 4, "merge": 2}
    assert result.stderr == ""
    assert snapshot(pristine_repo) == before


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("exposure=1", {"measure": 2, "merge": 1}),
        ("detector=0", {"measure": 2, "merge": 2}),
        ("exposure IN (1..2) AND detector=1 AND instrument='Cam'", {"measure": 2, "merge": 2}),
        ("exposure.seq_num > 1", {"measure": 2, "merge": 1}),
    ],
)
def test_data_query_chooses(qgraph: Run, query: str, expected: dict[str, int]) -> None:
    assert counts(qgraph("-d", query)) == expected


def test_table_of_data_ids_chooses(qgraph: Run, tmp_path: Path) -> None:
    table = tmp_path / "ids.csv"
    table.write_text("exposure,detector\n1,0\n2,1\n2,0\n")

    assert counts(qgraph("--data-id-table", table)) == {"measure": 3, "merge": 2}


def test_several_tables_of_data_ids_choose_together(qgraph: Run, tmp_path: Path) -> None:
    first, second = tmp_path / "a.csv", tmp_path / "b.ecsv"
    first.write_text("exposure\n1\n")
    second.write_text("# %ECSV 1.0\n# ---\n# datatype:\n# - {name: detector, datatype: int64}\n"
                      "detector\n1\n")  # fmt: skip

    result = qgraph("--data-id-table", first, "--data-id-table", second)

    assert counts(result) == {"measure": 1, "merge": 1}


@pytest.mark.parametrize("constraint", ["all", "off", "raw"])
def test_constraint_by_existing_inputs_changes_no_graph(qgraph: Run, constraint: str) -> None:
    result = qgraph("--dataset-query-constraint", constraint)

    assert counts(result) == {"measure": 4, "merge": 2}
    # Where nothing has to exist, the frames that are missing are thought of, and told.
    assert ("without inputs" in result.stdout) is (constraint == "off")


def test_graph_and_summary_are_saved(qgraph: Run, tmp_path: Path) -> None:
    file, summary = tmp_path / "g.qg", tmp_path / "s.json"

    counts(qgraph("-q", file, "--summary", summary))

    with QuantumGraph.open(file) as graph:
        assert (len(graph), graph.output_run) == (6, "out/1")
        told = json.loads(summary.read_text())
        assert told["digest"] == graph.digest
    assert told["quanta"] == {"measure": 4, "merge": 2}
    assert told["counts"]["quantum"] == 6


def test_a_dry_run_says_the_same_and_writes_no_file(qgraph: Run, tmp_path: Path) -> None:
    options = ["save-qgraph", "save-pipeline", "pipeline-dot", "pipeline-mermaid", "qgraph-dot"]
    options += ["qgraph-mermaid", "summary"]
    folder = tmp_path / "files"
    folder.mkdir()
    files = [word for name in options for word in (f"--{name}", folder / name)]

    result = qgraph("--dry-run", *files)

    assert result.stdout == qgraph().stdout
    assert list(folder.iterdir()) == []
    assert qgraph(*files).exit_code == 0
    assert {path.name for path in folder.iterdir()} == set(options)


def test_the_same_request_gives_the_same_digest(qgraph: Run, tmp_path: Path) -> None:
    for name in ("a", "b"):
        counts(qgraph("-q", tmp_path / f"{name}.qg"))

    with QuantumGraph.open(tmp_path / "a.qg") as a, QuantumGraph.open(tmp_path / "b.qg") as b:
        assert a.digest == b.digest


def test_drawings_are_written(qgraph: Run, tmp_path: Path) -> None:
    names = {"--pipeline-dot": "digraph", "--pipeline-mermaid": "flowchart",
             "--qgraph-dot": "digraph", "--qgraph-mermaid": "flowchart"}  # fmt: skip
    files = {option: tmp_path / option for option in names}

    counts(qgraph(*(word for pair in files.items() for word in pair)))

    assert {o: f.read_text().split()[0] for o, f in files.items()} == names


@pytest.mark.parametrize(
    ("item", "parts"),
    [
        ("graph", ["merged", "measured", "detector: 1", "exposure: 2"]),
        ("workflow", ["measure", "merge"]),
        ("uri", ["file://", "out/1/merged"]),
        ("stages", ["raw"]),
        ("pipeline-graph", ["measure"]),
        ("inputs", ["raw"]),
    ],
)
def test_item_is_shown(qgraph: Run, item: str, parts: list[str]) -> None:
    result = qgraph("--show", item)

    assert result.exit_code == 0, result.output
    assert [part for part in parts if part not in result.stdout] == []


def test_quanta_that_another_run_did_are_left_out(
    run: Run, qgraph: Run, repo: Path, pipeline: Path
) -> None:
    first = ["run", "-b", repo, "-p", pipeline, "-i", "Cam/raw/all", "--register-dataset-types"]
    assert run(*first, "--output-run", "old", "-d", "exposure=1").exit_code == 0

    result = qgraph("--skip-existing-in", "old", inputs="old,Cam/raw/all", repo=repo)
    nothing = qgraph(
        "--skip-existing-in", "old", "-d", "exposure=1", inputs="old,Cam/raw/all", repo=repo
    )

    assert result.exit_code == 0
    table = [line.split() for line in result.stdout.splitlines()[2:]]
    assert [row[:3] for row in table] == [["2", "measure", "2"], ["1", "merge", "1"]]
    assert nothing.exit_code == 0
    assert nothing.stdout.startswith("Nothing to do: all quanta are done already")


def test_a_file_that_is_there_stays_if_no_graph_comes_of_it(qgraph: Run, tmp_path: Path) -> None:
    file = tmp_path / "g.qg"
    counts(qgraph("-q", file))
    before = file.read_bytes()

    result = qgraph("-q", file, "-d", "exposure=3")

    assert result.exit_code == 1
    assert file.read_bytes() == before
    assert [path.name for path in tmp_path.glob("g.qg*")] == ["g.qg"]


def test_check_graph_counts(run: Run, qgraph: Run, tmp_path: Path) -> None:
    file = tmp_path / "g.qg"
    counts(qgraph("-q", file))

    result = run("check-graph", file)

    assert result.exit_code == 0
    assert "whole" in result.stdout
    assert "6 quantum" in result.stdout
