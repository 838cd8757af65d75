"""A graph that comes out smaller than its inputs says what it lost, and to what."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from graph_building import build_graph
from graph_specs import UNITS, Connection, Task, simple
from graph_world import Datasets, World, make_world
from graph_world_data import raw_data_ids

from butler_core import Butler

Make = Callable[[World], Butler]
CALIBRATE = [simple("isr", "ED", ["raw:ED"]), simple("calibrate", "VD", ["isrOut:ED"])]


@pytest.fixture
def world() -> World:
    world = make_world(6, n_detectors=2, n_exposures=3)
    world.datasets.append(Datasets("raw", UNITS["ED"], "raw/all", raw_data_ids(world)))
    return world


def losses(butler: Butler, tasks: list[Task], path: Path, **request: Any) -> list[str]:
    graph, report = build_graph(butler, tasks, ["raw/all"], path / "a.qg", **request)
    graph.close()
    return [str(loss) for loss in report.losses]


def test_nothing_lost_is_nothing_said(world: World, make_repository: Make, tmp_path: Path) -> None:
    assert losses(make_repository(world), CALIBRATE, tmp_path) == []


def test_what_the_user_left_out_is_no_loss(
    world: World, make_repository: Make, tmp_path: Path
) -> None:
    assert losses(make_repository(world), CALIBRATE, tmp_path, where="detector = 1") == []


def test_images_without_a_visit_are_named(
    world: World, make_repository: Make, tmp_path: Path
) -> None:
    gone = world.records["visit_definition"].pop()["exposure"]

    said = losses(make_repository(world), CALIBRATE, tmp_path)

    assert said == [
        f"2 of 6 'raw': no visit_definition record (instrument Cam, exposure {gone})"
    ]  # fmt: skip


def test_images_without_a_partner_of_another_type_are_named(
    world: World, make_repository: Make, tmp_path: Path
) -> None:
    others = [{**data_id} for data_id in raw_data_ids(world)[:-1]]
    missing = raw_data_ids(world)[-1]
    world.datasets.append(Datasets("other", UNITS["ED"], "raw/all", others))
    task = Task("pair", UNITS["ED"],
                {"a": Connection("raw", UNITS["ED"]), "b": Connection("other", UNITS["ED"])},
                outputs={"out": Connection("paired", UNITS["ED"], multiple=False)})  # fmt: skip

    said = losses(make_repository(world), [task], tmp_path)

    (one,) = said
    assert one.startswith("1 of 6 'raw': no 'other' (")
    assert f"exposure {missing['exposure']}" in one
    assert f"detector {missing['detector']}" in one


def test_quanta_without_enough_inputs_are_named(
    world: World, make_repository: Make, tmp_path: Path
) -> None:
    world.datasets[0].data_ids.pop()
    gather = Task("gather", UNITS["V"], {"x": Connection("isrOut", UNITS["ED"], minimum=2)},
                  outputs={"out": Connection("gathered", UNITS["V"], multiple=False)})  # fmt: skip

    said = losses(make_repository(world), [CALIBRATE[0], gather], tmp_path)

    (one,) = said
    assert one.startswith("1 of 3 quanta of gather: fewer than 2 'isrOut' (instrument Cam, visit ")


def test_every_stage_counts_its_rows(world: World, make_repository: Make, tmp_path: Path) -> None:
    butler = make_repository(world)
    graph, report = build_graph(
        butler, CALIBRATE, ["raw/all"], tmp_path / "a.qg", where="detector = 1"
    )
    graph.close()

    assert all(stage.n_in is not None for stage in report.stages)
    asked = next(s for s in report.stages if (s.stage, s.subject) == ("ask", "raw"))
    assert (asked.n_in, asked.n_out) == (6, 3)
