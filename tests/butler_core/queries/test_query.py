from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

from butler_core import Butler, CollectionType
from butler_core.errors import (
    DataIdError,
    QueryError,
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


def test_pixels_have_regions_to_name(filled: Butler) -> None:
    every = filled.query_data_ids(["visit", "htm7"], instrument="CamA")
    shape = polygon([(0.0, -0.1), (0.2, -0.1), (0.2, 0.1), (0.0, 0.1)])

    around = filled.query_data_ids(
        ["visit", "htm7"], where="htm7.region OVERLAPS shape", bind={"shape": shape},
        instrument="CamA",
    )  # fmt: skip
    related = filled.query_data_ids(
        ["visit", "htm7"], where="htm7.region OVERLAPS visit.region", instrument="CamA"
    )

    pixels = set(skypix_envelope(shape, "htm", 7).tolist())
    assert _rows(around) == [row for row in _rows(every) if row[0] in pixels]
    assert 0 < len(around) < len(every)
    assert _rows(related) == _rows(every)
    with pytest.raises(QueryError, match="nowhere missing"):
        filled.query_data_ids(["visit", "htm7"], where="htm7.region IS NULL")


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
    known = filled.query_dimension_records("band")
    of_a_camera = filled.query_dimension_records("band", where="physical_filter = 'z.B'")

    assert sorted(record.name for record in known) == ["g", "i", "r", "z"]
    assert [record.name for record in of_a_camera] == ["z"]


def test_dimensions_that_nothing_relates_are_combined_freely(filled: Butler) -> None:
    found = filled.query_data_ids(["instrument", "band"])

    assert _rows(found) == [(band, camera) for band in "girz" for camera in ("CamA", "CamB")]


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


@pytest.mark.parametrize("term", ["exposure.can_see_sky", "raw.dataset_id", "exposure.obs_id"])
def test_rows_that_would_repeat_are_ordered_by_what_they_do_not_show(
    filled: Butler, term: str
) -> None:
    runs = filled.collections.query("*", CollectionType.RUN)
    query = filled.query().join_dataset_search("raw", runs)

    rising = query.where(instrument="CamA").order_by(term).data_ids("instrument exposure")
    falling = query.where(instrument="CamA").order_by(f"-{term}").data_ids("instrument exposure")

    assert sorted(rising.columns["exposure"]) == sorted(falling.columns["exposure"])
    assert len(set(rising.columns["exposure"])) == len(rising) > 0
