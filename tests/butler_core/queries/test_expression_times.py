"""Time literals mean the nanoseconds that daf_butler makes of them."""

from __future__ import annotations

import pytest

from butler_core.queries.expression_times import decode_time

# What lsst-daf-butler 30.2026.500 makes of T'...'.
RUBIN_NS = [
    ("2021-07-07T00:00", 1625616037000000000),
    ("2021-07-07 00:00:00", 1625616037000000000),
    ("2021-07-07", 1625616037000000000),
    ("2021-07-07T12:34:56.789/tai", 1625661296789000000),
    ("mjd/57000.5", 1418126400000000000),
    ("mjd/57000.5/utc", 1418126435000000000),
    ("57000.5", 1418126400000000000),
    ("57000.", 1418083200000000000),
    ("jd/2459000.75", 1590904800000000000),
    ("isot/2021-07-07T00:00/tai", 1625616000000000000),
    ("2021:188", 1625616037000000000),
    ("2021:188:12:00:00", 1625659237000000000),
    ("unix/1600000000.25", 1600000037250000000),
    ("cxcsec/700000000.125", 1583612767941000000),
    ("2021-07-07T00:00:00+00:00", 1625616037000000000),
    ("-1.5", 0),
    ("MJD/57000.5/UTC", 1418126435000000000),
    ("iso/2021-07-07 01:02/TT", 1625619687816000000),
    ("yday/2021:188", 1625616037000000000),
    ("jyear/2020.5", 1593658800000000000),
    ("1900-01-01", 0),
    ("byear/1950.0", 0),
    ("+12021-07-07", 4102444800000000000),
    ("2021-07-07T00:00:00.", 1625616037000000000),
    ("fits/2021-07-07T00:00:00", 1625616037000000000),
    ("unix_tai/1600000000.5", 1600000000500000000),
    ("gps/1200000000.5", 1515964819500000000),
    ("decimalyear/2020.5", 1593648000000000000),
]


@pytest.mark.parametrize(("text", "expected_ns"), RUBIN_NS)
def test_times_equal_rubins(text, expected_ns):
    assert decode_time(text) == expected_ns


def test_whole_number_needs_its_format():
    assert decode_time("mjd/57000") == decode_time("57000.")
    with pytest.raises(ValueError, match="'57000' is no time of a known form"):
        decode_time("57000")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "write \\[format/\\]value"),
        ("yesterday", "no time of a known form"),
        ("mdj/57000.5", "unknown time format 'mdj'. Did you mean 'mjd'"),
        ("57000.5/utd", "unknown time scale 'utd'; there are tai"),
        ("57000.5/ut1", "unknown time scale 'ut1'"),
        ("2021-07-07T00:00:00+02:00", "no time of a known form"),
        ("2021-13-07", "'2021-13-07' is no time of the format 'iso'"),
        ("2021-13-07/tai", "'2021-13-07' is no time in TAI"),
        ("iso/57000.5", "'57000.5' is no time of the format 'iso'"),
        ("a/b/c/d", "write \\[format/\\]value"),
    ],
)
def test_wrong_times_are_refused(text, said):
    with pytest.raises(ValueError, match=said):
        decode_time(text)
