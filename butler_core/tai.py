"""TAI time as integer nanoseconds.

A time is the nanoseconds since 1970-01-01T00:00:00 TAI, between `MIN_NS` and
`MAX_NS` (2100-01-01T00:00:00 TAI). Limits and rounding are those of
daf_butler's ``TimeConverter``, so that stored values mean the same in both.

astropy and numpy are imported by the functions that need them; ISO text in TAI
needs neither. Knows nothing of intervals.
"""

from __future__ import annotations

import datetime as dt
import logging
import numbers
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from butler_core.errors import TimespanError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

#: 1970-01-01T00:00:00 TAI [ns].
MIN_NS = 0
#: 2100-01-01T00:00:00 TAI [ns since 1970 TAI].
MAX_NS = 4_102_444_800_000_000_000

_NS_PER_S = 1_000_000_000
_NS_PER_DAY = 86_400 * _NS_PER_S
# 1970-01-01T00:00:00 is Julian date 2440587.5; astropy keeps whole days in jd1.
_EPOCH_JD1 = 2_440_588.0
_EPOCH_JD2 = -0.5
_EPOCH = dt.datetime(1970, 1, 1)  # noqa: DTZ001 - TAI, which no tzinfo describes

_ISO = re.compile(
    r"(?P<date>\d{4}-\d\d-\d\d)"
    r"(?:[T ](?P<minute>\d\d:\d\d)(?::(?P<second>\d\d)(?:\.(?P<fraction>\d{1,9})\d*)?)?)?"
)

_LOG = logging.getLogger(__name__)


def time_to_ns(time: Any) -> int:
    """Convert a time to nanoseconds.

    Parameters
    ----------
    time
        An `astropy.time.Time` (one time, any scale); a `datetime.datetime`
        (UTC if it names no zone); ISO 8601 text in TAI, such as
        ``"2021-07-07T00:00:00.5"``, in UTC if it ends with ``Z``; or the
        nanoseconds themselves.

    Returns
    -------
    int
        Nanoseconds since 1970-01-01T00:00:00 TAI. A time before 1970 becomes
        `MIN_NS` and one after 2100 `MAX_NS`, with a warning in the log.

    Raises
    ------
    TimespanError
        If it is none of these.
    """
    if isinstance(time, str) and not time.endswith(("Z", "z")):
        return iso_to_ns(time)
    if isinstance(time, numbers.Integral):
        return _within_range(int(time), time)
    return int(times_to_ns(_as_astropy(time))[()])


def times_to_ns(times: Any) -> NDArray[np.int64]:
    """Convert an array of times to nanoseconds, as `time_to_ns` does.

    Parameters
    ----------
    times
        An `astropy.time.Time` of any shape and scale, none masked.

    Returns
    -------
    numpy.ndarray
        Nanoseconds since 1970 TAI, same shape, int64, within `MIN_NS` to
        `MAX_NS`.

    Raises
    ------
    TimespanError
        If a time is masked.
    """
    import numpy as np
    from astropy.time.utils import day_frac

    if times.masked:
        raise TimespanError("of the times given, some are masked. Leave such times out.")
    with dubious_years_allowed():
        tai = times.tai
        shown = str(tai)
    # Whole days and the rest are scaled apart: a float of nanoseconds since 1970 would keep 256 ns.
    days, fraction = day_frac(np.asarray(tai.jd1) - _EPOCH_JD1, np.asarray(tai.jd2) - _EPOCH_JD2)
    # Clipped as days first, so that a far year cannot overflow.
    days = np.clip(days, -1.0, MAX_NS / _NS_PER_DAY + 1)
    rest_ns = np.rint(fraction * _NS_PER_DAY)
    exact_ns = days.astype(np.int64) * _NS_PER_DAY + rest_ns.astype(np.int64)
    clipped_ns: NDArray[np.int64] = np.clip(exact_ns, MIN_NS, MAX_NS)
    if not np.array_equal(clipped_ns, exact_ns):
        _LOG.warning("times outside 1970 to 2100 were taken as the nearer of the two: %s", shown)
    return clipped_ns


def iso_to_ns(text: str) -> int:
    """Convert ISO 8601 text in TAI to nanoseconds, with integers alone.

    Parameters
    ----------
    text
        ``YYYY-MM-DD``, then optionally ``T`` or a space and ``hh:mm``,
        ``hh:mm:ss`` or ``hh:mm:ss.f``; digits past the ninth are cut.

    Returns
    -------
    int
        Nanoseconds since 1970 TAI, within `MIN_NS` to `MAX_NS`.

    Raises
    ------
    TimespanError
        If the text is no such time.
    """
    match = _ISO.fullmatch(text.strip())
    if match is None:
        raise TimespanError(
            f"{text!r} is no time. Write YYYY-MM-DDThh:mm:ss.f in TAI, such as "
            "'2021-07-07T00:00:00'."
        )
    date, minute, second, fraction = match.group("date", "minute", "second", "fraction")
    try:
        moment = dt.datetime.fromisoformat(f"{date}T{minute or '00:00'}:{second or '00'}")
    except ValueError as error:
        raise TimespanError(f"{text!r} is no time in TAI: {error}.") from error
    elapsed = moment - _EPOCH
    whole_s = elapsed.days * 86_400 + elapsed.seconds
    return _within_range(whole_s * _NS_PER_S + int((fraction or "").ljust(9, "0")), text)


def ns_to_time(time_ns: int) -> Any:
    """Convert nanoseconds to an astropy time.

    Parameters
    ----------
    time_ns
        Nanoseconds since 1970 TAI.

    Returns
    -------
    astropy.time.Time
        The time, in TAI, printed as ISO with nine digits. `time_to_ns` gives
        the same integer back.
    """
    return ns_to_times(time_ns)


def ns_to_times(times_ns: Any) -> Any:
    """Convert an array of nanoseconds to an array of astropy times.

    Parameters
    ----------
    times_ns
        Nanoseconds since 1970 TAI, int64, any shape.

    Returns
    -------
    astropy.time.Time
        The times, in TAI, same shape, printed as ISO with nine digits.
    """
    import numpy as np
    from astropy.time import Time

    days, rest_ns = np.divmod(np.asarray(times_ns, dtype=np.int64), _NS_PER_DAY)
    times = Time(
        days + _EPOCH_JD1, rest_ns / _NS_PER_DAY + _EPOCH_JD2, format="jd", scale="tai", precision=9
    )
    times.format = "isot"
    return times


def ns_to_iso(time_ns: int) -> str:
    """Write nanoseconds as ISO 8601 text in TAI.

    Parameters
    ----------
    time_ns
        Nanoseconds since 1970 TAI.

    Returns
    -------
    str
        ``YYYY-MM-DDThh:mm:ss.fffffffff``, always nine digits.
    """
    whole_s, rest_ns = divmod(time_ns, _NS_PER_S)
    return f"{(_EPOCH + dt.timedelta(seconds=whole_s)).isoformat()}.{rest_ns:09d}"


def ns_array_to_iso(times_ns: Any) -> NDArray[np.str_]:
    """Write an array of nanoseconds as ISO 8601 text in TAI.

    Parameters
    ----------
    times_ns
        Nanoseconds since 1970 TAI, int64, any shape.

    Returns
    -------
    numpy.ndarray
        Same shape, text of nine digits each, as `ns_to_iso` writes it.
    """
    import numpy as np

    return np.datetime_as_string(np.asarray(times_ns, dtype=np.int64).view("datetime64[ns]"))


def _within_range(time_ns: int, asked: object) -> int:
    clipped_ns = min(max(time_ns, MIN_NS), MAX_NS)
    if clipped_ns != time_ns:
        _LOG.warning("%s is outside 1970 to 2100; the nearer of the two is taken", asked)
    return clipped_ns


def _as_astropy(time: Any) -> Any:
    """Make one astropy time of what is not a TAI text."""
    from astropy.time import Time

    if isinstance(time, Time):
        if time.isscalar:
            return time
        raise TimespanError(f"one time was wanted, {time.size} were given. Take `times_to_ns`.")
    if not isinstance(time, str | dt.datetime):
        raise TimespanError(
            f"{time!r} is a {type(time).__name__}, not a time. Give an astropy Time, a "
            "datetime, or ISO text in TAI."
        )
    try:
        with dubious_years_allowed():
            return Time(time if isinstance(time, dt.datetime) else time[:-1], scale="utc")
    except ValueError as error:
        raise TimespanError(f"{time!r} is no time in UTC: {error}.") from error


@contextmanager
def dubious_years_allowed() -> Iterator[None]:
    """Keep astropy from warning that leap seconds of a far year are unknown.

    Yields
    ------
    None
        Once, for the time of the ``with``.
    """
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*dubious year.*")
        yield
