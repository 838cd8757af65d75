"""A graph that comes out empty says why."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from graph_building import build_graph
from graph_specs import UNITS, Task, simple
from graph_world import Datasets, World, make_world
from graph_world_data import raw_data_ids

from butler_core import Butler
from butler_core.errors import UnknownCollectionError, UnknownNameError
from pipetask.errors import EmptyGraphError

Make = Callable[[World], Butler]
ISR = [simple("isr", "ED", ["raw:ED"])]
WARP = [*ISR, simple("warp", "PV", ["isrOut:ED"])]


@pytest.fixture
def world() -> World:
    world = make_world(5, n_detectors=2, n_exposures=3)
    world.datasets.append(Datasets("raw", UNITS["ED"], "raw/all", raw_data_ids(world)))
    return world


def why(butler: Butler, tasks: list[Task], path: Path, *inputs: str, **request: Any) -> str:
    with pytest.raises(EmptyGraphError) as caught:
        build_graph(butler, tasks, inputs or ["raw/all"], path / "a.qg", **request)
    assert not list(path.glob("*.qg*"))
    return str(caught.value)


def test_an_unregistered_input_is_named(
    world: World, make_repository: Make, tmp_path: Path
) -> None:
    text = why(make_repository(world), [simple("isr", "ED", ["rwa:ED"])], tmp_path)

    assert "its input 'rwa' is not a registered dataset type" in text


def test_collections_without_the_input_are_named(
    world: World, make_repository: Make, tmp_path: Path
) -> None:
    butler = make_repository(world)
    butler.collections.register("empty")

    text = why(butler, ISR, tmp_path, "empty")

    assert "there is no 'raw' in 'empty'" in text


def test_an_unknown_collection_is_an_error_of_its_own(
    world: World, make_repository: Make, tmp_path: Path
) -> None:
    with pytest.raises(UnknownCollectionError, match="raw/al"):
        build_graph(make_repository(world), ISR, ["raw/al"], tmp_path / "a.qg")


@pytest.mark.parametrize(
    ("where", "said"),
    [
        ("exposure = 99", "of 6 'raw' in 'raw/all', none fulfils exposure = 99"),
        ("exposure.target_name = 'no'", "none fulfils exposure.target_name = 'no'"),
        ("detector = 1 AND exposure > 7", "none fulfils detector = 1 AND exposure > 7"),
    ],
)
def test_the_condition_that_leaves_no_input_is_named(
    where: str, said: str, world: World, make_repository: Make, tmp_path: Path
) -> None:
    assert said in why(make_repository(world), ISR, tmp_path, where=where)


def test_the_data_id_that_leaves_no_input_is_named(
    world: World, make_repository: Make, tmp_path: Path
) -> None:
    text = why(make_repository(world), ISR, tmp_path, data_id={"instrument": "Com"})

    assert "of 6 'raw' in 'raw/all', none fulfils {'instrument': 'Com'}" in text


def test_a_name_that_stands_for_nothing_is_an_error_of_its_own(
    world: World, make_repository: Make, tmp_path: Path
) -> None:
    with pytest.raises(UnknownNameError, match="exposur"):
        build_graph(
            make_repository(world), ISR, ["raw/all"], tmp_path / "a.qg", where="exposur = 1"
        )


def test_missing_visits_are_named_with_the_command_that_makes_them(
    world: World, make_repository: Make, tmp_path: Path
) -> None:
    for name in [n for n in world.records if n.startswith("visit") and n != "visit_system"]:
        del world.records[name]

    text = why(make_repository(world), [*ISR, simple("cal", "VD", ["isrOut:ED"])], tmp_path)

    assert "there are no visit_definition records; `butler define-visits`" in text


def test_a_missing_sky_map_is_named_with_the_command_that_makes_it(
    world: World, make_repository: Make, tmp_path: Path
) -> None:
    for name in ("skymap", "tract", "patch"):
        del world.records[name]

    assert "register-skymap" in why(make_repository(world), WARP, tmp_path)


def test_records_that_no_condition_leaves_are_named(
    world: World, make_repository: Make, tmp_path: Path
) -> None:
    text = why(make_repository(world), WARP, tmp_path, where="patch.cell_x > 5")

    assert "of 8 patch records, none fulfils patch.cell_x > 5" in text


def test_regions_that_do_not_overlap_are_named(
    world: World, make_repository: Make, tmp_path: Path
) -> None:
    for name in ("tract", "patch"):
        for row in world.records[name]:
            row["region"] = [(lon + 90.0, lat) for lon, lat in row["region"]]

    text = why(make_repository(world), WARP, tmp_path)

    assert "regions of patch and visit_detector_region must overlap" in text


def test_conditions_that_hold_apart_and_not_together_are_said_so(
    world: World, make_repository: Make, tmp_path: Path
) -> None:
    text = why(
        make_repository(world), [*ISR, simple("cal", "VD", ["isrOut:ED"])], tmp_path,
        where="exposure = 1 AND visit = 103",
    )  # fmt: skip

    assert "of 2 visit_definition records, none fulfils exposure = 1 AND visit = 103" in text


def test_inputs_that_do_not_meet_are_said_so(
    world: World, make_repository: Make, tmp_path: Path
) -> None:
    world.datasets[0].data_ids = [d for d in world.datasets[0].data_ids if d["exposure"] == 1]
    world.datasets.append(
        Datasets("hint", UNITS["E"], "raw/all", [{"instrument": "Cam", "exposure": 2}])
    )

    text = why(make_repository(world), [simple("isr", "ED", ["raw:ED", "hint:E"])], tmp_path)

    assert "the inputs' data IDs do not meet" in text
