"""Timespans: the algebra of half-open intervals, and daf_butler's numbers."""

from __future__ import annotations

import pickle

import pytest
from astropy.time import Time
from hypothesis import given
from hypothesis import strategies as st

from butler_core.errors import TimespanError
from butler_core.timespan import MAX_NS, MIN_NS, Timespan

# Few distinct bounds, so that equal and touching ones are common; the sentinels among them.
bounds_ns = st.one_of(st.integers(MIN_NS, MIN_NS + 6), st.just(MAX_NS), st.integers(MIN_NS, MAX_NS))
spans = st.builds(Timespan, bounds_ns, bounds_ns)

A = "2020-01-01T00:00:00"
B = "2020-02-01T00:00:00"

# What lsst-daf-butler 30.2026.500 gives for Timespan(begin, end): (begin, end, nsec, str).
RUBIN_SPANS = [
    (A, B, (1577836800000000000, 1580515200000000000), f"[{A}, {B})"),
    (B, A, (4102444800000000000, 0), "(empty)"),
    (None, A, (0, 1577836800000000000), f"(-∞, {A})"),
    (A, None, (1577836800000000000, 4102444800000000000), f"[{A}, ∞)"),
    (None, None, (0, 4102444800000000000), "(-∞, ∞)"),
    ("1960-01-01T00:00:00", A, (0, 1577836800000000000), f"(-∞, {A})"),
    (A, "2101-01-01T00:00:00", (1577836800000000000, 4102444800000000000), f"[{A}, ∞)"),
]


@pytest.mark.parametrize(("begin", "end", "nsec", "text"), RUBIN_SPANS)
def test_bounds_and_text_equal_rubins(begin, end, nsec, text):
    span = Timespan.from_times(begin, end)

    assert span.nsec == nsec
    assert str(span) == text


def test_equal_times_make_one_nanosecond():
    span = Timespan.from_times(A, A)

    assert span == Timespan.from_instant(A)
    assert span.nsec == (1577836800000000000, 1577836800000000001)
    assert str(span) == f"[{A}, {A}.000000001)"


@pytest.mark.parametrize(
    ("begin", "end"),
    [(None, "1960-01-01"), ("2101-01-01", None), ("1960-01-01", "1961-01-01"), ("2101-01-01",) * 2],
)
def test_interval_wholly_out_of_range_is_refused(begin, end):
    with pytest.raises(TimespanError, match="between 1970 and 2100"):
        Timespan.from_times(begin, end)


def test_bound_out_of_range_is_refused():
    with pytest.raises(TimespanError, match="end_ns is 4102444800000000001, outside"):
        Timespan(0, MAX_NS + 1)
    with pytest.raises(TimespanError, match="begin_ns is -1, outside"):
        Timespan(-1, 5)


def test_day_obs_is_rubins():
    assert Timespan.from_day_obs(20240229, offset_s=43200).nsec == (
        1709208000000000000,
        1709294400000000000,
    )


@pytest.mark.parametrize("day_obs", [2024, 20240230])
def test_day_obs_that_is_no_day_is_refused(day_obs):
    with pytest.raises(TimespanError):
        Timespan.from_day_obs(day_obs)


def test_bounds_come_back_as_astropy_times():
    span = Timespan.from_times(Time("2021-07-07", scale="utc"), None)

    assert span.begin.isot == "2021-07-07T00:00:37.000000000"
    assert span.end is None
    assert Timespan.unbounded().begin is None


def test_empty_timespan_has_no_bounds():
    with pytest.raises(TimespanError, match="empty timespan has no end"):
        _ = Timespan.empty().end


def test_contains_its_begin_and_not_its_end():
    span = Timespan.from_times(A, B)

    assert span.contains(A)
    assert span.overlaps(Time(A, scale="tai"))
    assert not span.contains(B)
    assert not Timespan.empty().contains(A)


def test_order_is_that_of_whole_intervals():
    early, late, both = Timespan(1, 3), Timespan(3, 5), Timespan(2, 4)

    assert early < late
    assert late > early
    assert not early < both
    assert not both < early


@given(spans)
def test_empty_interval_is_one_value(span):
    empty = Timespan.empty()

    assert span.is_empty == (span == empty)
    assert span.contains(empty)
    assert not span.overlaps(empty)
    assert not span < empty
    assert not empty < span
    assert span.intersection(empty) == empty


@given(spans, spans)
def test_overlap_is_a_common_time(one, other):
    common = one.intersection(other)

    assert one.overlaps(other) == other.overlaps(one) == (not common.is_empty)
    assert common == other.intersection(one)
    assert one.contains(common)
    assert other.contains(common)


@given(spans, spans)
def test_contained_means_unchanged_by_intersection(one, other):
    assert one.contains(other) == (one.intersection(other) == other)


@given(spans, spans)
def test_two_that_do_not_overlap_are_ordered(one, other):
    if not one.is_empty and not other.is_empty:
        assert [one < other, one > other, one.overlaps(other)].count(True) == 1


@given(spans, spans, spans)
def test_intersection_is_associative(one, two, three):
    assert one.intersection(two).intersection(three) == one.intersection(two, three)


@given(spans, spans)
def test_difference_and_intersection_make_the_whole(one, other):
    parts = [part for part in one.difference(other) if not part.is_empty]
    common = one.intersection(other)

    assert not any(part.overlaps(other) for part in parts)
    pieces = sorted([*parts, *([] if common.is_empty else [common])], key=lambda span: span.nsec)
    assert sum(piece.end_ns - piece.begin_ns for piece in pieces) == (
        0 if one.is_empty else one.end_ns - one.begin_ns
    )
    if pieces:
        assert (pieces[0].begin_ns, pieces[-1].end_ns) == one.nsec


@given(spans)
def test_repr_hash_and_pickle_keep_the_value(span):
    assert eval(repr(span), {"Timespan": Timespan}) == span
    assert pickle.loads(pickle.dumps(span)) == span
    assert hash(Timespan(*span.nsec)) == hash(span)
