"""Filter and exposure facts of raw files, from their translated headers.

Gives the same names as ``observation_facts`` gives for stored images.
Translates no header itself: ``cameras.observation`` does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from butler_core.errors import UnknownCameraError

if TYPE_CHECKING:
    from butler_core.cameras.camera import Camera
    from butler_core.formatters.exposure import FilterLabel


def raw_filter(facts: Any, camera: Camera) -> FilterLabel | None:
    """Return the filter of an exposure, or None if its header names none.

    Parameters
    ----------
    facts
        The translated header (``ObservationInfo``).
    camera
        The instrument, which knows the filters' bands; of a filter unknown to
        it the band is None.
    """
    from butler_core.formatters.exposure import FilterLabel

    physical = facts.physical_filter
    if physical is None:
        return None
    try:
        band: str | None = camera.filter(physical).band
    except UnknownCameraError:
        band = None
    return FilterLabel(physical=physical, band=band)


def raw_visit_info(facts: Any) -> dict[str, Any]:
    """Return the facts about an exposure that its header gives, by name with unit.

    Parameters
    ----------
    facts
        The translated header (``ObservationInfo``).

    Returns
    -------
    dict
        Times are ISO 8601, TAI.
    """
    found: dict[str, Any] = {
        "exposure_time_s": _value(facts.exposure_time, "s"),
        "dark_time_s": _value(facts.dark_time, "s"),
        "date_begin": _iso(facts.datetime_begin),
        "date_end": _iso(facts.datetime_end),
        "time_scale": "TAI",
        "boresight_rotation_deg": _value(facts.boresight_rotation_angle, "deg"),
        "rotation_type": facts.boresight_rotation_coord,
        "airmass": facts.boresight_airmass,
        "instrument": facts.instrument,
        "observation_type": facts.observation_type,
        "object": facts.object,
        "id": facts.exposure_id,
    }
    if facts.tracking_radec is not None:
        sky = facts.tracking_radec.icrs
        found["boresight_ra_deg"] = float(sky.ra.deg)
        found["boresight_dec_deg"] = float(sky.dec.deg)
    if facts.altaz_begin is not None:
        found["boresight_azimuth_deg"] = float(facts.altaz_begin.az.deg)
        found["boresight_altitude_deg"] = float(facts.altaz_begin.alt.deg)
    if facts.location is not None:
        geodetic = facts.location.geodetic
        found["observatory_longitude_deg"] = float(geodetic.lon.deg)
        found["observatory_latitude_deg"] = float(geodetic.lat.deg)
        found["observatory_elevation_m"] = float(geodetic.height.to_value("m"))
    return {name: value for name, value in found.items() if value is not None}


def _value(quantity: Any, unit: str) -> float | None:
    """Return a quantity or angle as a number, or None."""
    return None if quantity is None else float(quantity.to_value(unit))


def _iso(time: Any) -> str | None:
    """Return a time as ISO 8601 text in TAI, or None."""
    return None if time is None else str(time.tai.isot)
