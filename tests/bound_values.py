"""Values bound to names in questions, from and to JSON; for either program.

A plain value stands for itself. Others are objects of one key that names the kind:
``{"time": "2024-01-10T20:00:00"}`` (TAI), ``datetime`` (UTC), ``timespan`` (two TAI
texts or nulls), ``region`` (IVOA's notation), ``point`` and ``sky`` (degrees),
``numpy`` (a number), ``tuple`` and ``set``.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any


def decoded(bind: dict[str, Any], timespan: Callable[[Any, Any], Any]) -> dict[str, Any]:
    """Return the values that a question binds.

    Parameters
    ----------
    timespan
        Makes the program's own timespan of two astropy times or Nones.
    """
    return {name: _value(value, timespan) for name, value in bind.items()}


def _value(value: Any, timespan: Callable[[Any, Any], Any]) -> Any:
    if not isinstance(value, dict):
        return value
    ((kind, content),) = value.items()
    if kind == "timespan":
        return timespan(*(None if end is None else _time(end) for end in content))
    return _MAKERS[kind](content)


def _time(text: str) -> Any:
    from astropy.time import Time

    return Time(text, format="isot", scale="tai", precision=9)


def _region(text: str) -> Any:
    from lsst.sphgeom import Region

    return Region.from_ivoa_pos(text)


def _point(lon_lat_deg: list[float]) -> Any:
    from lsst.sphgeom import LonLat

    return LonLat.fromDegrees(*lon_lat_deg)


def _sky(ra_dec_deg: list[float]) -> Any:
    from astropy.coordinates import SkyCoord

    return SkyCoord(*ra_dec_deg, unit="deg")


def _numpy(number: float) -> Any:
    import numpy as np

    return np.int64(number) if isinstance(number, int) else np.float64(number)


_MAKERS: dict[str, Callable[[Any], Any]] = {
    "time": _time,
    "datetime": dt.datetime.fromisoformat,
    "region": _region,
    "point": _point,
    "sky": _sky,
    "numpy": _numpy,
    "tuple": tuple,
    "set": set,
}
