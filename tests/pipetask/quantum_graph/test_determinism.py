"""The same request gives the same graph, whatever the number of threads and the size."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from graph_building import build_graph
from graph_specs import UNITS, Connection, Task, random_pipeline, simple
from graph_world import Datasets, World, make_world
from graph_world_data import CALIBRATIONS, CHAIN, RUNS, certify_biases, filled_world

from butler_core import Butler
from pipetask.errors import EmptyGraphError

Make = Callable[[World], Butler]


def test_the_digest_is_the_same_with_any_number_of_threads(
    make_repository: Make, tmp_path: Path
) -> None:
    world = filled_world(7, n_detectors=4, n_exposures=8)
    certify_biases(world, 7)
    butler = make_repository(world)
    bias = Connection("bias", UNITS["D"], is_calibration=True)
    tasks = [
        Task("isr", UNITS["ED"], {"raw": Connection("raw", UNITS["ED"])}, {"bias": bias},
             {"out": Connection("frame", UNITS["ED"], multiple=False)}),
        simple("calibrate", "VD", ["frame:ED"]), simple("warp", "PV", ["calibrateOut:VD"]),
        simple("coadd", "PB", ["warpOut:PV"]),
    ]  # fmt: skip
    seen = []
    for threads in (1, 2, 4):
        graph, _ = build_graph(
            butler, tasks, [*RUNS, *CALIBRATIONS], tmp_path / "a.qg", n_threads=threads
        )
        with graph:
            rows = [
                graph.fetch(f"SELECT {columns} FROM {table} ORDER BY ALL")
                for table, columns in (
                    ("quantum", "quantum, task, data_id"),
                    ("dataset", "dataset, dataset_type, data_id, run"),
                    ("edge", "*"),
                    ("data_id", "*"),
                )
            ]
            seen.append((graph.digest, rows, [q.data_id for q in graph.iter_quanta()]))

    assert all(one == seen[0] for one in seen)
    assert len(seen[0][2]) > 30


def test_other_requests_have_other_digests(make_repository: Make, tmp_path: Path) -> None:
    butler = make_repository(filled_world(1))
    digests = set()
    n_built = 0
    for seed in range(2):
        for where in ("", "exposure < 3", "detector = 1"):
            path = tmp_path / f"{n_built}.qg"
            try:
                graph, _ = build_graph(butler, random_pipeline(seed), [CHAIN], path, where=where)
            except EmptyGraphError:
                continue
            n_built += 1
            digests.add(graph.digest)
            graph.close()

    assert n_built > 3
    assert len(digests) == n_built


def test_ids_are_new_in_every_graph_but_for_what_exists(
    make_repository: Make, tmp_path: Path
) -> None:
    butler = make_repository(filled_world(1))
    ids: list[tuple[set[Any], set[Any]]] = []
    for i in range(2):
        graph, _ = build_graph(
            butler, [simple("isr", "ED", ["raw:ED"])], [CHAIN], tmp_path / f"{i}.qg"
        )
        with graph:
            quanta = list(graph.iter_quanta())
        made = {r.id for q in quanta for refs in q.outputs.values() for r in refs}
        ids.append(({r.id for q in quanta for r in q.inputs["in0"]}, made | {q.id for q in quanta}))

    assert ids[0][0] == ids[1][0]
    assert not ids[0][1] & ids[1][1]
    assert all(id_.version == 7 for id_ in ids[0][1])


@pytest.mark.parametrize("n_threads", [1, 2])
def test_a_dense_gather_and_scatter_has_all_edges(
    n_threads: int, make_repository: Make, tmp_path: Path
) -> None:
    size = 200
    world = make_world(1, n_detectors=1, n_exposures=1)
    world.records["detector"] = [
        {**world.records["detector"][0], "id": i, "full_name": f"S{i}"} for i in range(size)
    ]
    world.records["instrument"][0]["detector_max"] = size
    group = world.records["group"][0]
    del world.records["exposure"]
    world.records["group"] = [{**group, "name": f"g{i}"} for i in range(size)]
    for name in [n for n in world.records if n.startswith("visit") and n != "visit_system"]:
        del world.records[name]
    starts = [{"instrument": "Cam", "group": f"g{i}"} for i in range(size)]
    world.datasets.append(Datasets("start", ("instrument", "group"), "in/all", starts))
    butler = make_repository(world)
    tasks = [
        Task("scatter", ("instrument", "group"),
             {"x": Connection("start", ("instrument", "group"), multiple=False)},
             outputs={"y": Connection("middle", ("instrument", "group"), multiple=False)}),
        Task("gather", UNITS["D"], {"y": Connection("middle", ("instrument", "group"))},
             outputs={"z": Connection("end", UNITS["D"], multiple=False)}),
    ]  # fmt: skip

    graph, _ = build_graph(butler, tasks, ["in/all"], tmp_path / "a.qg", n_threads=n_threads)

    with graph:
        assert len(graph) == 2 * size
        n_notes = 2 * 2 * size
        assert graph.counts()["edge"] == size * size + 3 * size + n_notes
        quantum = graph.quantum(2 * size - 1)
        assert len(quantum.inputs["y"]) == size
        before, after = graph.dependencies()
        assert len(before) == len(after) == size * size
