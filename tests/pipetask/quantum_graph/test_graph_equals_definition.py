"""Graphs of random pipelines in random worlds, compared with their definition."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from graph_building import answer_of, build_graph
from graph_oracle import Answer, Oracle
from graph_specs import UNITS, Connection, Task, random_condition, random_pipeline, simple
from graph_world_data import CALIBRATIONS, CHAIN, RUNS, certify_biases, filled_world

from butler_core import Butler
from butler_core.errors import DatasetNotFoundError
from pipetask.errors import EmptyGraphError

Make = Callable[[Any], Butler]


def built(
    butler: Butler, tasks: list[Task], inputs: list[str], path: Path, **request: Any
) -> Answer:
    try:
        graph, _ = build_graph(butler, tasks, inputs, path, **request)
    except EmptyGraphError:
        return Answer()
    with graph:
        return answer_of(graph)


@pytest.mark.parametrize("seed", range(4))
def test_quanta_and_edges_are_the_projections_of_a_natural_join(
    seed: int, make_repository: Make, tmp_path: Path
) -> None:
    world = filled_world(seed, two_cameras=seed % 2 == 0)
    butler = make_repository(world)
    for part in range(3):
        tasks = random_pipeline((seed, part))
        names = Oracle(world, butler.dimensions, tasks, RUNS).group().names
        data_id = {"instrument": "Cam"} if part == 2 and "instrument" in names else {}
        where = random_condition((seed, part), names)
        if part == 0:
            oracle = Oracle(world, butler.dimensions, tasks, RUNS, data_id=data_id)
            text = ""
        else:
            oracle = Oracle(
                world, butler.dimensions, tasks, RUNS, data_id=data_id, holds=where.holds,
                looks_at=where.dimensions,
            )  # fmt: skip
            text = where.text

        found = built(butler, tasks, [CHAIN], tmp_path / f"{part}.qg", where=text, data_id=data_id)

        assert found == oracle.answer(), (text, tasks)


@pytest.mark.parametrize("seed", range(3))
def test_calibrations_are_those_valid_at_the_quantum_s_time_in_the_first_collection(
    seed: int, make_repository: Make, tmp_path: Path
) -> None:
    world = filled_world(seed)
    certify_biases(world, seed)
    butler = make_repository(world)
    unit = ("ED", "VD", "V")[seed]
    bias = Connection("bias", UNITS["D"], is_calibration=True)
    tasks = [
        Task(
            "isr", UNITS[unit], {"raw": Connection("raw", UNITS["ED"])}, {"bias": bias},
            {"out": Connection("out", UNITS[unit], multiple=False)},
        )
    ]  # fmt: skip
    inputs = [*RUNS, *CALIBRATIONS]

    found = built(butler, tasks, inputs, tmp_path / "a.qg")

    assert found == Oracle(world, butler.dimensions, tasks, inputs).answer()
    assert len({edge[4] for edge in found.edges if edge[2] == "bias"}) > 1


@pytest.mark.parametrize("unit", ["VD", "V", "P", "T"])
def test_skypix_prerequisites_are_those_whose_pixels_touch_the_region(
    unit: str, make_repository: Make, tmp_path: Path
) -> None:
    from lsst.sphgeom import HtmPixelization

    from butler_core.region import box

    world = filled_world(3)
    ranges = HtmPixelization(7).envelope(box(10.0, 0.0, 3.0, 2.0)).ranges()
    pixels = [{"htm7": pixel} for begin, end in ranges for pixel in range(begin, end)]
    from graph_world import Datasets

    world.datasets.append(Datasets("refcat", ("htm7",), "refcats", pixels))
    butler = make_repository(world)
    tasks = [
        Task(
            "match", UNITS[unit], {"raw": Connection("raw", UNITS["ED"])},
            {"ref": Connection("refcat", ("htm7",))},
            {"out": Connection("out", UNITS[unit], multiple=False)},
        )
    ]  # fmt: skip

    found = built(butler, tasks, [*RUNS, "refcats"], tmp_path / "a.qg")

    assert found == Oracle(world, butler.dimensions, tasks, [*RUNS, "refcats"]).answer()
    assert sum(edge[2] == "ref" for edge in found.edges) > len(found.quanta)


def test_the_first_collection_of_a_chain_that_has_a_dataset_gives_it(
    make_repository: Make, tmp_path: Path
) -> None:
    world = filled_world(1)
    butler = make_repository(world)
    butler.collections.register("nested", butler.collections.get_info(CHAIN).type)
    butler.collections.redefine_chain("nested", ["bias/1", CHAIN])
    tasks = [simple("isr", "ED", ["raw:ED"])]

    found = built(butler, tasks, ["nested"], tmp_path / "a.qg")

    runs = {edge[4] for edge in found.edges if edge[2] == "in0"}
    assert runs == {"raw/1", "raw/2"}
    assert found == Oracle(world, butler.dimensions, tasks, RUNS).answer()


@pytest.mark.parametrize(
    ("where", "kept"),
    [
        ("visit.region OVERLAPS CIRCLE(10, 0, 0.2)", lambda x: x < 0.6),
        ("NOT (visit_detector_region.region OVERLAPS BOX(9.0, 0, 1.0, 3))", lambda x: True),
        ("POINT(9.6, 0.1) OVERLAPS patch.region OR detector = 1", lambda x: True),
    ],
)
def test_spatial_constants_restrict_rows(
    where: str, kept: object, make_repository: Make, tmp_path: Path
) -> None:
    from lsst.sphgeom import DISJOINT

    from butler_core import region

    world = filled_world(4)
    butler = make_repository(world)
    tasks = [simple("isr", "ED", ["raw:ED"]), simple("warp", "PV", ["isrOut:ED"], "warps")]

    def touches(element: str, of: Any, shape: Any) -> bool:
        return not region.polygon(of(element)["region"]).relate(shape) & DISJOINT

    def holds(row: Any, of: Any) -> bool:
        if where.startswith("visit"):
            return touches("visit", of, region.circle(10, 0, 0.2))
        if where.startswith("NOT"):
            return not touches("visit_detector_region", of, region.box(9.0, 0, 1.0, 3))
        return touches("patch", of, region.circle(9.6, 0.1, 0.0)) or row["detector"] == 1

    found = built(butler, tasks, [CHAIN], tmp_path / "a.qg", where=where)

    assert found == Oracle(world, butler.dimensions, tasks, RUNS, holds=holds).answer()
    assert found.quanta


def test_values_bound_to_names_are_used(make_repository: Make, tmp_path: Path) -> None:
    world = filled_world(4)
    butler = make_repository(world)
    tasks = [simple("isr", "ED", ["raw:ED"])]

    found = built(
        butler, tasks, [CHAIN], tmp_path / "a.qg", where="exposure IN (:some)",
        bind={"some": [1, 3]},
    )  # fmt: skip

    assert {dict(key)["exposure"] for _, key in found.quanta} == {1, 3}


def test_a_pipeline_of_no_dimensions_has_one_quantum(make_repository: Make, tmp_path: Path) -> None:
    world = filled_world(0)
    butler = make_repository(world)
    tasks = [
        simple("isr", "ED", ["raw:ED"]),
        Task("all", (), {"x": Connection("isrOut", UNITS["ED"])},
             outputs={"out": Connection("total", (), multiple=False)}),
    ]  # fmt: skip

    found = built(butler, tasks, [CHAIN], tmp_path / "a.qg")

    assert ("all", ()) in found.quanta
    assert found == Oracle(world, butler.dimensions, tasks, RUNS).answer()


def test_a_prerequisite_of_another_region_is_found_by_overlap(
    make_repository: Make, tmp_path: Path
) -> None:
    world = filled_world(2)
    butler = make_repository(world)
    template = Connection("template", UNITS["PB"], minimum=0)
    tasks = [
        Task("subtract", UNITS["VD"], {"raw": Connection("raw", UNITS["ED"])}, {"t": template},
             {"out": Connection("diff", UNITS["VD"], multiple=False)}),
    ]  # fmt: skip
    reference = [
        Task("subtract", UNITS["VD"],
             {"raw": Connection("raw", UNITS["ED"]), "t": template},
             outputs={"out": Connection("diff", UNITS["VD"], multiple=False)}),
    ]  # fmt: skip

    found = built(butler, tasks, [CHAIN], tmp_path / "a.qg")

    by_join = Oracle(world, butler.dimensions, reference, RUNS).answer()
    wanted = {edge for edge in by_join.edges if edge[2] == "t"}
    assert {edge for edge in found.edges if edge[2] == "t"} == wanted
    assert wanted


def test_a_missing_prerequisite_is_named_with_an_example(
    make_repository: Make, tmp_path: Path
) -> None:
    world = filled_world(2)
    butler = make_repository(world)
    tasks = [
        Task("isr", UNITS["ED"], {"raw": Connection("raw", UNITS["ED"])},
             {"bias": Connection("bias", UNITS["D"], multiple=False, is_calibration=True)},
             {"out": Connection("out", UNITS["ED"], multiple=False)}),
    ]  # fmt: skip

    with pytest.raises(DatasetNotFoundError, match=r"isr\.bias needs a 'bias'.*none at all in"):
        build_graph(butler, tasks, [CHAIN], tmp_path / "a.qg")

    assert not (tmp_path / "a.qg").exists()
