"""TAI nanoseconds: equal to daf_butler's, and exact both ways."""

from __future__ import annotations

import datetime as dt
import subprocess
import sys

import numpy as np
import pytest
from astropy.time import Time
from hypothesis import given
from hypothesis import strategies as st

from butler_core.errors import TimespanError
from butler_core.tai import (
    MAX_NS,
    MIN_NS,
    iso_to_ns,
    ns_array_to_iso,
    ns_to_iso,
    ns_to_time,
    ns_to_times,
    time_to_ns,
    times_to_ns,
)

nanoseconds = st.integers(MIN_NS, MAX_NS)

# What lsst-daf-butler 30.2026.500 gives: TimeConverter().astropy_to_nsec(Time(value, ...)).
RUBIN_NS = [
    ("2021-07-07T00:00:00", "isot", "tai", 1625616000000000000),
    ("2021-07-07T00:00:00", "isot", "utc", 1625616037000000000),
    ("1970-01-01T00:00:00", "isot", "tai", 0),
    ("1970-01-01T00:00:00.000000001", "isot", "tai", 1),
    ("1969-12-31T23:59:59", "isot", "tai", 0),
    ("2099-12-31T23:59:59.999999999", "isot", "tai", 4102444799999999999),
    ("2100-01-01T00:00:00", "isot", "tai", 4102444800000000000),
    ("2150-01-01T00:00:00", "isot", "tai", 4102444800000000000),
    ("2016-12-31T23:59:60", "isot", "utc", 1483228836000000000),
    ("2017-01-01T00:00:00", "isot", "utc", 1483228837000000000),
    ("2023-02-03T04:05:06.123456789", "isot", "tai", 1675397106123456789),
    ("2023-02-03T12:00:00.987654321", "isot", "utc", 1675425637987654321),
    ("2023-02-03T04:05:06.123456789", "isot", "tt", 1675397073939456789),
    ("2023-02-03T04:05:06.123456789", "isot", "tdb", 1675397073938652030),
    (57000.5, "mjd", "utc", 1418126435000000000),
    (59000.123456789, "mjd", "tai", 1590893866666569491),
    (2459000.75, "jd", "tai", 1590904800000000000),
    (1600000000.25, "unix", "utc", 1600000037250000000),
    (2020.5, "jyear", "tai", 1593658800000000000),
    (700000000.125, "cxcsec", "tt", 1583612767941000000),
    (2000000000.5, "unix_tai", "tai", 2000000000500000000),
]


@pytest.mark.parametrize(("value", "form", "scale", "expected_ns"), RUBIN_NS)
def test_time_to_ns_equals_rubins(value, form, scale, expected_ns):
    assert time_to_ns(Time(value, format=form, scale=scale)) == expected_ns


@given(nanoseconds)
def test_ns_survive_the_way_through_astropy(time_ns):
    assert time_to_ns(ns_to_time(time_ns)) == time_ns


@given(nanoseconds)
def test_ns_survive_the_way_through_iso_text(time_ns):
    assert iso_to_ns(ns_to_iso(time_ns)) == time_ns


@given(st.lists(nanoseconds, min_size=1, max_size=20))
def test_arrays_agree_with_single_times(times_ns):
    array = np.array(times_ns, dtype=np.int64)

    assert times_to_ns(ns_to_times(array)).tolist() == times_ns
    assert ns_array_to_iso(array).tolist() == [ns_to_iso(time_ns) for time_ns in times_ns]


def test_astropy_prints_the_same_iso_text():
    time_ns = 1675397106123456789

    assert ns_to_time(time_ns).isot == ns_to_iso(time_ns) == "2023-02-03T04:05:06.123456789"
    assert ns_to_time(time_ns).scale == "tai"


def test_arrays_keep_their_shape():
    array = np.array([[1, 2], [3, 4]], dtype=np.int64)

    assert ns_to_times(array).shape == times_to_ns(ns_to_times(array)).shape == (2, 2)


@pytest.mark.parametrize(
    ("text", "expected_ns"),
    [
        ("2021-07-07", 1625616000000000000),
        ("2021-07-07T00:00", 1625616000000000000),
        ("2021-07-07 00:00:01", 1625616001000000000),
        ("2021-07-07T00:00:01.5", 1625616001500000000),
        ("2021-07-07T00:00:01.1234567899", 1625616001123456789),
        ("2021-07-07T00:00:00Z", 1625616037000000000),
        ("1900-01-01", MIN_NS),
        ("2200-01-01", MAX_NS),
    ],
)
def test_iso_text_is_tai_unless_it_ends_with_z(text, expected_ns):
    assert time_to_ns(text) == expected_ns


def test_datetime_without_zone_is_utc():
    naive = dt.datetime(2021, 7, 7)  # noqa: DTZ001 - the point of the test
    zone = dt.timezone(dt.timedelta(hours=2))

    assert time_to_ns(naive) == 1625616037000000000
    assert time_to_ns(dt.datetime(2021, 7, 7, 2, tzinfo=zone)) == 1625616037000000000


def test_integers_of_python_and_numpy_are_nanoseconds():
    assert time_to_ns(5) == time_to_ns(np.int64(5)) == 5


def test_far_years_are_cut_with_a_log_line(caplog):
    assert time_to_ns(-5) == MIN_NS
    assert time_to_ns(Time(2e6, format="mjd", scale="utc")) == MAX_NS
    assert len(caplog.records) == 2


@pytest.mark.parametrize(
    "text", ["", "yesterday", "2021-13-01", "2021-07-07T25:00", "20210707", "xZ"]
)
def test_text_that_is_no_time_is_refused(text):
    with pytest.raises(TimespanError, match="is no time"):
        time_to_ns(text)


def test_wrong_kinds_of_time_are_refused():
    with pytest.raises(TimespanError, match="is a float, not a time"):
        time_to_ns(1.5)
    with pytest.raises(TimespanError, match="one time was wanted, 2 were given"):
        time_to_ns(Time(["2021-01-01", "2021-01-02"]))
    with pytest.raises(TimespanError, match="some are masked"):
        times_to_ns(Time(np.ma.masked_array([1.0, 2.0], [True, False]), format="mjd", scale="tai"))


def test_import_loads_neither_astropy_nor_numpy():
    code = "import sys, butler_core.timespan; print({'astropy', 'numpy'} & set(sys.modules))"

    answer = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )

    assert answer.stdout.strip() == "set()"
