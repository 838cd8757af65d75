from __future__ import annotations

import numpy as np
import pytest
from astropy.time import Time
from lsst.sphgeom import Circle, UnitVector3d

from butler_core.dimensions.record import DimensionRecord
from butler_core.dimensions.universe import DimensionUniverse
from butler_core.errors import DimensionError
from butler_core.tai import MAX_NS, MIN_NS, iso_to_ns
from butler_core.timespan import Timespan
from butler_core.transfer import columns_of_records

UNIVERSE = DimensionUniverse.default()
VISIT = UNIVERSE["visit"]
DAY = UNIVERSE["day_obs"]
REQUIRED = {"instrument": "C", "day_obs": 20240101, "physical_filter": "g"}


def visit(number: int, **more: object) -> dict[str, object]:
    return {**REQUIRED, "id": number, "name": str(number), **more}


def day(**more: object) -> dict[str, object]:
    return {"instrument": "C", "id": 20240101, **more}


def spans(*records: dict[str, object]) -> list[tuple[int | None, int | None]]:
    columns = columns_of_records(DAY, records)
    return list(zip(columns["begin_ns"], columns["end_ns"], strict=True))


def test_fields_become_columns_and_absent_ones_null() -> None:
    columns = columns_of_records(VISIT, [visit(1, seq_num=7), visit(2, exposure_time=30)])

    assert columns["id"] == [1, 2]
    assert columns["seq_num"] == [7, None]
    assert columns["exposure_time"] == [None, 30.0]
    assert "azimuth" not in columns


def test_key_may_go_by_the_elements_name() -> None:
    rows = [{"instrument": "C", "detector": 3, "full_name": "A"}]

    assert columns_of_records(UNIVERSE["detector"], rows)["id"] == [3]


def test_record_objects_are_records() -> None:
    record = DimensionRecord(DAY, day(timespan=Timespan(1, 2)))

    assert columns_of_records(DAY, [record])["begin_ns"] == [1]


def test_no_records_are_empty_key_columns() -> None:
    assert columns_of_records(DAY, []) == {"instrument": [], "id": []}


def test_every_form_of_timespan_is_understood() -> None:
    begin, end = "2024-01-01T12:00:00", "2024-01-02T12:00:00"
    expected = (iso_to_ns(begin), iso_to_ns(end))
    times = Time(begin, scale="tai"), Time(end, scale="tai")

    found = spans(
        day(timespan=Timespan(*expected)),
        day(timespan=(begin, end)),
        day(timespan=times),
        day(timespan={"begin": begin, "end": end}),
        day(datetime_begin=times[0].utc, datetime_end=times[1].tt),
        day(datetime_begin=expected[0], datetime_end=expected[1]),
        day(begin_ns=expected[0], end_ns=expected[1]),
    )

    assert found == [expected] * 7


def test_open_instant_empty_and_unknown_timespans() -> None:
    found = spans(
        day(datetime_begin=None, datetime_end="2024-01-01"),
        day(timespan=(5, 5)),
        day(timespan=Timespan.empty()),
        day(timespan=(9, 5)),
        day(timespan=None),
        day(),
        day(datetime_begin=None, datetime_end=None),
    )

    assert found == [
        (MIN_NS, iso_to_ns("2024-01-01")),
        (5, 6),
        (MAX_NS, MIN_NS),
        (MAX_NS, MIN_NS),
        (None, None),
        (None, None),
        (MIN_NS, MAX_NS),
    ]


def test_every_form_of_region_is_understood() -> None:
    region = Circle(UnitVector3d(1.0, 0.0, 0.0))
    encoded = region.encode()
    forms = (region, encoded, encoded.hex(), bytearray(encoded), None)

    columns = columns_of_records(VISIT, [visit(i, region=form) for i, form in enumerate(forms)])

    assert columns["region"] == [encoded] * 4 + [None]


def test_numpy_values_become_pythons() -> None:
    columns = columns_of_records(
        VISIT, [visit(np.int64(1), exposure_time=np.float32(1.5)), visit(2, exposure_time=3)]
    )

    assert columns["id"] == [1, 2]
    assert [type(value) for value in columns["id"]] == [int, int]
    assert columns["exposure_time"] == [1.5, 3.0]


def test_all_faults_are_told_together() -> None:
    rows = [visit("one", exposure_tme=3.0), {"instrument": "C", "id": 2, "name": "2"}]

    with pytest.raises(DimensionError) as caught:
        columns_of_records(VISIT, rows)

    text = str(caught.value)
    assert "no field 'exposure_tme'" in text
    assert "Did you mean 'exposure_time'" in text
    assert "'id' of visit must be int, and is 'one' in entry 1" in text
    assert "'day_obs' must be given, and is not in 1 of 2" in text
    assert "'physical_filter' must be given" in text


@pytest.mark.parametrize(
    ("field", "value", "match"),
    [
        ("region", "xyz", "'region' in entry 1 is no region"),
        ("region", 3, "a int was given"),
        ("timespan", "2024", "not a Timespan or two times"),
        ("timespan", ("x", "y"), "'x' is no time"),
        ("exposure_time", True, "must be float"),
        ("target_name", 3, "must be text"),
        ("seq_num", 1.5, "must be int"),
    ],
)
def test_values_of_the_wrong_type_are_refused(field: str, value: object, match: str) -> None:
    with pytest.raises(DimensionError, match=match):
        columns_of_records(VISIT, [visit(1, **{field: value})])


def test_an_element_without_region_has_no_such_field() -> None:
    with pytest.raises(DimensionError, match="no field 'region'"):
        columns_of_records(DAY, [day(region=b"")])
