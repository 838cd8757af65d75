from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

from butler_core import Butler
from butler_core.errors import (
    DataIdError,
    NoCollectionsError,
    QueryError,
    UnknownCollectionError,
    UnknownDatasetTypeError,
    UnknownDimensionError,
    UnknownNameError,
)
from butler_core.region import overlaps, polygon, skypix_envelope, skypix_pixel_region


def _rows(found: Any) -> list[tuple]:
    return sorted(data_id.values_required for data_id in found)


# --------------------------------------------------------------------- data IDs
def test_data_ids_have_their_implied_values(filled: Butler) -> None:
    (data_id,) = filled.query_data_ids(["exposure"], instrument="CamA", exposure=103)

    assert data_id.full == {
        "band": "g", "instrument": "CamA", "day_obs": 20240110, "group": "grp1",
        "physical_filter": "g_wide", "exposure": 103,
    }  # fmt: skip


def test_dimensions_may_be_named_in_any_form(filled: Butler) -> None:
    expected = _rows(filled.query_data_ids(["instrument", "detector"]))

    for dimensions in ("detector", "instrument, detector", {"detector"}, ("detector",)):
        assert _rows(filled.query_data_ids(dimensions)) == expected
    assert _rows(filled.query_data_ids(filled.dimensions.conform(["detector"]))) == expected


def test_values_are_read_in_any_form(filled: Butler) -> None:
    for value in (103, "103", np.int64(103)):
        found = filled.query_data_ids("exposure", instrument="CamA", exposure=value)
        assert _rows(found) == [("CamA", 103)]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"exposure": 1.5}, "exposure must be an integer"),
        ({"exposur": 1}, r"'exposur' in a data ID: no such dimension.*'exposure'"),
        ({"instrument": 3}, "instrument must be a string"),
    ],
)
def test_values_of_no_dimension_or_type_are_refused(
    filled: Butler, values: dict[str, Any], message: str
) -> None:
    with pytest.raises(DataIdError, match=message):
        filled.query_data_ids("exposure", data_id=values)


def test_conditions_add_up(filled: Butler) -> None:
    query = (
        filled.query()
        .where(instrument="CamA")
        .where("exposure > 103")
        .where("exposure < :n", bind={"n": 106})
    )

    assert _rows(query.data_ids("exposure")) == [("CamA", 104), ("CamA", 105)]
    assert _rows(query.where(exposure=105).data_ids("exposure")) == [("CamA", 105)]
    assert _rows(query.where(exposure=105).where(exposure=104).data_ids("exposure")) == []


def test_a_name_is_bound_to_one_value(filled: Butler) -> None:
    query = filled.query().where("exposure > n", bind={"n": 103})

    query.where("exposure > n", bind={"n": 103})
    with pytest.raises(QueryError, match="'n' is bound to 103 by an earlier where"):
        query.where("exposure < n", bind={"n": 106})


def test_queries_are_never_changed(filled: Butler) -> None:
    query = filled.query().where(instrument="CamA")
    before = query.count("exposure")

    query.where("exposure = 100").limit(1).order_by("exposure")

    assert query.count("exposure") == before == 14


def test_rows_come_in_the_order_asked(filled: Butler) -> None:
    query = filled.query().where(instrument="CamA")

    falling = query.order_by("-exposure.day_obs", "exposure.id").data_ids("exposure")
    found = [(d.full["day_obs"], d["exposure"]) for d in falling]

    assert found == sorted(found, key=lambda row: (-row[0], row[1]))
    first = query.order_by("exposure.timespan.begin").limit(3, offset=1).data_ids("exposure")
    assert [d["exposure"] for d in first] == [103, 106, 109]


def test_what_has_no_order_is_refused(filled: Butler) -> None:
    with pytest.raises(UnknownNameError, match=r"'exposure.timespan' has no order"):
        filled.query_data_ids("exposure", order_by="exposure.timespan")


def test_counting_and_asking_for_any_fetch_nothing(filled: Butler) -> None:
    query = filled.query()

    assert query.count("detector") == 6
    assert query.limit(4).count("detector") == 4
    assert query.count([]) == 1
    assert query.any("detector")
    assert not query.where("detector > 99").any("detector")


def test_no_dimensions_have_one_data_id_unless_a_condition_fails(filled: Butler) -> None:
    assert len(filled.query_data_ids([])) == 1
    assert len(filled.query_data_ids([], where="exposure = 100")) == 1
    assert len(filled.query_data_ids([], where="exposure = 999")) == 0
    assert len(filled.query_data_ids([], where="FALSE")) == 0


def test_default_values_hold_where_nothing_else_is_said(filled_root: Any) -> None:
    with Butler(filled_root, instrument="CamB") as butler:
        assert {d["instrument"] for d in butler.query_data_ids("exposure")} == {"CamB"}
        assert {d["band"] for d in butler.query_data_ids("band", where="exposure > 0")} == {
            "r",
            "z",
        }
        for more in ({"instrument": "CamA"}, {"where": "instrument = 'CamA'"}):
            found = butler.query_data_ids("exposure", **more)
            assert {d["instrument"] for d in found} == {"CamA"}


def test_an_unknown_dimension_is_refused(filled: Butler) -> None:
    with pytest.raises(UnknownDimensionError, match="'exposur'"):
        filled.query_data_ids("exposur")


def test_each_data_id_comes_once_however_many_rows_hold_it(filled: Butler) -> None:
    found = filled.query_data_ids("physical_filter", where="exposure > 0 AND instrument = 'CamA'")

    assert _rows(found) == [("CamA", name) for name in ("g1", "g_wide", "i1", "r1")]


# ------------------------------------------------------------------ regions
@pytest.fixture(scope="module")
def regions(world: Any) -> dict[str, dict[tuple, Any]]:
    rows = world.elements()
    keys = {
        "visit": ("instrument", "id"),
        "patch": ("skymap", "tract", "id"),
        "tract": ("skymap", "id"),
        "visit_detector_region": ("instrument", "detector", "visit"),
    }  # fmt: skip
    return {
        element: {
            tuple(row[name] for name in names): polygon(row["region"])
            for row in rows[element]
            if row["region"] is not None
        }
        for element, names in keys.items()
    }


@pytest.mark.parametrize(
    ("dimensions", "first", "second"),
    [
        (["visit", "tract"], "visit", "tract"),
        (["visit", "patch"], "visit", "patch"),
        (["visit", "detector", "patch"], "visit_detector_region", "patch"),
        (["visit", "detector", "tract"], "visit_detector_region", "tract"),
    ],
)
def test_regions_are_joined_as_a_comparison_of_all_pairs_says(
    filled: Butler, regions: Any, dimensions: list[str], first: str, second: str
) -> None:
    names = (*filled.dimensions[first].required, *filled.dimensions[second].required)
    expected = sorted(
        (*a, *b)
        for (a, one), (b, other) in itertools.product(
            regions[first].items(), regions[second].items()
        )
        if overlaps(one, other)
    )

    found = filled.query_data_ids(dimensions)

    assert sorted(tuple(d[name] for name in names) for d in found) == expected
    assert expected


@pytest.mark.parametrize("pixels", ["htm7", "htm5", "htm9", "healpix3", "healpix8"])
def test_regions_are_joined_with_the_pixels_of_their_envelope(
    filled: Butler, regions: Any, pixels: str
) -> None:
    system, level = pixels.rstrip("0123456789"), int(pixels.lstrip("abcdefghijklmnopqrstuvwxyz"))
    expected = sorted(
        (*key, pixel)
        for key, region in regions["visit"].items()
        for pixel in skypix_envelope(region, system, level).tolist()
    )

    found = filled.query_data_ids(["visit", pixels])

    assert sorted((d["instrument"], d["visit"], d[pixels]) for d in found) == expected
    assert skypix_pixel_region(system, level, expected[0][-1]) is not None


@pytest.mark.parametrize("pixels", ["htm7", "htm9"])
def test_pixels_can_be_constrained(filled: Butler, pixels: str) -> None:
    everything = filled.query_data_ids(["visit", pixels])
    one = sorted(d[pixels] for d in everything)[3]

    by_value = filled.query_data_ids(["visit", pixels], data_id={pixels: one})
    by_text = filled.query_data_ids(["visit", pixels], where=f"{pixels} = {one} AND visit > 0")

    expected = sorted(d.values_required for d in everything if d[pixels] == one)
    assert _rows(by_value) == expected
    assert _rows(by_text) == expected
    assert expected


def test_regions_can_be_related_by_name(filled: Butler) -> None:
    where = "visit.region OVERLAPS tract.region AND instrument = 'CamA'"

    by_name = filled.query_data_ids(["visit", "tract"], where=where)

    assert _rows(by_name) == _rows(filled.query_data_ids(["visit", "tract"], instrument="CamA"))


# ------------------------------------------------------------------ records
def test_records_have_their_fields(filled: Butler) -> None:
    (record,) = filled.query_dimension_records("exposure", instrument="CamA", exposure=104)

    assert (record.obs_id, record.target_name, record.has_simulated) == ("CamA_O_104", None, True)
    assert str(record.timespan) == "[2024-01-11T20:20:00, 2024-01-11T20:20:34.5)"
    assert record.data_id == {"instrument": "CamA", "exposure": 104}


def test_records_of_a_view_are_its_values(filled: Butler) -> None:
    found = filled.query_dimension_records("band", where="instrument = 'CamB'")

    assert sorted(record.name for record in found) == ["r", "z"]


def test_records_of_combinations_can_be_asked(filled: Butler) -> None:
    found = filled.query_dimension_records("visit_detector_region", instrument="CamA", visit=103)

    assert sorted(record.detector for record in found) == [0, 1, 2, 3]
    assert all(record.region is not None for record in found)


def test_a_record_comes_once_however_many_datasets_there_are(filled: Butler) -> None:
    found = filled.query_dimension_records("exposure", datasets="raw", collections="CamA/raw")

    assert sorted(record.id for record in found) == list(range(100, 114))


def test_pixels_have_no_records(filled: Butler) -> None:
    with pytest.raises(QueryError, match="no records of 'htm7'"):
        filled.query_dimension_records("htm7")


def test_records_make_a_table(filled: Butler) -> None:
    table = filled.query_dimension_records("visit", instrument="CamA", order_by="visit").to_table()

    assert table["id"][0] == 100
    assert table["target_name"].mask.any()
    assert table["timespan.begin"][0].startswith("2024-01-10T20:00:00")


# ----------------------------------------------------------------- datasets
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
