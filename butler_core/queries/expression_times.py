"""The text between the quotes of ``T'...'``, to nanoseconds.

The text is ``[format/]value[/scale]``: formats and scales are astropy's, and
what is left out is guessed as daf_butler guesses it. Parses no expression.
"""

from __future__ import annotations

import re

from butler_core.errors import near_misses
from butler_core.tai import dubious_years_allowed, iso_to_ns, time_to_ns

_NUMBER = re.compile(r"-?(?:\d+(?:\.\d*)?|\.\d+)")
_FORMATS = (
    ("mjd", re.compile(r"-?(?:\d+\.\d*|\.\d+)")),
    ("isot", re.compile(r"\d+-\d+-\d+T[\d:.]+")),
    ("iso", re.compile(r"\d+-\d+-\d+(?: [\d:.]+)?")),
    ("fits", re.compile(r"\+\d+-\d+-\d+(?:T[\d:.]+)?")),
    ("yday", re.compile(r"\d+:\d+(?::[\d:.]+)?")),
)
_UTC_FORMATS = frozenset({"iso", "isot", "fits", "yday", "unix"})
# UT1 needs tables of the Earth's rotation, and local time has no fixed distance from TAI.
_SCALES_WITHOUT_TAI = frozenset({"ut1", "local"})


def decode_time(text: str) -> int:
    """Convert the text of a time literal to nanoseconds.

    Parameters
    ----------
    text
        ``[format/]value[/scale]``. Without a format, a number with a point is
        ``mjd`` and the rest is ISO or year:day. Without a scale it is UTC for
        ``iso``, ``isot``, ``fits``, ``yday`` and ``unix``, TT for ``cxcsec``,
        TAI for all others. A trailing ``+00:00`` is dropped.

    Returns
    -------
    int
        Nanoseconds since 1970 TAI; times outside 1970 to 2100 become the
        nearer of the two.

    Raises
    ------
    ValueError
        If the text is no such time.
    """
    form, value, scale = _split(text.strip().replace("+00:00", ""))
    if scale == "tai" and form in {"iso", "isot"}:
        return iso_to_ns(value)
    from astropy.time import Time

    if form not in Time.FORMATS:
        raise ValueError(f"unknown time format {form!r}.{near_misses(form, Time.FORMATS)}")
    if scale not in Time.SCALES or scale in _SCALES_WITHOUT_TAI:
        scales = sorted(set(Time.SCALES) - _SCALES_WITHOUT_TAI)
        raise ValueError(f"unknown time scale {scale!r}; there are {', '.join(scales)}")
    number = float(value) if _NUMBER.fullmatch(value) else value
    try:
        with dubious_years_allowed():
            time = Time(number, format=form, scale=scale)
    except (ValueError, TypeError) as error:
        raise ValueError(f"{value!r} is no time of the format {form!r}") from error
    return time_to_ns(time)


def _split(text: str) -> tuple[str, str, str]:
    """Find the format, value and scale, guessing those left out."""
    match = re.fullmatch(r"(?:(?P<form>[A-Za-z]\w*)/)?(?P<value>[^/]+)(?:/(?P<scale>\w+))?", text)
    if match is None:
        raise ValueError(f"{text!r} is no time; write [format/]value[/scale]")
    value = match["value"].strip()
    form = match["form"].lower() if match["form"] else _guess_format(value)
    default_scale = "utc" if form in _UTC_FORMATS else "tt" if form == "cxcsec" else "tai"
    return form, value, match["scale"].lower() if match["scale"] else default_scale


def _guess_format(value: str) -> str:
    for form, pattern in _FORMATS:
        if pattern.fullmatch(value):
            return form
    raise ValueError(
        f"{value!r} is no time of a known form; write 2021-07-07T00:00:00, 59402.5 (a Julian "
        "date with a point), or name the format, as in mjd/59402"
    )
