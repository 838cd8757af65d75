"""Parts of a graph file, and the same graph for another run."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipetask.errors import GraphFileError, UnknownLabelError
from pipetask.quantum_graph import QuantumGraph
from pipetask.quantum_graph.graph_parts import chosen_parts
from pipetask.quantum_graph.rewrite import extract, update_run


def test_parts_by_task_have_every_quantum_once(written: Path, tmp_path: Path) -> None:
    with QuantumGraph.open(written) as graph:
        parts = chosen_parts(graph)
        before = {q.id: q for q in graph.iter_quanta()}
        after = {}
        for name, numbers in parts.items():
            with extract(graph, numbers, tmp_path / f"{name}.qg") as part:
                part.check()
                found = list(part.iter_quanta())
                assert [q.number for q in found] == list(range(len(part)))
                assert {q.task_label for q in found} == {name}
                after |= {q.id: q for q in found}

    assert list(parts) == ["isr", "calibrate", "summary"]
    assert after.keys() == before.keys()
    for id_, quantum in after.items():
        assert quantum.inputs == before[id_].inputs
        assert quantum.outputs == before[id_].outputs
        assert quantum.data_id == before[id_].data_id


def test_what_another_part_makes_counts_as_existing(written: Path, tmp_path: Path) -> None:
    with QuantumGraph.open(written) as graph:
        numbers = chosen_parts(graph, ["calibrate"])["calibrate"]
        with extract(graph, numbers, tmp_path / "b.qg") as part:
            quantum = part.quantum(0)

    (inputs,) = quantum.inputs.values()
    assert quantum.existing == {ref.id for ref in inputs}
    assert {ref.run for ref in inputs} == {"u/out"}


def test_what_the_part_itself_makes_does_not(written: Path, tmp_path: Path) -> None:
    with QuantumGraph.open(written) as graph:
        numbers = [q.number for q in graph.iter_quanta() if q.task_label != "summary"]
        with extract(graph, numbers, tmp_path / "b.qg") as part:
            calibrated = list(part.iter_quanta(label="calibrate"))
            before, _ = part.dependencies()

    assert all(quantum.existing == frozenset() for quantum in calibrated)
    assert len(before) == sum(len(q.inputs["in0"]) for q in calibrated)


def test_a_graph_for_another_run_differs_in_run_and_ids_alone(
    written: Path, tmp_path: Path
) -> None:
    with (
        QuantumGraph.open(written) as graph,
        update_run(graph, "u/other", tmp_path / "b.qg", {"note": "again"}) as other,
    ):
        assert other.output_run == "u/other"
        assert other.header["note"] == "again"
        assert other.digest == graph.digest
        assert other.counts() == graph.counts()
        for ours, theirs in zip(graph.iter_quanta(), other.iter_quanta(), strict=True):
            assert (ours.id, ours.data_id) == (theirs.id, theirs.data_id)
            for name, refs in theirs.outputs.items():
                assert {ref.run for ref in refs} == {"u/other"}
                assert {r.id for r in refs}.isdisjoint({r.id for r in ours.outputs[name]})
                assert [r.data_id for r in refs] == [r.data_id for r in ours.outputs[name]]
            if ours.task_label == "isr":
                assert ours.inputs == theirs.inputs


def test_an_old_file_is_never_replaced(written: Path) -> None:
    with QuantumGraph.open(written) as graph:
        with pytest.raises(GraphFileError, match="there is a file .* already"):
            extract(graph, [0], written)
        with pytest.raises(GraphFileError, match="there is a file .* already"):
            update_run(graph, "u/b", written)


def test_nothing_makes_no_file(written: Path, tmp_path: Path) -> None:
    with QuantumGraph.open(written) as graph, pytest.raises(GraphFileError, match="no quantum"):
        extract(graph, [], tmp_path / "b.qg")

    assert list(tmp_path.iterdir()) == []


def test_unknown_tasks_and_subsets_are_told(written: Path) -> None:
    with QuantumGraph.open(written) as graph:
        with pytest.raises(UnknownLabelError, match="no task 'ist'"):
            chosen_parts(graph, ["ist"])
        with pytest.raises(UnknownLabelError, match="no subset 'all'"):
            chosen_parts(graph, subsets=["all"])
