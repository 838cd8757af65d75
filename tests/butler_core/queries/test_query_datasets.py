from __future__ import annotations

from typing import Any

import pytest

from butler_core import Butler
from butler_core.errors import (
    NoCollectionsError,
    UnknownCollectionError,
    UnknownDatasetTypeError,
)


def _model(world: Any, name: str) -> dict[str, dict[tuple, str]]:
    """Return what each collection holds of a type: run by data ID."""
    held: dict[str, dict[tuple, str]] = {}
    for dataset_type, run, data_ids in world.datasets():
        if dataset_type == name:
            held[run] = {tuple(sorted(d.items())): run for d in data_ids}
            for tagged, tagged_run, step in world.TAGGED:
                if (tagged, tagged_run) == (name, run):
                    ids = [tuple(sorted(d.items())) for d in data_ids[::step]]
                    held.setdefault("tag", {}).update(dict.fromkeys(ids, run))
    return held


@pytest.mark.parametrize(
    ("collections", "path"),
    [
        ("outer", ["run/2", "run/1", "tag", "run/3"]),
        (["tag", "outer"], ["tag", "run/2", "run/1", "run/3"]),
        ("run/3,run/1", ["run/3"]),
        (["run/1", "inner"], ["run/1", "tag", "run/3"]),
        ("run/*", ["run/1", "run/2", "run/3"]),
    ],
)
def test_the_first_collection_that_has_a_data_id_wins(
    filled: Butler, world: Any, collections: Any, path: list[str]
) -> None:
    held = _model(world, "calexp")
    expected: dict[tuple, str] = {}
    for name in path:
        for data_id, run in held[name].items():
            expected.setdefault(data_id, run)

    found = filled.query_datasets("calexp", collections)

    assert {tuple(sorted(ref.data_id.items())): ref.run for ref in found} == expected
    assert len(found) == len(expected)


def test_without_find_first_every_dataset_comes_once(filled: Butler, world: Any) -> None:
    held = _model(world, "calexp")

    found = filled.query_datasets("calexp", "outer", find_first=False)

    assert len(found) == sum(len(held[f"run/{i}"]) for i in (1, 2, 3))
    assert len({ref.id for ref in found}) == len(found)


def test_datasets_can_be_constrained_by_anything_they_are_related_to(filled: Butler) -> None:
    found = filled.query_datasets(
        "calexp", "run/3", where="tract = 1 AND skymap = 'grid' AND detector.raft = 'R0'"
    )

    visits = filled.query_data_ids(
        ["visit", "detector", "tract"], where="tract = 1 AND skymap = 'grid'"
    )
    assert {(r.data_id["visit"], r.data_id["detector"]) for r in found} == {
        (d["visit"], d["detector"]) for d in visits if d["detector"] < 2
    }


def test_the_fields_of_datasets_can_be_named(filled: Butler) -> None:
    (one, *_) = filled.query_datasets("calexp", "outer")

    by_id = filled.query_datasets("calexp", "outer", where=f"calexp.dataset_id = UUID('{one.id}')")
    by_run = filled.query_datasets("calexp", "outer", where="calexp.run = 'run/1'")
    in_tag = filled.query_datasets("calexp", ["tag", "run/2"], where="calexp.collection = 'tag'")
    later = filled.query_datasets("calexp", "outer", where="calexp.ingest_date > T'2024-01-01'")

    assert list(by_id) == [one]
    assert {ref.run for ref in by_run} == {"run/1"}
    assert {ref.run for ref in in_tag} == {"run/3"}
    assert len(later) == len(filled.query_datasets("calexp", "outer"))


@pytest.mark.parametrize("where", ["calexp.run = 'run/3'", "run = 'run/3'", "GLOB(run, '*3')"])
def test_the_first_is_taken_of_those_for_which_the_condition_holds(
    filled: Butler, where: str
) -> None:
    found = filled.query_datasets("calexp", ["run/2", "run/3"], where=where)

    assert {ref.run for ref in found} == {"run/3"}
    assert {ref.data_id for ref in found} == _model_keys(filled, "run/3")


def test_a_dataset_that_rows_must_have_may_be_in_any_collection(filled: Butler) -> None:
    query = filled.query().join_dataset_search("calexp", ["run/2", "run/3"])

    found = query.where("calexp.run = 'run/3'").data_ids(["visit", "detector"])

    assert set(found) == _model_keys(filled, "run/3")


def test_a_component_has_its_parents_datasets(writeable_world: Butler) -> None:
    from butler_core import DatasetType

    butler = writeable_world
    butler.register_dataset_type(
        DatasetType.of("image", ["exposure"], "ExposureF", universe=butler.dimensions)
    )
    registry = butler.repository.registry
    registry.datasets.insert(
        registry.dataset_types.get("image"),
        registry.collections.get("run/1"),
        {"instrument": ["CamA"], "exposure": [100]},
    )

    (ref,) = butler.query_datasets("image.wcs", "run/1")

    assert (ref.dataset_type.name, ref.dataset_type.storage_class) == ("image.wcs", "Wcs")


@pytest.mark.parametrize(
    ("exposure", "expected"),
    [
        (100, {0: "run1", 1: "run1", 2: "run1", 3: "run1"}),
        (104, {0: "run2", 1: "run2", 2: "run1", 3: "run1"}),
        (102, {0: "run2", 1: "run2", 2: "run2"}),
    ],
)
def test_calibrations_are_those_valid_at_the_time(
    filled: Butler, exposure: int, expected: dict[int, str]
) -> None:
    found = filled.query_datasets("bias", "calib", instrument="CamA", exposure=exposure)

    assert {r.data_id["detector"]: r.run.removeprefix("calib/") for r in found} == expected


def test_data_ids_with_a_calibration_are_those_for_whose_time_there_is_one(filled: Butler) -> None:
    found = filled.query_data_ids(
        ["exposure", "detector"], datasets="bias", collections="calib", instrument="CamA"
    )

    days = {20240110: {0, 1, 2, 3}, 20240111: {0, 1, 2, 3}, 20240112: {0, 1, 2}}
    for day, detectors in days.items():
        assert {d["detector"] for d in found if d.full["day_obs"] == day} == detectors


def test_a_flat_must_be_of_the_visits_filter(filled: Butler) -> None:
    found = filled.query_data_ids(["visit", "detector"], datasets="flat", collections="calib/run1")

    assert found
    assert {d.full["physical_filter"] for d in found} == {"g1", "r1"}
    visits = filled.query_data_ids(
        "visit", instrument="CamA", where="physical_filter IN ('g1', 'r1')"
    )
    assert {d["visit"] for d in found} == {d["visit"] for d in visits}


def test_all_validity_ranges_are_listed_where_no_time_is_known(filled: Butler) -> None:
    found = filled.query_datasets("bias", "calib", find_first=False)

    assert len(found) == 7


def test_searches_without_collections_are_refused(filled: Butler) -> None:
    with pytest.raises(NoCollectionsError, match="no collections to search"):
        filled.query_datasets("calexp")
    with pytest.raises(UnknownCollectionError, match="'rnu/1'"):
        filled.query_datasets("calexp", "rnu/1")
    with pytest.raises(UnknownDatasetTypeError, match="'calex'"):
        filled.query_datasets("calex", "run/1")


def test_two_searches_for_one_type_must_both_succeed(filled: Butler) -> None:
    query = filled.query().join_dataset_search("calexp", "run/1")

    found = query.datasets("calexp", "run/2")

    assert {ref.run for ref in found} == {"run/2"}
    both = _model_keys(filled, "run/1") & _model_keys(filled, "run/2")
    assert {ref.data_id for ref in found} == both


def _model_keys(butler: Butler, run: str) -> set[Any]:
    return {ref.data_id for ref in butler.query_datasets("calexp", run)}


def test_datasets_of_no_dimensions_are_found(filled: Butler) -> None:
    (ref,) = filled.query_datasets("summary", "outer")

    assert ref.run == "run/1"
    assert dict(ref.data_id) == {}


def test_an_empty_search_path_of_chains_finds_nothing(writeable_world: Butler) -> None:
    from butler_core import CollectionType

    writeable_world.collections.register("hollow", CollectionType.CHAINED)

    assert len(writeable_world.query_datasets("calexp", "hollow")) == 0
