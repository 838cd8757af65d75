"""What the headers of all Rubin cameras have in common.

Corrects nothing (each camera's module does) and knows no camera's layout.
Rules of thumb that come from the public translators of lsst/obs_lsst are
facts about those headers, not ours to change.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

import astropy.units as u
from astro_metadata_translator import FitsTranslator
from astro_metadata_translator.translators.helpers import (
    altaz_from_degree_headers,
    tracking_from_degree_headers,
)
from astropy.coordinates import ICRS, EarthLocation, SkyCoord
from astropy.time import Time, TimeDelta

from butler_core.cameras.translators import lsst_ids

_EMPTY_SLOT = re.compile(r"empty_?\d*", re.IGNORECASE)

#: Pressures above this are in Pa, below in hPa: headers have had both.
_PRESSURE_IS_PA_ABOVE = 10_000


class LsstTranslator(FitsTranslator):  # type: ignore[misc]  # its package is outside mypy's view
    """Translation shared by Rubin's cameras; a subclass has the name and the place."""

    name: str | None = None
    supported_instrument: str | None = None

    #: Headers' INSTRUME that mean this camera, in lower case.
    instrume_values: tuple[str, ...] = ()
    #: Where the telescope is if the header does not say: longitude and latitude [deg], height [m].
    default_site = (-70.749417, -30.244639, 2663.0)
    #: Time at which an observing day starts [s after 0h TAI].
    day_start_s = 12 * 3600
    #: Observation types with a closed shutter or a lit screen.
    _non_sky_observation_types = ("bias", "dark", "flat")

    @classmethod
    def can_translate(cls, header: Mapping[str, Any], filename: str | None = None) -> bool:  # noqa: ARG003
        """Say whether the header is one of this camera."""
        instrument = header.get("INSTRUME")
        return isinstance(instrument, str) and instrument.strip().lower() in cls.instrume_values

    @classmethod
    def observing_date_to_offset(cls, observing_date: Time) -> TimeDelta:  # noqa: ARG003
        """Return the start of the observing day after 0h TAI."""
        return TimeDelta(float(cls.day_start_s), scale="tai", format="sec")

    def card(self, *keywords: str, default: Any = None) -> Any:
        """Return the value of the first of these cards that is there and defined."""
        for keyword in keywords:
            if self.is_key_ok(keyword):
                self._used_these_cards(keyword)
                return self._header[keyword]
        return default

    def is_on_mountain(self) -> bool:
        """Say whether the camera was on its telescope, not in a laboratory."""
        raise NotImplementedError

    def is_on_sky(self) -> bool:
        """Say whether this exposure was meant to see the sky."""
        if str(self.card("TRACKSYS", default="")).lower() == "local":
            return False
        if self.to_observation_type() in self._non_sky_observation_types:
            return False
        return self.is_on_mountain()

    def to_location(self) -> EarthLocation | None:
        """Return the telescope's place; None in a laboratory."""
        if not self.is_on_mountain():
            return None
        try:
            return super().to_location()
        except (KeyError, TypeError):
            return EarthLocation.from_geodetic(*self.default_site)

    def to_datetime_begin(self) -> Time:
        """Return the start of the exposure; these headers' times are TAI."""
        for keyword in ("MJD-BEG", "DATE-BEG", "MJD-OBS", "DATE-OBS"):
            value = self.card(keyword)
            if value is not None:
                return Time(value, scale="tai", format="mjd" if "MJD" in keyword else "fits")
        raise KeyError("none of MJD-BEG, DATE-BEG, MJD-OBS and DATE-OBS is in the header")

    def to_datetime_end(self) -> Time:
        """Return the end of the exposure, from its length if the header lacks it."""
        value = self.card("DATE-END")
        if value is not None:
            return Time(value, scale="tai", format="isot")
        return self.to_datetime_begin() + max(self.to_exposure_time(), 0.0 * u.s)

    def to_observing_day(self) -> Any:
        """Return the observing day, YYYYMMDD."""
        day = self.card("DAYOBS")
        return super().to_observing_day() if day is None else int(str(day).replace("-", ""))

    def to_observation_counter(self) -> int:
        """Return the counter within the observing day; 0 if unknown."""
        return int(self.card("SEQNUM", default=0))

    def to_exposure_id(self) -> int:
        """Return the exposure ID made of day, counter and controller."""
        day, counter = self._header["DAYOBS"], self._header["SEQNUM"]
        self._used_these_cards("DAYOBS", "SEQNUM")
        day_obs = int(str(day).replace("-", ""))
        return lsst_ids.exposure_id(day_obs, int(counter), self.card("CONTRLLR"))

    def to_detector_exposure_id(self) -> int:
        """Return exposure ID and detector packed into one integer."""
        return lsst_ids.detector_exposure_id(self.to_exposure_id(), self.to_detector_num())

    def to_exposure_group(self) -> str:
        """Return the group of exposures taken together."""
        return str(self.card("GROUPID", default=self.to_exposure_id()))

    def to_visit_id(self) -> int:
        """Return the visit ID that the group stands for."""
        return lsst_ids.visit_id_of_group(self.to_exposure_group())

    def to_group_counter_start(self) -> int:
        """Return the counter of the first exposure of the sequence."""
        counter = self.to_observation_counter()
        return counter - int(self.card("CURINDEX", default=1)) + 1

    def to_group_counter_end(self) -> int:
        """Return the counter of the last exposure of the sequence."""
        counter = self.to_observation_counter()
        if self.card("CURINDEX") is None or self.card("MAXINDEX") is None:
            return counter
        return counter + int(self.card("MAXINDEX")) - int(self.card("CURINDEX"))

    def to_observation_type(self) -> str:
        """Return the type in lower case; what was meant for the sky is science."""
        kind = str(self._header["IMGTYPE"]).lower()
        self._used_these_cards("IMGTYPE")
        return "science" if kind in {"skyexp", "object"} else kind

    def to_observation_reason(self) -> str:
        """Return why the exposure was taken."""
        reason = self.card("REASON", "TESTTYPE")
        return str(super().to_observation_reason() if reason is None else reason.lower())

    def to_exposure_time_requested(self) -> u.Quantity:
        """Return the exposure time asked for."""
        return self._header["EXPTIME"] * u.s

    def to_exposure_time(self) -> u.Quantity:
        """Return the exposure time."""
        return self.to_exposure_time_requested()

    def to_dark_time(self) -> u.Quantity:
        """Return the time between clearing and reading; the exposure time if unknown."""
        dark = self.card("DARKTIME")
        return self.to_exposure_time() if dark is None else dark * u.s

    def to_physical_filter(self) -> str:
        """Return the optical elements in the beam, joined by ``~``."""
        return "~".join(self.elements(("FILTER",), ("FILTER1",), ("FILTER2",))) or "unknown"

    def elements(self, *slots: Iterable[str]) -> list[str]:
        """Name what is in each slot that the header defines.

        Parameters
        ----------
        slots
            Per slot, its keywords; the first that is there counts.
        """
        values = [self.card(*slot) for slot in slots]
        return [
            "empty" if _EMPTY_SLOT.fullmatch(value) else value.replace("NONE", "none")
            for value in values
            if value
        ]

    def to_boresight_rotation_coord(self) -> str:
        """Return the frame of the rotation angle, for exposures of the sky."""
        return str(self.card("ROTCOORD", default="unknown")) if self.is_on_sky() else "unknown"

    def to_boresight_rotation_angle(self) -> u.Quantity | None:
        """Return the rotation angle; required of exposures of the sky."""
        angle = self.card("ROTPA", "ROTANGLE")
        if angle is None and self.to_observation_type() == "science" and self.is_on_mountain():
            raise KeyError("neither ROTPA nor ROTANGLE is in the header of a science exposure")
        return None if angle is None else angle * u.deg

    def to_boresight_airmass(self) -> float | None:
        """Return the airmass at the start, from the altitude if the header lacks it."""
        if not self.is_on_sky():
            return None
        airmass = self.card("AMSTART")
        if airmass is not None:
            return float(airmass)
        altaz = self.to_altaz_begin()
        return None if altaz is None else float(altaz.secz.to_value())

    def to_tracking_radec(self) -> SkyCoord | None:
        """Return where the telescope tracked; None if it did not."""
        if str(self.card("TRACKSYS", default="")).lower() == "local":
            return None
        if self.to_observation_type() in {"bias", "flat"} or not self.is_on_mountain():
            return None
        if self.card("DATE-OBS") is not None and self.card("DATE-OBS") == self.card("DATE"):
            # The time was mended from the file's, so that only the mount's position holds.
            altaz = self.to_altaz_begin()
            return None if altaz is None else SkyCoord(altaz.transform_to(ICRS()))
        return tracking_from_degree_headers(
            self, ("RADESYS",), (("RASTART", "DECSTART"), ("RA", "DEC"))
        )

    def to_altaz_begin(self) -> Any:
        """Return where the telescope pointed at the start."""
        return self._altaz("START", self.to_datetime_begin())

    def to_altaz_end(self) -> Any:
        """Return where the telescope pointed at the end."""
        if self.are_keys_ok(["ELEND", "AZEND"]):
            return self._altaz("END", self.to_datetime_end())
        return None

    def _altaz(self, edge: str, time: Time) -> Any:
        if not self.is_on_mountain():
            return None
        keywords = ((f"EL{edge}", f"AZ{edge}"),)
        return altaz_from_degree_headers(self, keywords, time, max_alt=95.55, min_alt=-5.55)

    def to_can_see_sky(self) -> Any:
        """Say whether light of the sky reached the detectors; None if unknown."""
        vignetting = self.card("VIGN_MIN")
        return super().to_can_see_sky() if vignetting is None else vignetting != "FULLY"

    def to_has_simulated_content(self) -> bool:
        """Say whether any system was simulated."""
        simulated = any("SIMULATE" in key and value for key, value in self._header.items())
        return (
            simulated or str(self.card("CONTRLLR", default="O")) in lsst_ids.SIMULATED_CONTROLLERS
        )

    def to_object(self) -> str:
        """Return the target's name; required of science exposures on the mountain."""
        target = self.card("OBJECT")
        if target is None and self.to_observation_type() == "science" and self.is_on_mountain():
            raise KeyError("OBJECT is not in the header of a science exposure")
        return "UNKNOWN" if target is None else str(target)

    def to_observation_id(self) -> str:
        """Return the observatory's name of the exposure."""
        return str(self._header["OBSID"])

    def to_science_program(self) -> str:
        """Return the programme."""
        return str(self.card("PROGRAM", "RUNNUM", default="unknown"))

    def to_detector_serial(self) -> str | None:
        """Return the manufacturer's number of the detector; None if it is not told."""
        serial = self.card("LSST_NUM", "DETSER")
        return None if serial is None else str(serial)

    def to_focus_z(self) -> u.Quantity:
        """Return the defocus."""
        return float(self.card("FOCUSZ", default=0.0)) * u.mm

    def to_relative_humidity(self) -> float | None:
        """Return the relative humidity [percent]."""
        humidity = self.card("HUMIDITY")
        return None if humidity is None else float(humidity)

    def to_pressure(self) -> u.Quantity | None:
        """Return the air pressure."""
        pressure = self.card("PRESSURE")
        if pressure is None:
            return None
        return pressure * (u.Pa if pressure > _PRESSURE_IS_PA_ABOVE else u.hPa)

    def to_temperature(self) -> u.Quantity | None:
        """Return the air temperature."""
        temperature = self.card("AIRTEMP")
        return None if temperature is None else temperature * u.deg_C
