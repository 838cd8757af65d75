"""How many datasets a quantum needs, takes and finds; prerequisites that tasks find themselves."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from graph_building import answer_of, build_graph
from graph_specs import UNITS, Connection, Task, simple
from graph_world import SECOND, START, Datasets, World, make_world
from graph_world_data import raw_data_ids

from butler_core import Butler
from butler_core.errors import AmbiguousDatasetError, DatasetNotFoundError
from pipetask.errors import GraphBuildError, TaskConnectionError

Make = Callable[[World], Butler]
RAW = Connection("raw", UNITS["ED"])
OUT = {"out": Connection("out", UNITS["ED"], multiple=False)}


@pytest.fixture
def world() -> World:
    """Return a world of three exposures; the third has one raw only, the others two."""
    world = make_world(5, n_detectors=2, n_exposures=3)
    data_ids = [d for d in raw_data_ids(world) if (d["exposure"], d["detector"]) != (3, 1)]
    world.datasets.append(Datasets("raw", UNITS["ED"], "raw/all", data_ids))
    return world


def exposures(found: Any, label: str) -> set[int]:
    return {dict(key)["exposure"] for name, key in found.quanta if name == label}


@pytest.mark.parametrize("via_task", [False, True])
def test_quanta_with_fewer_inputs_than_the_minimum_are_left_out(
    via_task: bool, world: World, make_repository: Make, tmp_path: Path
) -> None:
    name = "isrOut" if via_task else "raw"
    gather = Task("gather", UNITS["E"], {"x": Connection(name, UNITS["ED"], minimum=2)},
                  outputs={"out": Connection("sum", UNITS["E"], multiple=False)})  # fmt: skip

    graph, report = build_graph(
        make_repository(world), [simple("isr", "ED", ["raw:ED"]), gather], ["raw/all"],
        tmp_path / "a.qg",
    )  # fmt: skip

    assert exposures(answer_of(graph), "gather") == {1, 2}
    assert report.n_pruned == {"isr": 0, "gather": 1}
    graph.close()


def test_what_no_quantum_has_left_to_read_is_no_longer_needed_downstream(
    world: World, make_repository: Make, tmp_path: Path
) -> None:
    gather = Task("gather", UNITS["E"], {"x": Connection("raw", UNITS["ED"], minimum=2)},
                  outputs={"out": Connection("sum", UNITS["E"], multiple=False)})  # fmt: skip
    after = simple("after", "ED", ["sum:E", "raw:ED"])

    graph, _ = build_graph(make_repository(world), [gather, after], ["raw/all"], tmp_path / "a.qg")

    assert exposures(answer_of(graph), "after") == {1, 2}
    graph.close()


def test_an_optional_input_constrains_nothing(
    world: World, make_repository: Make, tmp_path: Path
) -> None:
    world.datasets.append(
        Datasets("hint", UNITS["E"], "raw/all", [{"instrument": "Cam", "exposure": 2}])
    )
    task = Task("isr", UNITS["ED"], {"raw": RAW, "hint": Connection("hint", UNITS["E"], minimum=0)},
                outputs=OUT)  # fmt: skip

    graph, _ = build_graph(make_repository(world), [task], ["raw/all"], tmp_path / "a.qg")

    found = answer_of(graph)
    assert exposures(found, "isr") == {1, 2, 3}
    hinted = {dict(edge[1])["exposure"] for edge in found.edges if edge[2] == "hint"}
    assert hinted == {2}
    graph.close()


def test_an_optional_input_may_be_of_no_registered_type(
    world: World, make_repository: Make, tmp_path: Path
) -> None:
    task = Task("isr", UNITS["ED"], {"raw": RAW, "hint": Connection("hint", UNITS["E"], minimum=0)},
                outputs=OUT)  # fmt: skip

    graph, _ = build_graph(make_repository(world), [task], ["raw/all"], tmp_path / "a.qg")

    assert exposures(answer_of(graph), "isr") == {1, 2, 3}
    graph.close()


def test_several_datasets_for_a_single_input_are_refused(
    world: World, make_repository: Make, tmp_path: Path
) -> None:
    single = Task("sum", UNITS["E"], {"x": Connection("raw", UNITS["ED"], multiple=False)},
                  outputs={"out": Connection("sum", UNITS["E"], multiple=False)})  # fmt: skip

    with pytest.raises(
        TaskConnectionError, match=r"sum\.x takes one 'raw', but 2 quanta.*multiple=True"
    ):
        build_graph(make_repository(world), [single], ["raw/all"], tmp_path / "a.qg")


def test_several_datasets_for_a_single_output_are_refused(
    world: World, make_repository: Make, tmp_path: Path
) -> None:
    single = Task("split", UNITS["E"], {"x": RAW}, outputs=OUT)

    with pytest.raises(TaskConnectionError, match=r"split\.out takes one 'out'"):
        build_graph(make_repository(world), [single], ["raw/all"], tmp_path / "a.qg")


def test_a_single_input_of_other_dimensions_is_taken_where_there_is_one(
    world: World, make_repository: Make, tmp_path: Path
) -> None:
    single = Task("sum", UNITS["E"], {"x": Connection("raw", UNITS["ED"], multiple=False)},
                  outputs={"out": Connection("sum", UNITS["E"], multiple=False)})  # fmt: skip

    graph, _ = build_graph(
        make_repository(world), [single], ["raw/all"], tmp_path / "a.qg", where="detector = 0"
    )

    assert exposures(answer_of(graph), "sum") == {1, 2, 3}
    graph.close()


def test_parts_that_share_nothing_but_inputs_do_not_constrain_one_another(
    world: World, make_repository: Make, tmp_path: Path
) -> None:
    for name in ("visit_definition", "visit_system_membership", "visit_detector_region", "visit"):
        kept = [row for row in world.records[name] if row.get("visit", row.get("id")) != 102]
        world.records[name] = kept
    calibrate = simple("calibrate", "VD", ["raw:ED"])

    graph, report = build_graph(
        make_repository(world), [simple("isr", "ED", ["raw:ED"]), calibrate], ["raw/all"],
        tmp_path / "a.qg",
    )  # fmt: skip

    found = answer_of(graph)
    assert exposures(found, "isr") == {1, 2, 3}
    visits = {dict(key)["visit"] for label, key in found.quanta if label == "calibrate"}
    assert visits == {row["id"] for row in world.rows("visit")}
    assert 102 not in visits
    raws = [ref for quantum in graph.iter_quanta() for ref in quantum.inputs["in0"]]
    assert len({ref.id for ref in raws}) == 5
    assert graph.counts()["dataset"] == 5 + 3 * len(found.quanta)
    assert report.n_pruned == {"isr": 0, "calibrate": 0}
    graph.close()


def test_a_part_without_data_ids_leaves_the_others(
    world: World, make_repository: Make, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for name in ("tract", "patch", "skymap"):
        del world.records[name]
    warp = simple("warp", "PV", ["raw:ED"])

    graph, _ = build_graph(
        make_repository(world), [warp, simple("isr", "ED", ["raw:ED"])], ["raw/all"],
        tmp_path / "a.qg",
    )  # fmt: skip

    assert {task.label: task.n_quanta for task in graph.tasks} == {"isr": 5, "warp": 0}
    assert "nothing to do for warp" in caplog.text
    assert "register-skymap" in caplog.text
    graph.close()


# ------------------------------------------------------------------- calibrations
def with_biases(world: World, ranges: list[tuple[str, int, int]]) -> World:
    biases = [{"instrument": "Cam", "detector": d} for d in (0, 1)]
    for run in dict.fromkeys(run for run, _, _ in ranges):
        world.datasets.append(Datasets("bias", UNITS["D"], run, biases, is_calibration=True))
    world.certified += [
        ("calib", "bias", run, bias, START + begin * SECOND, START + end * SECOND)
        for run, begin, end in ranges
        for bias in biases
    ]
    return world


def isr(**bias: Any) -> list[Task]:
    options = {"multiple": False, "is_calibration": True, **bias}
    connection = Connection("bias", UNITS["D"], **options)
    return [Task("isr", UNITS["ED"], {"raw": RAW}, {"bias": connection}, OUT)]


#: Exposure 1 is at 0-30 s, exposure 2 at one day and 60-90 s, exposure 3 at 120-150 s.
DAY = 86400


def test_the_range_that_overlaps_the_exposure_decides(
    world: World, make_repository: Make, tmp_path: Path
) -> None:
    butler = make_repository(
        with_biases(world, [("b/1", 0, 30), ("b/2", 30, DAY), ("b/3", DAY, 2 * DAY)])
    )

    graph, _ = build_graph(butler, isr(), ["raw/all", "calib"], tmp_path / "a.qg")

    runs = {(q.data_id["exposure"], q.inputs["bias"][0].run) for q in graph.iter_quanta()}
    assert runs == {(1, "b/1"), (2, "b/3"), (3, "b/2")}
    graph.close()


def test_two_ranges_within_one_exposure_are_ambiguous(
    world: World, make_repository: Make, tmp_path: Path
) -> None:
    butler = make_repository(with_biases(world, [("b/1", 0, 15), ("b/2", 15, 2 * DAY)]))

    with pytest.raises(
        AmbiguousDatasetError, match="2 quanta have several, such as .*'exposure': 1"
    ):
        build_graph(butler, isr(), ["raw/all", "calib"], tmp_path / "a.qg")


def test_a_quantum_without_a_time_meets_all_ranges(
    world: World, make_repository: Make, tmp_path: Path
) -> None:
    butler = make_repository(with_biases(world, [("b/1", 0, 15), ("b/2", 15, 2 * DAY)]))
    bias = Connection("bias", UNITS["D"], is_calibration=True, multiple=True)
    tasks = [Task("mean", UNITS["D"], {"raw": RAW}, {"bias": bias},
                  {"out": Connection("mean", UNITS["D"], multiple=False)})]  # fmt: skip

    graph, _ = build_graph(butler, tasks, ["raw/all", "calib"], tmp_path / "a.qg")

    assert [len(q.inputs["bias"]) for q in graph.iter_quanta()] == [2, 2]
    graph.close()


def test_an_exposure_outside_all_ranges_lacks_its_calibration(
    world: World, make_repository: Make, tmp_path: Path
) -> None:
    butler = make_repository(with_biases(world, [("b/1", 0, DAY)]))

    with pytest.raises(
        DatasetNotFoundError, match="2 quanta have fewer.*'exposure': 2.*other data IDs or times"
    ):
        build_graph(butler, isr(), ["raw/all", "calib"], tmp_path / "a.qg")


def test_a_prerequisite_with_minimum_zero_may_be_missing(
    world: World, make_repository: Make, tmp_path: Path
) -> None:
    butler = make_repository(with_biases(world, [("b/1", 0, DAY)]))

    graph, _ = build_graph(butler, isr(minimum=0), ["raw/all", "calib"], tmp_path / "a.qg")

    counts = {q.data_id["exposure"]: len(q.inputs["bias"]) for q in graph.iter_quanta()}
    assert counts == {1: 1, 2: 0, 3: 1}
    graph.close()


def test_skypix_prerequisites_need_a_region(
    world: World, make_repository: Make, tmp_path: Path
) -> None:
    world.datasets.append(Datasets("refcat", ("htm7",), "refcats", [{"htm7": 200000}]))
    tasks = [Task("isr", UNITS["ED"], {"raw": RAW}, {"ref": Connection("refcat", ("htm7",))}, OUT)]

    with pytest.raises(GraphBuildError, match=r"isr\.ref reads 'refcat' by htm7.*has no region"):
        build_graph(make_repository(world), tasks, ["raw/all", "refcats"], tmp_path / "a.qg")


# --------------------------------------------------------------- lookup functions
def test_a_lookup_function_finds_prerequisites_in_its_own_way(
    world: World, make_repository: Make, tmp_path: Path
) -> None:
    asked = []

    def of_neighbour(dataset_type: Any, registry: Any, data_id: Any, collections: Any) -> list[Any]:
        asked.append((dataset_type.name, data_id["physical_filter"], tuple(collections)))
        wanted = {"instrument": "Cam", "detector": 1 - data_id["detector"]}
        ref = butler.find_dataset("bias", wanted, collections=["b/1"])
        return [ref] if data_id["exposure"] < 3 else []

    butler = make_repository(with_biases(world, [("b/1", 0, DAY)]))

    graph, _ = build_graph(
        butler, isr(lookup=of_neighbour, minimum=0), ["raw/all", "calib"], tmp_path / "a.qg"
    )

    found = {
        (q.data_id["exposure"], q.data_id["detector"]): [
            r.data_id["detector"] for r in q.inputs["bias"]
        ]
        for q in graph.iter_quanta()
    }
    assert found == {(1, 0): [1], (1, 1): [0], (2, 0): [1], (2, 1): [0], (3, 0): []}
    assert len(asked) == 5
    assert all(name == "bias" and where == ("raw/all", "calib") for name, _, where in asked)
    graph.close()


def test_a_lookup_function_that_finds_too_little_is_named(
    world: World, make_repository: Make, tmp_path: Path
) -> None:
    butler = make_repository(with_biases(world, [("b/1", 0, DAY)]))

    with pytest.raises(DatasetNotFoundError, match=r"isr\.bias needs a 'bias'.*5 quanta"):
        build_graph(butler, isr(lookup=lambda *_: []), ["raw/all", "calib"], tmp_path / "a.qg")
