"""Half-open intervals of TAI time, in integer nanoseconds.

A bound is a time as `butler_core.tai` counts it; `MIN_NS` also says "no lower
bound" and `MAX_NS` "no upper bound". These numbers and the encoding of the
empty interval are those of daf_butler's ``Timespan``. The conversions of `tai`
are offered here too. Reads no clock, no file and no database.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

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

__all__ = [
    "MAX_NS",
    "MIN_NS",
    "Timespan",
    "iso_to_ns",
    "ns_array_to_iso",
    "ns_to_iso",
    "ns_to_time",
    "ns_to_times",
    "time_to_ns",
    "times_to_ns",
]

_NS_PER_S = 1_000_000_000
_NS_PER_DAY = 86_400 * _NS_PER_S


@dataclass(frozen=True, slots=True)
class Timespan:
    """The times ``t`` with ``begin_ns <= t < end_ns``.

    Every interval with no times in it becomes the one empty interval
    (``begin_ns`` is `MAX_NS`, ``end_ns`` is `MIN_NS`): it equals itself, lies
    within every interval and overlaps none.

    ``a < b`` says that all of ``a`` lies before all of ``b``; it is no total
    order. Sort by ``key=lambda span: span.nsec``.

    Raises
    ------
    TimespanError
        If a bound lies outside `MIN_NS` to `MAX_NS`.
    """

    #: First time in the interval, TAI [ns since 1970]; `MIN_NS` is "no lower bound".
    begin_ns: int
    #: First time after the interval, TAI [ns since 1970]; `MAX_NS` is "no upper bound".
    end_ns: int

    def __post_init__(self) -> None:
        for name, bound_ns in (("begin_ns", self.begin_ns), ("end_ns", self.end_ns)):
            if not MIN_NS <= bound_ns <= MAX_NS:
                raise TimespanError(
                    f"{name} is {bound_ns!r}, outside {MIN_NS} to {MAX_NS}, the nanoseconds "
                    "of 1970 to 2100 TAI. Take None in Timespan.from_times for an unbounded side."
                )
        if self.begin_ns >= self.end_ns:
            object.__setattr__(self, "begin_ns", MAX_NS)
            object.__setattr__(self, "end_ns", MIN_NS)

    @classmethod
    def from_times(cls, begin: Any, end: Any) -> Timespan:
        """Make an interval from times in any form that `time_to_ns` takes.

        Parameters
        ----------
        begin
            First time in the interval; None for no lower bound.
        end
            First time after the interval; None for no upper bound.

        Returns
        -------
        Timespan
            The interval; one nanosecond long if both times are the same
            nanosecond, empty if ``end`` is before ``begin``.

        Raises
        ------
        TimespanError
            If a time cannot be understood, or if nothing of the interval lies
            between 1970 and 2100.
        """
        begin_ns = MIN_NS if begin is None else time_to_ns(begin)
        end_ns = MAX_NS if end is None else time_to_ns(end)
        if begin_ns != end_ns:
            return cls(begin_ns, end_ns)
        return cls._instant(begin_ns)

    @classmethod
    def from_instant(cls, time: Any) -> Timespan:
        """Make the one-nanosecond interval that begins at a time.

        Parameters
        ----------
        time
            Any form that `time_to_ns` takes.

        Returns
        -------
        Timespan
            ``[time, time + 1 ns)``.

        Raises
        ------
        TimespanError
            If the time cannot be understood or lies outside 1970 to 2100.
        """
        return cls._instant(time_to_ns(time))

    @classmethod
    def _instant(cls, time_ns: int) -> Timespan:
        if not MIN_NS < time_ns < MAX_NS - 1:
            raise TimespanError(
                f"an instant at {ns_to_iso(time_ns)} TAI has no time between 1970 and 2100 "
                "around it. Take None for an unbounded side."
            )
        return cls(time_ns, time_ns + 1)

    @classmethod
    def from_day_obs(cls, day_obs: int, *, offset_s: int = 0) -> Timespan:
        """Make the 24 hours of an observing day.

        Parameters
        ----------
        day_obs
            The day as YYYYMMDD, from 19700101 to 20991231.
        offset_s
            Seconds from TAI midnight to the day's begin [s].

        Returns
        -------
        Timespan
            One day from TAI midnight plus ``offset_s``.

        Raises
        ------
        TimespanError
            If ``day_obs`` is no such day.
        """
        text = str(day_obs)
        if re.fullmatch(r"\d{8}", text) is None:
            raise TimespanError(
                f"day_obs is {day_obs!r}; a day is given as YYYYMMDD, such as 20240229."
            )
        begin_ns = iso_to_ns(f"{text[:4]}-{text[4:6]}-{text[6:]}") + offset_s * _NS_PER_S
        return cls(begin_ns, begin_ns + _NS_PER_DAY)

    @classmethod
    def empty(cls) -> Timespan:
        """Make the interval with no times in it."""
        return cls(MAX_NS, MIN_NS)

    @classmethod
    def unbounded(cls) -> Timespan:
        """Make the interval of all times."""
        return cls(MIN_NS, MAX_NS)

    @property
    def is_empty(self) -> bool:
        """Whether there is no time in the interval."""
        return self.begin_ns >= self.end_ns

    @property
    def nsec(self) -> tuple[int, int]:
        """Both bounds, TAI [ns since 1970]."""
        return (self.begin_ns, self.end_ns)

    @property
    def begin(self) -> Any:
        """First time as an `astropy.time.Time` (TAI); None if unbounded below.

        Raises
        ------
        TimespanError
            If the interval is empty.
        """
        self._require_times("begin")
        return None if self.begin_ns == MIN_NS else ns_to_time(self.begin_ns)

    @property
    def end(self) -> Any:
        """First time after it as an `astropy.time.Time` (TAI); None if unbounded.

        Raises
        ------
        TimespanError
            If the interval is empty.
        """
        self._require_times("end")
        return None if self.end_ns == MAX_NS else ns_to_time(self.end_ns)

    def _require_times(self, bound: str) -> None:
        if self.is_empty:
            raise TimespanError(f"an empty timespan has no {bound}. Ask `is_empty` first.")

    def overlaps(self, other: Any) -> bool:
        """Say whether the two have a time in common.

        Parameters
        ----------
        other
            A timespan, or one time in any form that `time_to_ns` takes.

        Returns
        -------
        bool
            False if either is empty, or if one ends where the other begins.
        """
        if not isinstance(other, Timespan):
            return self.contains(other)
        return self.end_ns > other.begin_ns and other.end_ns > self.begin_ns

    def contains(self, other: Any) -> bool:
        """Say whether all of the other lies within this.

        Parameters
        ----------
        other
            A timespan, or one time in any form that `time_to_ns` takes.

        Returns
        -------
        bool
            True for every empty ``other``.
        """
        if not isinstance(other, Timespan):
            return self.begin_ns <= time_to_ns(other) < self.end_ns
        return self.begin_ns <= other.begin_ns and other.end_ns <= self.end_ns

    def intersection(self, *others: Timespan) -> Timespan:
        """Keep the times that are in this and in all others.

        Parameters
        ----------
        others
            Any number of timespans.

        Returns
        -------
        Timespan
            The common times, perhaps none.
        """
        spans = (self, *others)
        return Timespan(max(span.begin_ns for span in spans), min(span.end_ns for span in spans))

    def difference(self, other: Timespan) -> Iterator[Timespan]:
        """Take the other's times out of this.

        Parameters
        ----------
        other
            The timespan to take out.

        Yields
        ------
        Timespan
            What is left: none, one or two intervals, in order, none of them
            empty unless this one is.
        """
        common = self.intersection(other)
        if common.is_empty:
            yield self
            return
        if self.begin_ns < common.begin_ns:
            yield Timespan(self.begin_ns, common.begin_ns)
        if common.end_ns < self.end_ns:
            yield Timespan(common.end_ns, self.end_ns)

    def __lt__(self, other: Timespan) -> bool:
        # The second term matters for the empty interval alone, which is never before anything.
        return self.end_ns <= other.begin_ns and self.begin_ns < other.end_ns

    def __gt__(self, other: Timespan) -> bool:
        return other < self

    def __str__(self) -> str:
        if self.is_empty:
            return "(empty)"
        head = "(-∞" if self.begin_ns == MIN_NS else f"[{_short_iso(self.begin_ns)}"
        tail = "∞)" if self.end_ns == MAX_NS else f"{_short_iso(self.end_ns)})"
        return f"{head}, {tail}"


def _short_iso(time_ns: int) -> str:
    whole, fraction = ns_to_iso(time_ns).split(".")
    return f"{whole}.{fraction}".rstrip("0") if time_ns % _NS_PER_S else whole
