"""Filter, exposure facts and zero point, as headers of stored images give them.

Knows the cards that Rubin's software writes and the usual FITS ones. Raw
files' headers are the business of ``cameras.translators``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from butler_core.formatters.exposure import FilterLabel

#: Fact with its unit to the header cards that have it, the first one present counts.
_FACTS: dict[str, tuple[str, ...]] = {
    "exposure_time_s": ("EXPTIME", "EXPOSURE"),
    "dark_time_s": ("DARKTIME",),
    "date_begin": ("DATE-BEG", "DATE-OBS"),
    "date_average": ("DATE-AVG",),
    "date_end": ("DATE-END",),
    "mjd_begin": ("MJD-BEG", "MJD-OBS"),
    "time_scale": ("TIMESYS",),
    "boresight_ra_deg": ("BORE-RA", "RA_DEG", "RA"),
    "boresight_dec_deg": ("BORE-DEC", "DEC_DEG", "DEC"),
    "boresight_azimuth_deg": ("BORE-AZ", "AZ"),
    "boresight_altitude_deg": ("BORE-ALT", "EL"),
    "boresight_rotation_deg": ("BORE-ROTANG", "ROTPA", "ROTANGLE"),
    "airmass": ("BORE-AIRMASS", "AIRMASS"),
    "rotation_type": ("ROTTYPE",),
    "instrument": ("INSTRUMENT", "INSTRUME"),
    "observatory_longitude_deg": ("OBS-LONG",),
    "observatory_latitude_deg": ("OBS-LAT",),
    "observatory_elevation_m": ("OBS-ELEV",),
    "observation_type": ("OBSTYPE", "IMGTYPE"),
    "object": ("OBJECT",),
    "id": ("IDNUM", "EXPID"),
}

#: How files say that they know no filter.
_NO_FILTER = frozenset({"", "_unknown_", "NONE", "UNKNOWN"})


def visit_info(header: Mapping[str, Any]) -> dict[str, Any]:
    """Return the facts about an exposure that a header has, by name with unit.

    Parameters
    ----------
    header
        Header of the observation.
    """
    found = {}
    for fact, cards in _FACTS.items():
        for card in cards:
            if _present(header, card):
                found[fact] = header[card]
                break
    return found


def filter_label(header: Mapping[str, Any]) -> FilterLabel | None:
    """Return the filter that a header names, or None.

    Parameters
    ----------
    header
        Header of the observation.
    """
    from butler_core.formatters.exposure import FilterLabel

    physical = header.get("FILTER") if _present(header, "FILTER") else None
    band = header.get("FILTBAND") if _present(header, "FILTBAND") else None
    if physical is not None and str(physical).strip() in _NO_FILTER:
        physical = None
    if physical is None and band is None:
        return None
    return FilterLabel(physical=physical and str(physical).strip(), band=band)


def photo_calib(header: Mapping[str, Any]) -> dict[str, float] | None:
    """Return the zero point that a header gives, or None.

    Parameters
    ----------
    header
        Header of the observation. ``FLUXMAG0`` is the number of counts of an
        object of magnitude 0; 0 means not calibrated.

    Returns
    -------
    dict or None
        ``counts_at_magnitude_0`` and its error, [count].
    """
    counts = header.get("FLUXMAG0") if _present(header, "FLUXMAG0") else None
    if not counts:
        return None
    error = header.get("FLUXMAG0ERR", 0.0)
    return {"counts_at_magnitude_0": float(counts), "counts_at_magnitude_0_error": float(error)}


def _present(header: Mapping[str, Any], card: str) -> bool:
    """Tell whether a card is there and defined."""
    value = header.get(card)
    return value is not None and type(value).__name__ != "Undefined"
