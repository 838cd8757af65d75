"""Quanta whose outputs exist: left out, done again, refused or replaced."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from graph_building import answer_of, build_graph, make_pipeline, resolve_pipeline
from graph_specs import UNITS, Connection, Task, simple
from graph_world import Datasets, World, make_world
from graph_world_data import raw_data_ids

from butler_core import Butler
from butler_core.errors import DatasetExistsError
from pipetask.errors import EmptyGraphError, NothingToDoError
from pipetask.execution.prepare import register_dataset_types
from pipetask.quantum_graph import GraphQuantum, QuantumGraph

TASKS = [
    simple("isr", "ED", ["raw:ED"]),
    Task(
        "calibrate", UNITS["ED"], {"frame": Connection("isrOut", UNITS["ED"], multiple=False)},
        outputs={
            "calexp": Connection("calexp", UNITS["ED"], multiple=False),
            "src": Connection("src", UNITS["ED"], multiple=False),
        },
    ),
    simple("summary", "E", ["calexp:ED"]),
]  # fmt: skip


@pytest.fixture
def world() -> World:
    world = make_world(5, n_detectors=2, n_exposures=3)
    world.datasets.append(Datasets("raw", UNITS["ED"], "raw/all", raw_data_ids(world)))
    return world


@pytest.fixture
def butler(world: World, make_repository: Callable[[World], Butler]) -> Butler:
    butler = make_repository(world)
    register_dataset_types(butler.repository, resolve_pipeline(butler, make_pipeline(TASKS)))
    return butler


def pretend(
    butler: Butler, graph: QuantumGraph, exists: Callable[[GraphQuantum, str], bool]
) -> set[Any]:
    """Register outputs of a graph as if they had been made; return their ids."""
    registry = butler.repository.registry
    made = set()
    for quantum in graph.iter_quanta():
        for name, refs in quantum.outputs.items():
            if not exists(quantum, name):
                continue
            for ref in refs:
                butler.collections.register(ref.run)
                registry.datasets.insert(
                    registry.dataset_types.get(ref.dataset_type.name),
                    registry.collections.get(ref.run),
                    {n: [ref.data_id[n]] for n in ref.dataset_type.dimensions.required},
                    ids=[ref.id.bytes],
                )
                made.add(ref.id)
    return made


def first_run(butler: Butler, path: Path, exists: Callable[[GraphQuantum, str], bool]) -> set[Any]:
    graph, _ = build_graph(butler, TASKS, ["raw/all"], path / "first.qg", output_run="u/1")
    with graph:
        return pretend(butler, graph, exists)


def counts(graph: QuantumGraph) -> dict[str, int]:
    return {task.label: task.n_quanta for task in graph.tasks}


def test_quanta_with_metadata_are_left_out_and_their_outputs_are_read(
    butler: Butler, tmp_path: Path
) -> None:
    first_run(
        butler, tmp_path, lambda q, name: q.task_label == "isr" and q.data_id["detector"] == 0
    )

    graph, report = build_graph(
        butler, TASKS, ["raw/all"], tmp_path / "a.qg", output_run="u/2", skip_existing_in=("u/1",)
    )

    assert counts(graph) == {"isr": 3, "calibrate": 6, "summary": 3}
    assert report.n_done["isr"] == 3
    for quantum in graph.iter_quanta(label="calibrate"):
        (ref,) = quantum.inputs["frame"]
        is_old = quantum.data_id["detector"] == 0
        assert ref.run == ("u/1" if is_old else "u/2")
        assert (ref.id in quantum.existing) == is_old
    graph.close()


def test_a_graph_of_which_all_is_done_says_that_nothing_is_to_do(
    butler: Butler, tmp_path: Path
) -> None:
    first_run(butler, tmp_path, lambda q, name: True)

    with pytest.raises(NothingToDoError, match="6 isr, 6 calibrate, 3 summary"):
        build_graph(
            butler, TASKS, ["raw/all"], tmp_path / "a.qg", output_run="u/2",
            skip_existing_in=("u/1",),
        )  # fmt: skip


def test_quanta_whose_outputs_all_exist_are_done_without_metadata(
    butler: Butler, tmp_path: Path
) -> None:
    first_run(butler, tmp_path, lambda q, name: not name.startswith("_"))

    with pytest.raises(NothingToDoError):
        build_graph(
            butler, TASKS, ["raw/all"], tmp_path / "a.qg", output_run="u/2",
            skip_existing_in=("u/1",),
        )  # fmt: skip


@pytest.mark.parametrize("some_are_done", [False, True])
def test_a_quantum_that_is_partly_done_is_done_again_under_new_ids(
    some_are_done: bool, butler: Butler, tmp_path: Path
) -> None:
    def exists(q: GraphQuantum, name: str) -> bool:
        is_whole = some_are_done and q.data_id["exposure"] == 1
        return q.task_label == "calibrate" and (name == "calexp" or is_whole)

    old = first_run(butler, tmp_path, exists)

    graph, _ = build_graph(
        butler, TASKS, ["raw/all"], tmp_path / "a.qg", output_run="u/2", skip_existing_in=("u/1",)
    )

    assert counts(graph)["calibrate"] == (4 if some_are_done else 6)
    for quantum in graph.iter_quanta(label="calibrate"):
        for refs in quantum.outputs.values():
            assert all(ref.run == "u/2" and ref.id not in old for ref in refs)
    for quantum in graph.iter_quanta(label="summary"):
        redone = not (some_are_done and quantum.data_id["exposure"] == 1)
        assert all((ref.run == "u/2") == redone for ref in quantum.inputs["in0"])
        assert all((ref.id in quantum.existing) != redone for ref in quantum.inputs["in0"])
    graph.close()


def test_what_found_no_work_is_done_and_what_needs_its_output_is_left_out(
    butler: Butler, tmp_path: Path
) -> None:
    first_run(
        butler, tmp_path,
        lambda q, name: q.task_label == "isr" and (name == "_metadata" or q.data_id["exposure"] > 1),
    )  # fmt: skip

    graph, report = build_graph(
        butler, TASKS, ["raw/all"], tmp_path / "a.qg", output_run="u/2", skip_existing_in=("u/1",)
    )

    assert counts(graph) == {"isr": 0, "calibrate": 4, "summary": 2}
    assert report.n_pruned["calibrate"] == 2
    assert {q.data_id["exposure"] for q in graph.iter_quanta()} == {2, 3}
    graph.close()


def test_outputs_that_the_run_has_are_refused(butler: Butler, tmp_path: Path) -> None:
    first_run(butler, tmp_path, lambda q, name: q.task_label == "isr")

    with pytest.raises(DatasetExistsError, match="run 'u/1' holds 6 of the 'isrOut'.*clobber"):
        build_graph(butler, TASKS, ["raw/all"], tmp_path / "a.qg", output_run="u/1")


def test_outputs_that_the_run_has_may_be_replaced(butler: Butler, tmp_path: Path) -> None:
    old = first_run(butler, tmp_path, lambda q, name: q.task_label == "isr")

    graph, _ = build_graph(
        butler, TASKS, ["raw/all"], tmp_path / "a.qg", output_run="u/1", clobber_outputs=True
    )

    assert counts(graph) == {"isr": 6, "calibrate": 6, "summary": 3}
    assert not old & {
        ref.id for q in graph.iter_quanta() for refs in q.outputs.values() for ref in refs
    }
    graph.close()


def test_a_run_is_extended_by_what_it_lacks(butler: Butler, tmp_path: Path) -> None:
    first_run(butler, tmp_path, lambda q, name: q.data_id["exposure"] == 1)

    graph, _ = build_graph(
        butler, TASKS, ["raw/all"], tmp_path / "a.qg", output_run="u/1", skip_existing_in=("u/1",)
    )

    assert counts(graph) == {"isr": 4, "calibrate": 4, "summary": 2}
    graph.close()


def test_a_partly_done_quantum_of_the_run_itself_is_refused(butler: Butler, tmp_path: Path) -> None:
    first_run(butler, tmp_path, lambda q, name: name == "calexp")

    with pytest.raises(DatasetExistsError, match="holds 6 of the 'calexp'"):
        build_graph(
            butler, TASKS, ["raw/all"], tmp_path / "a.qg", output_run="u/1",
            skip_existing_in=("u/1",),
        )  # fmt: skip


def test_outputs_of_others_do_not_hide_inputs(butler: Butler, tmp_path: Path) -> None:
    first_run(butler, tmp_path, lambda q, name: q.task_label == "isr")

    graph, _ = build_graph(butler, TASKS[1:], ["u/1"], tmp_path / "a.qg", output_run="u/2")

    found = answer_of(graph)
    assert {edge[4] for edge in found.edges if edge[2] == "frame"} == {"u/1"}
    graph.close()


def test_a_graph_without_outputs_to_make_names_what_is_lacking(
    butler: Butler, tmp_path: Path
) -> None:
    first_run(butler, tmp_path, lambda q, name: q.task_label == "isr" and name == "_metadata")

    with pytest.raises(EmptyGraphError, match="lack inputs: 6 calibrate.*6 isr are done"):
        build_graph(
            butler, TASKS, ["raw/all"], tmp_path / "a.qg", output_run="u/2",
            skip_existing_in=("u/1",),
        )  # fmt: skip
