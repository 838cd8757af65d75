"""Headers of LSSTCam, in the laboratory and on the Simonyi telescope.

The corrections by night are those of lsst/obs_lsst's public translator.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import MutableMapping
from typing import Any

import astropy.units as u
from astropy.time import Time, TimeDelta

from butler_core.cameras.translators.lsst import LsstTranslator

_ON_TELESCOPE = "2025-03-01T00:00:00"
#: Months (YYYYMM) from which days start as at the summit; before, as in California.
_SHIPPED_MONTH = 202405

#: Nights on which ROTPA was that of another camera [deg to add], by first and last observing day
#: and last counter.
_ROTPA_SHIFTS = (
    (20250302, 20250421, 99999, -90.0),
    (20250422, 20250422, 250, -180.0),
)

#: Exposures behind a closed dome whose VIGN_MIN says otherwise: day to first and last counter.
_DOME_CLOSED = {
    20250518: ((0, 99999),),
    20250703: ((743, 745),),
    20250704: ((832, 834),),
    20250705: ((1, 736),),
    20250707: ((744, 823), (864, 943)),
    20250714: ((258, 781),),
    20250715: ((205, 1218),),
    20250819: ((4, 1052),),
}

_MISSPELT_FILTER_DAYS = (20231107, 20231108, 20241015, 20241016)


class LsstCamTranslator(LsstTranslator):
    """Translator of LSSTCam headers, from 2018 on."""

    name = "LSSTCam"
    supported_instrument = "LSSTCam"
    instrume_values = ("lsstcam",)
    _const_map = {"instrument": "LSSTCam", "telescope": "Simonyi Survey Telescope"}
    _trivial_map = {"detector_group": "RAFTBAY", "detector_name": "CCDSLOT"}

    @classmethod
    def fix_header(
        cls,
        header: MutableMapping[str, Any],
        instrument: str,  # noqa: ARG003 - given by astro-metadata-translator
        obsid: str,  # noqa: ARG003
        filename: str | None = None,  # noqa: ARG003
    ) -> bool:
        """Correct, in place, what is known to be wrong in headers of that night.

        Returns
        -------
        bool
            True if anything was changed.
        """
        before = dict(header)
        if "FILTER" not in header and header.get("FILTER2") is not None:
            header["FILTER2"] = None
        if header.get("DAYOBS") and header.get("SEQNUM") is not None:
            _mend_night(header, int(header["DAYOBS"]), int(header["SEQNUM"]))
        return before != dict(header)

    @classmethod
    def observing_date_to_offset(cls, observing_date: Time) -> TimeDelta:
        """Return the start of the observing day: midnight in California before the shipping."""
        utc = observing_date.utc.to_datetime()
        if utc.year * 100 + utc.month >= _SHIPPED_MONTH:
            return super().observing_date_to_offset(observing_date)
        hours = 7 if _is_us_summer_time(utc) else 8
        return TimeDelta(hours * 3600.0, scale="tai", format="sec")

    def is_on_mountain(self) -> bool:
        """Say whether the camera was on the telescope."""
        if self.card("CONTRLLR") == "H":
            return True
        return bool(self.to_datetime_begin() > Time(_ON_TELESCOPE, scale="utc"))

    def to_detector_num(self) -> int:
        """Return the detector's number, found by raft and slot."""
        from butler_core.cameras.find import find_camera

        name = f"{self._header['RAFTBAY']}_{self._header['CCDSLOT']}"
        return find_camera("LSSTCam").detector(name).id

    def to_exposure_time(self) -> u.Quantity:
        """Return the time that the shutter was open, or what was asked for."""
        shutter = self.card("SHUTTIME")
        if shutter is not None and shutter > 0.0:
            return shutter * u.s
        return self.to_exposure_time_requested()

    def to_physical_filter(self) -> str:
        """Return the optical elements in the beam, without trailing empty ones."""
        joined = super().to_physical_filter()
        while joined.endswith("~empty"):
            joined = joined.removesuffix("~empty")
        return joined

    def to_can_see_sky(self) -> Any:
        """Say whether light of the sky reached the detectors; never in the laboratory."""
        if not self.is_on_mountain() or self.card("SHUTTIME") == 0.0:
            return False
        return super().to_can_see_sky()


def _mend_night(header: MutableMapping[str, Any], day_obs: int, seq_num: int) -> None:
    if day_obs in _MISSPELT_FILTER_DAYS and header.get("FILTER") == "ph_05":
        header["FILTER"] = "ph_5"
    for first_day, last_day, last_seq, shift_deg in _ROTPA_SHIFTS:
        if first_day <= day_obs <= last_day and seq_num <= last_seq and header.get("ROTPA"):
            angle_deg = header["ROTPA"] + shift_deg
            header["ROTPA"] = angle_deg + 360.0 if angle_deg < -180.0 else angle_deg
    closed = _DOME_CLOSED.get(day_obs, ())
    if any(first <= seq_num <= last for first, last in closed):
        header["VIGN_MIN"] = "FULLY"


def _is_us_summer_time(utc: dt.datetime) -> bool:
    """Say whether clocks in California stood an hour forward.

    The law since 2007: from the second Sunday of March, 2h (10h UTC), to the
    first Sunday of November, 2h (9h UTC).
    """
    begin = _sunday(utc.year, 3, 8) + dt.timedelta(hours=10)
    end = _sunday(utc.year, 11, 1) + dt.timedelta(hours=9)
    return begin <= utc.replace(tzinfo=None) < end


def _sunday(year: int, month: int, earliest_day: int) -> dt.datetime:
    first = dt.datetime(year, month, earliest_day)  # noqa: DTZ001 - naive UTC, as its callers
    return first + dt.timedelta(days=(6 - first.weekday()) % 7)
