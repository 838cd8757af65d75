from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from astropy.time import Time
from lsst.sphgeom import LonLat

from butler_core import Butler, Timespan
from butler_core.errors import ButlerError, ExpressionTypeError, TimespanError, UnknownNameError
from butler_core.region import box, circle


def _ids(butler: Butler, where: str, element: str = "exposure", **more: Any) -> list[int]:
    found = butler.query_dimension_records(element, instrument="CamA", where=where, **more)
    return sorted(record.id for record in found)


def _rows(world: Any, element: str = "exposure") -> list[dict[str, Any]]:
    return [row for row in world.elements()[element] if row["instrument"] == "CamA"]


@pytest.mark.parametrize(
    ("where", "holds"),
    [
        ("exposure.seq_num > 3 AND exposure.seq_num <= 6", lambda r: 3 < r["seq_num"] <= 6),
        ("exposure.seq_num < 2 OR exposure.id = 110", lambda r: r["seq_num"] < 2 or r["id"] == 110),
        ("NOT exposure.seq_num IN (1..9:2)", lambda r: r["seq_num"] not in (1, 3, 5, 7, 9)),
        ("exposure IN (100, 105..107, 999)", lambda r: r["id"] in (100, 105, 106, 107)),
        ("exposure NOT IN (100..110)", lambda r: r["id"] > 110),
        ("exposure.seq_num * 2 + 1 = 7", lambda r: r["seq_num"] == 3),
        ("exposure.seq_num / 2 = 1.5", lambda r: r["seq_num"] == 3),
        ("exposure.seq_num % 5 = 2", lambda r: r["seq_num"] % 5 == 2),
        ("-exposure.seq_num < -10", lambda r: r["seq_num"] > 10),
        ("exposure.target_name = 'field1'", lambda r: r["target_name"] == "field1"),
        ("exposure.target_name != 'field1'", lambda r: r["target_name"] == "field0"),
        ("exposure.target_name IS NULL", lambda r: r["target_name"] is None),
        ("exposure.target_name IS NOT NULL", lambda r: r["target_name"] is not None),
        ("exposure.tracking_ra = NULL", lambda r: r["tracking_ra"] is None),
        ("exposure.can_see_sky", lambda r: r["can_see_sky"]),
        ("NOT exposure.can_see_sky", lambda r: not r["can_see_sky"]),
        ("exposure.can_see_sky = FALSE", lambda r: not r["can_see_sky"]),
        ("GLOB(exposure.obs_id, '*_11?')", lambda r: 110 <= r["id"] <= 119),
        ("NOT GLOB(exposure.obs_id, '*_11?')", lambda r: r["id"] < 110),
        ("GLOB(exposure.obs_id, '*[1]*')", lambda r: False),
        ("exposure.target_name IN ('field1', NULL)", lambda r: r["target_name"] != "field0"),
        ("exposure.target_name NOT IN ('field1', NULL)", lambda r: r["target_name"] == "field0"),
        ("exposure.target_name NOT IN ('field1')", lambda r: r["target_name"] == "field0"),
        ("exposure IN (100, NULL, 102..103)", lambda r: r["id"] in (100, 102, 103)),
        ("exposure.exposure_time > 15", lambda r: r["exposure_time"] > 15),
        ("exposure.exposure_time IN (15.0, 45)", lambda r: r["exposure_time"] in (15, 45)),
        ("TRUE", lambda r: True),
        ("FALSE", lambda r: False),
        ("FALSE OR exposure = 104", lambda r: r["id"] == 104),
    ],
)
def test_conditions_keep_the_rows_for_which_they_hold(
    filled: Butler, world: Any, where: str, holds: Any
) -> None:
    assert _ids(filled, where) == [row["id"] for row in _rows(world) if holds(row)]


@pytest.mark.parametrize(
    ("where", "bind"),
    [
        ("exposure IN (:some)", {"some": [100, 103]}),
        ("exposure IN (some)", {"some": (100, 103)}),
        ("exposure IN (some)", {"some": np.array([100, 103])}),
        ("exposure IN (some, 103)", {"some": {100}}),
        ("exposure = one OR exposure = :other", {"one": np.int64(100), "other": 103}),
        ("exposure.obs_id IN (ids)", {"ids": ["CamA_O_100", "CamA_O_103"]}),
        ("exposure.zenith_angle IN (angles)", {"angles": np.array([10.0, 13.0])}),
        ("exposure.zenith_angle = a OR exposure.zenith_angle = b", {"a": np.float32(10), "b": 13}),
    ],
)
def test_values_can_be_bound_in_any_form(filled: Butler, where: str, bind: dict[str, Any]) -> None:
    assert _ids(filled, where, bind=bind) == [100, 103]


def test_a_bound_name_may_have_points(filled: Butler) -> None:
    assert _ids(filled, "exposure.id = exposure.seq_num", bind={"exposure.seq_num": 103}) == [103]


@pytest.mark.parametrize(
    ("span", "overlapping"),
    [
        # Exposure 103 begins at 20:15:00 and lasts 33.5 s.
        ("(T'2024-01-10T20:15:00/tai', T'2024-01-10T20:15:00/tai')", [103]),
        ("(T'2024-01-10T20:15:33.5/tai', T'2024-01-10T20:15:33.5/tai')", []),
        ("(T'2024-01-10T20:14:00/tai', T'2024-01-10T20:15:00/tai')", []),
        ("(T'2024-01-10T20:15:20/tai', T'2024-01-10T20:15:10/tai')", []),
        ("(T'2024-01-10T20:15:33.4/tai', NULL)", list(range(101, 114))),
    ],
)
def test_a_span_of_one_time_is_an_instant_and_one_turned_round_is_empty(
    filled: Butler, span: str, overlapping: list[int]
) -> None:
    found = _ids(filled, f"exposure.timespan OVERLAPS {span} AND exposure.day_obs = 20240110")

    assert found == [i for i in overlapping if (i - 100) % 3 == 0 and i >= 103]


def test_a_span_outside_what_can_be_counted_is_refused(filled: Butler) -> None:
    with pytest.raises(TimespanError, match="no time between 1970 and 2100"):
        _ids(filled, "exposure.timespan OVERLAPS (T'1950-01-01/tai', T'1960-01-01/tai')")


def test_points_can_be_bound(filled: Butler) -> None:
    where = "visit.region OVERLAPS here"

    for here in (LonLat.fromDegrees(0.0, 0.0), SkyCoord(0.0, 0.0, unit="deg")):
        assert _ids(filled, where, "visit", bind={"here": here}) == [102, 103]


def test_nothing_is_among_none(filled: Butler) -> None:
    assert _ids(filled, "exposure IN (some)", bind={"some": []}) == []
    assert len(_ids(filled, "exposure NOT IN (some)", bind={"some": []})) == 14


def test_bound_text_is_never_part_of_the_statement(filled: Butler) -> None:
    evil = "x' OR '1'='1"

    assert _ids(filled, "exposure.obs_id = evil", bind={"evil": evil}) == []
    assert _ids(filled, "exposure.obs_id = 'x'' OR ''1''=''1'") == []


@pytest.mark.parametrize(
    "time",
    [
        Time("2024-01-12T20:10:00", scale="tai"),
        "2024-01-12T20:10:00",
        dt.datetime(2024, 1, 12, 20, 9, 23, tzinfo=dt.UTC),  # 37 s behind TAI
    ],
)
def test_times_can_be_bound_in_any_form(filled: Butler, time: Any) -> None:
    assert _ids(filled, "exposure.timespan.begin = t", bind={"t": time}) == [102]


def test_timespans_and_regions_can_be_bound(filled: Butler) -> None:
    night = Timespan.from_times("2024-01-12T12:00:00", "2024-01-13T12:00:00")
    span = "exposure.timespan OVERLAPS night"
    shape = "visit.region OVERLAPS shape"

    assert _ids(filled, span, bind={"night": night}) == [102, 105, 108, 111]
    assert _ids(filled, shape, "visit", bind={"shape": circle(0.0, 0.0, 0.001)}) == [102, 103]
    assert _ids(
        filled, "shape OVERLAPS visit.region", "visit", bind={"shape": box(0, 0, 0.001, 0.001)}
    ) == [
        102,
        103,
    ]


def test_a_circle_has_the_radius_written(filled: Butler) -> None:
    near, far = "CIRCLE(0.0, 5.0, 4.0)", "CIRCLE(0.0, 5.0, 4.9)"

    assert _ids(filled, f"visit.region OVERLAPS {near}", "visit") == []
    assert _ids(filled, f"visit.region OVERLAPS {far}", "visit") != []


def test_regions_may_stand_under_or_and_not(filled: Butler) -> None:
    point = "visit.region OVERLAPS POINT(0.0, 0.0)"
    located = _ids(filled, "visit.region IS NOT NULL", "visit")

    assert _ids(filled, f"visit = 101 OR {point}", "visit") == [101, 102, 103]
    assert _ids(filled, f"NOT {point}", "visit") == [i for i in located if i not in (102, 103)]


def test_whether_a_missing_region_overlaps_is_unknown(filled: Butler) -> None:
    point = "visit.region OVERLAPS POINT(0.0, 0.0)"

    assert _ids(filled, "visit.region IS NULL", "visit") == [105]
    assert 105 not in _ids(filled, f"{point} OR NOT {point}", "visit")


def test_a_point_at_the_seam_of_right_ascension_is_found(filled: Butler) -> None:
    for lon in (0.0, 360.0, -0.0):
        assert _ids(filled, f"visit.region OVERLAPS POINT({lon}, 0.0)", "visit") == [102, 103]


@pytest.mark.parametrize(
    ("where", "message"),
    [
        ("exposure = 'one'", "exposure = 'one'. compares an integer with a text"),
        ("exposure.obs_id = 3", "compares a text with an integer"),
        ("exposure.can_see_sky = 1", "compares a truth value with an integer"),
        ("exposure.timespan = 3", "compares a timespan with an integer"),
        ("exposure.seq_num + exposure.obs_id = 3", "does arithmetic with a text"),
        ("exposure", "is an integer, where something true or false is needed"),
        ("exposure IN ('a')", "looks for an integer among texts"),
        ("exposure.obs_id IN (1..3)", "looks for a text in a range of integers"),
        ("exposure.timespan OVERLAPS 3", "overlaps a timespan with an integer"),
        ("exposure.timespan <= (T'2020-01-01T00:00:00', NULL)", "uses '<=' with timespans"),
        ("GLOB(exposure, '1*')", "matches something that is no text"),
        ("exposure.timespan IN (span)", "looks for a timespan among values"),
        ("visit.region IN (here)", "looks for a region among values"),
        ("visit.region OVERLAPS CIRCLE(word, 0, 1)", "takes numbers, not 'x', 0, 1"),
        ("visit.region OVERLAPS POINT(-word, 0)", "must be a number or a bound value"),
        ("visit.region OVERLAPS REGION(number)", "takes text, not 3"),
        ("POINT(0, 0) = NULL", "asks whether a shape is missing"),
    ],
)
def test_operands_that_cannot_go_together_are_refused(
    filled: Butler, where: str, message: str
) -> None:
    bind = {"word": "x", "number": 3, "here": box(0, 0, 1, 1), "span": Timespan.unbounded()}

    with pytest.raises(ExpressionTypeError, match=message):
        filled.query_data_ids(["exposure", "visit"], where=where, bind=bind)


def test_a_name_that_is_not_bound_is_told_with_what_is(filled: Butler) -> None:
    with pytest.raises(UnknownNameError, match="no value is bound to 'n'; bound: 'm'"):
        _ids(filled, "exposure = :n", bind={"m": 1})


def test_a_bound_value_of_no_known_kind_is_refused(filled: Butler) -> None:
    with pytest.raises(TimespanError):
        _ids(filled, "exposure = n", bind={"n": object()})


def test_bytes_cannot_be_compared(filled: Butler) -> None:
    with pytest.raises(ButlerError, match="holds bytes"):
        filled.query_dimension_records("skymap", where="skymap.hash = 'x'")
