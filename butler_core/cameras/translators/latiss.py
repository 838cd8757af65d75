"""Headers of LATISS, the spectrograph of Rubin's Auxiliary Telescope.

Its headers of 2018 to 2021 are wrong in ways that depend on the date; the
dates and cures are those of lsst/obs_lsst's public translator.
"""

from __future__ import annotations

import math
from collections.abc import MutableMapping
from typing import Any

import astropy.units as u
from astropy.time import Time

from butler_core.cameras.translators.lsst import LsstTranslator

_ON_TELESCOPE = "2020-01-01T00:00:00"
_DETECTOR_068_SINCE = "2019-06-24T00:00:00"
_IMGTYPE_IN_GROUPID_UNTIL = "2019-11-07T00:00:00"
_OBJECT_IS_ENGTEST_UNTIL = "2020-01-27T20:00:00"
_RADEC_IN_RADIANS_UNTIL = "2020-01-28T22:00:00"
_DATE_END_WRONG_UNTIL = "2020-02-01T00:00:00"
_RASTART_WRONG_UNTIL = "2020-05-01T00:00:00"
_RASTART_IN_HOURS_UNTIL = "2021-02-11T18:45:00"
_RASTART_UTC_UNTIL = "2021-02-12T00:00:00"

#: Right ascension passes this much while TAI is mistaken for UTC (37 s) [deg].
_TAI_UTC_SLIP_DEG = 37.0 / 3600.0 * 15.0

Header = MutableMapping[str, Any]


class LatissTranslator(LsstTranslator):
    """Translator of LATISS headers, from 2018 on."""

    name = "LATISS"
    supported_instrument = "LATISS"
    instrume_values = ("latiss", "lsst_atiss")
    default_site = (-70.747698, -30.244728, 2663.0)
    _const_map = {
        "instrument": "LATISS",
        "telescope": "Rubin Auxiliary Telescope",
        "detector_group": "RXX",
        "detector_name": "S00",
        "detector_num": 0,
    }

    @classmethod
    def fix_header(
        cls,
        header: Header,
        instrument: str,  # noqa: ARG003 - given by astro-metadata-translator
        obsid: str,
        filename: str | None = None,  # noqa: ARG003
    ) -> bool:
        """Correct, in place, what is known to be wrong in headers of that date.

        Returns
        -------
        bool
            True if anything was changed.
        """
        before = dict(header)
        _complete_identity(header, obsid)
        _mend_1970(header)
        date = cls(header).to_datetime_begin().utc.isot
        _mend_kind(header, date)
        _mend_times(header, date)
        _mend_pointing(header, date)
        if date > _DETECTOR_068_SINCE:
            header["LSST_NUM"] = "ITL-3800C-068"
        return before != dict(header)

    def is_on_mountain(self) -> bool:
        """Say whether the spectrograph was on its telescope."""
        return bool(self.to_datetime_begin() > Time(_ON_TELESCOPE, scale="utc"))

    def to_observation_id(self) -> str:
        """Return the observatory's name of the exposure."""
        return str(self._header["OBSID" if self.is_key_ok("OBSID") else "IMGNAME"])

    def to_exposure_time_requested(self) -> u.Quantity:
        """Return the exposure time asked for; -1 s marks one that is nowhere."""
        return float(self.card("EXPTIME", default=-1.0)) * u.s

    def to_dark_time(self) -> u.Quantity:
        """Return the time between clearing and reading, never less than the exposure."""
        return max(super().to_dark_time(), self.to_exposure_time())

    def to_observation_type(self) -> str:
        """Return the type in lower case; a guess from the exposure time if none is given."""
        kind = self.card("OBSTYPE", "IMGTYPE")
        if kind is None:
            return "bias" if self.to_exposure_time() == 0.0 * u.s else "unknown"
        kind = str(kind).lower()
        if kind == "object" and not self.is_on_mountain():
            return "labobject"
        return "science" if kind in {"skyexp", "object"} else kind

    def to_physical_filter(self) -> str:
        """Return filter and grating joined by ``~``; ``unknown`` for what is not told."""
        filter_name = self.elements(("FILTER",)) or ["unknown"]
        grating = self.elements(("GRATING",)) or ["unknown"]
        return f"{filter_name[0]}~{grating[0]}"


def _complete_identity(header: Header, obsid: str) -> None:
    """Give day and counter to the oldest headers, whose name alone has them."""
    header.setdefault("OBSID", obsid)
    parts = str(obsid).split("_")
    if "DAYOBS" not in header and len(parts) == 4 and len(parts[2]) == 8:
        header["DAYOBS"] = parts[2]
    if "DAYOBS" not in header and "OBS-NITE" in header:
        header["DAYOBS"] = header["OBS-NITE"]
    if "SEQNUM" not in header and len(parts) == 4:
        header["SEQNUM"] = int(parts[3])


def _mend_1970(header: Header) -> None:
    """Take the file's time where the clock said 1970."""
    if str(header.get("DATE-OBS", "")).startswith("1970"):
        header["DATE-OBS"] = header["DATE-BEG"] = header["DATE"]
        header["MJD-OBS"] = header["MJD-BEG"] = header["MJD"]
        header["DATE-END"] = header["MJD-END"] = None


def _mend_kind(header: Header, date: str) -> None:
    """Move the type of observation from where it was kept at first."""
    group = header.get("GROUPID")
    if date < _IMGTYPE_IN_GROUPID_UNTIL and group and not group.startswith("test"):
        if not header.get("IMGTYPE"):
            kind = group.split("_", 1)[0]
            if kind.upper().startswith("FOCUS") and kind.upper() != "FOCUS":
                kind = "FOCUS"
            elif "_" not in group:
                header["GROUPID"] = None
            header["IMGTYPE"] = kind
        elif header["IMGTYPE"] == group:
            header["GROUPID"] = None
    if date < _OBJECT_IS_ENGTEST_UNTIL and header.get("IMGTYPE") == "OBJECT":
        header["IMGTYPE"] = "ENGTEST"
    if "OBJECT" not in header and header.get("IMGTYPE") == "OBJECT":
        header["OBJECT"] = "NOTSET"


def _mend_times(header: Header, date: str) -> None:
    """Forget end times that may precede the beginning."""
    if date < _DATE_END_WRONG_UNTIL and header.get("DATE-END"):
        header["DATE-END"] = header["MJD-END"] = None


def _mend_pointing(header: Header, date: str) -> None:
    """Bring the pointing to degrees and to the right place and time."""
    if header.get("RADESYS") == "":
        header["RADESYS"] = "ICRS"
    if date < _RADEC_IN_RADIANS_UNTIL:
        _multiply(header, ("RA", "DEC"), 180.0 / math.pi)
    if date < _RASTART_WRONG_UNTIL:
        for keyword in ("RASTART", "DECSTART", "RAEND", "DECEND"):
            if header.get(keyword) is not None:
                header[keyword] = None
    elif date < _RASTART_IN_HOURS_UNTIL:
        _multiply(header, ("RASTART", "RAEND"), 15.0)
    if _RASTART_WRONG_UNTIL < date < _RASTART_UTC_UNTIL:
        for keyword in ("RASTART", "RAEND"):
            if header.get(keyword) is not None:
                header[keyword] += _TAI_UTC_SLIP_DEG
    latitude, z_m = header.get("OBS-LAT"), header.get("OBSGEO-Z")
    if latitude is not None and z_m is not None and latitude * z_m < 0:
        header["OBSGEO-Z"] = -z_m


def _multiply(header: Header, keywords: tuple[str, ...], factor: float) -> None:
    for keyword in keywords:
        if header.get(keyword) is not None:
            header[keyword] *= factor
