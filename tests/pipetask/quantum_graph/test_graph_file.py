"""What is read from a graph file, and files that are not what they should be."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest
from graph_building import answer_of, build_graph
from graph_world_data import CHAIN, filled_world
from written_graph import TASKS

from butler_core import Butler
from pipetask.errors import GraphFileError, UnknownLabelError
from pipetask.quantum_graph import QuantumGraph, to_networkx


@pytest.fixture
def copy(written: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(written, tmp_path / "copy.qg"))


def altered(path: Path, *statements: str) -> Path:
    with duckdb.connect(str(path)) as connection:
        for statement in statements:
            connection.execute(statement)
    return path


# ------------------------------------------------------------------------ reading
def test_one_quantum_has_its_data_id_inputs_and_outputs(written: Path) -> None:
    with QuantumGraph.open(written) as graph:
        number = next(q.number for q in graph.iter_quanta(label="calibrate"))

        quantum = graph.quantum(number)

        assert quantum.task_label == "calibrate"
        assert quantum.data_id.dimensions.required == ("instrument", "detector", "visit")
        assert {ref.dataset_type.name for ref in quantum.inputs["in0"]} == {"isrOut"}
        assert {ref.data_id["exposure"] for ref in quantum.inputs["in0"]} != set()
        (output,) = quantum.outputs["out"]
        assert output.run == "u/out"
        assert set(quantum.outputs) == {"out", "_metadata", "_log"}
        assert quantum.existing == frozenset()


def test_quanta_come_in_order_whatever_was_asked_for(written: Path) -> None:
    with QuantumGraph.open(written) as graph:
        found = graph.quanta([3, 1, 7, 1])

        assert [q.number for q in found] == [1, 3, 7]
        assert found == [graph.quantum(n) for n in (1, 3, 7)]
        assert list(graph.iter_quanta(chunk=4)) == list(graph.iter_quanta())
        assert [q.number for q in graph.iter_quanta()] == list(range(len(graph)))


def test_a_number_or_label_that_is_not_there_is_said_so(written: Path) -> None:
    with QuantumGraph.open(written) as graph:
        with pytest.raises(GraphFileError, match="has no quantum 9999"):
            graph.quantum(9999)
        with pytest.raises(UnknownLabelError, match="calibrat"):
            graph.task("calibrat")


def test_dependencies_follow_from_edges(written: Path) -> None:
    with QuantumGraph.open(written) as graph:
        before, after = graph.dependencies()

        quanta = list(graph.iter_quanta())
    writers = {r.id: q.number for q in quanta for refs in q.outputs.values() for r in refs}
    wanted = {
        (writers[r.id], q.number)
        for q in quanta
        for refs in q.inputs.values()
        for r in refs
        if r.id in writers
    }
    pairs = list(zip(before.tolist(), after.tolist(), strict=True))
    assert set(pairs) == wanted
    assert len(pairs) == len(wanted)


def test_consumers_are_counted(written: Path) -> None:
    with QuantumGraph.open(written) as graph:
        counts = graph.consumer_counts()

        numbers = [
            q.numbers[r.id] for q in graph.iter_quanta() for refs in q.inputs.values() for r in refs
        ]
        assert len(counts) == graph.counts()["dataset"]
    assert counts.tolist() == [numbers.count(n) for n in range(len(counts))]


def test_the_header_says_what_was_asked(written: Path) -> None:
    with QuantumGraph.open(written) as graph:
        assert graph.output_run == "u/out"
        assert graph.header["input_collections"] == '["in"]'
        assert graph.header["where"] == ""
        assert len(graph.digest) > 32
        assert [t.label for t in graph.tasks] == ["isr", "calibrate", "summary"]
        assert sum(t.n_quanta for t in graph.tasks) == len(graph) == graph.counts()["quantum"]
        assert "isrOut" in {t.name for t in graph.dataset_types}


def test_a_file_can_be_opened_twice_at_once(written: Path) -> None:
    with QuantumGraph.open(written) as one, QuantumGraph.open(written) as other:
        assert answer_of(one) == answer_of(other)


def test_a_graph_built_over_an_open_one_is_read_anew(
    make_repository: Callable[[Any], Butler], tmp_path: Path
) -> None:
    butler = make_repository(filled_world(1))
    first, _ = build_graph(butler, TASKS, [CHAIN], tmp_path / "a.qg")

    second, _ = build_graph(butler, TASKS[:1], [CHAIN], tmp_path / "a.qg", output_run="u/2")

    assert (len(second.tasks), second.output_run) == (1, "u/2")
    first.close()
    second.close()


def test_the_networkx_view_has_every_quantum_dataset_and_edge(written: Path) -> None:
    with QuantumGraph.open(written) as graph:
        view = to_networkx(graph)

        counts = graph.counts()
        quantum = graph.quantum(0)
    assert sum(kind == "quantum" for kind, _ in view) == counts["quantum"]
    assert sum(kind == "dataset" for kind, _ in view) == counts["dataset"]
    assert view.number_of_edges() == counts["edge"]
    (raw,) = quantum.inputs["in0"]
    assert view.edges[("dataset", raw.id), ("quantum", 0)]["connections"] == ("in0",)
    assert view.nodes["quantum", 0]["data_id"] == quantum.data_id


# ------------------------------------------------------------------------- faults
def test_a_file_that_is_not_there_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(GraphFileError, match="there is no quantum graph file"):
        QuantumGraph.open(tmp_path / "no.qg")


@pytest.mark.parametrize("content", [b"", b"no graph\n" * 2000, b"\0" * 100_000])
def test_a_file_of_something_else_is_refused(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "a.qg"
    path.write_bytes(content)

    with pytest.raises(
        GraphFileError, match="not a quantum graph|cannot be opened as a quantum graph"
    ):
        QuantumGraph.open(path)


def read_all(path: Path) -> None:
    with QuantumGraph.open(path) as graph:
        assert len(graph.header) > 3
        graph.dependencies()
        graph.consumer_counts()
        graph.task_numbers()
        for _ in graph.iter_quanta():
            pass


@pytest.mark.parametrize("part", [0.02, 0.3, 0.6, 0.95])
def test_a_truncated_file_is_refused(part: float, copy: Path) -> None:
    content = copy.read_bytes()
    copy.write_bytes(content[: int(len(content) * part)])

    with pytest.raises(GraphFileError):
        read_all(copy)


def test_altered_bytes_are_found_when_they_are_read(copy: Path) -> None:
    content = copy.read_bytes()
    n_found = 0
    for place in range(4096, len(content), len(content) // 25):
        copy.write_bytes(content[:place] + bytes([content[place] ^ 0x55]) + content[place + 1 :])
        try:
            read_all(copy)
        except GraphFileError:
            n_found += 1
    copy.write_bytes(content)
    read_all(copy)
    assert n_found > 10


@pytest.mark.parametrize(
    "statements",
    [
        ["CREATE VIEW more AS SELECT 1"],
        ["CREATE TABLE more (a INTEGER)"],
        ["DROP TABLE edge"],
        ["ALTER TABLE edge RENAME TO old", "CREATE VIEW edge AS SELECT * FROM old"],
        ["ALTER TABLE quantum DROP COLUMN id"],
        ["ALTER TABLE edge ALTER COLUMN dataset TYPE VARCHAR"],
        ["CREATE SCHEMA other", "CREATE TABLE other.edge AS FROM main.edge"],
    ],
)
def test_other_tables_than_a_graph_s_are_refused(statements: list[str], copy: Path) -> None:
    altered(copy, *statements)

    with pytest.raises(GraphFileError, match="not a quantum graph of ours"):
        QuantumGraph.open(copy)


def test_functions_that_a_file_defines_are_never_called(written: Path, copy: Path) -> None:
    altered(
        copy,
        "CREATE MACRO count(x) AS 7",
        "CREATE MACRO unnest(x) AS 7",
        "CREATE MACRO duckdb_columns() AS TABLE SELECT 7",
        "CREATE MACRO quantum() AS TABLE SELECT 7",
    )

    with QuantumGraph.open(written) as graph, QuantumGraph.open(copy) as other:
        assert other.counts() == graph.counts()
        assert list(other.iter_quanta()) == list(graph.iter_quanta())
        assert other.quanta([0, 2]) == graph.quanta([0, 2])


@pytest.mark.parametrize("version", ["2", "999", "", "one"])
def test_a_version_that_is_not_known_is_refused(version: str, copy: Path) -> None:
    altered(copy, f"UPDATE header SET value = '{version}' WHERE name = 'format_version'")

    with pytest.raises(GraphFileError, match=f"has version '{version}' of the graph format"):
        QuantumGraph.open(copy)


@pytest.mark.parametrize(
    "name", ["output_run", "digest", "dataset_types", "dimension_groups", "universe"]
)
def test_a_header_that_lacks_an_entry_is_refused(name: str, copy: Path) -> None:
    altered(copy, f"DELETE FROM header WHERE name = '{name}'")

    with pytest.raises(GraphFileError, match=f"its header lacks '{name}'"):
        QuantumGraph.open(copy)


def test_a_graph_cannot_be_written_where_there_is_no_directory(
    make_repository: Callable[[Any], Butler], tmp_path: Path
) -> None:
    butler = make_repository(filled_world(1))

    with pytest.raises(GraphFileError, match="its directory does not exist"):
        build_graph(butler, TASKS, [CHAIN], tmp_path / "no" / "a.qg")


def test_a_file_with_a_quote_in_its_name_is_written_and_read(
    make_repository: Callable[[Any], Butler], tmp_path: Path
) -> None:
    butler = make_repository(filled_world(1))

    graph, _ = build_graph(butler, TASKS[:1], [CHAIN], tmp_path / 'it\'s; a "graph".qg')

    with graph:
        assert len(graph) > 0
    assert [p.name for p in tmp_path.glob("*graph*")] == ['it\'s; a "graph".qg']
