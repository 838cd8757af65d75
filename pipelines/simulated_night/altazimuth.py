"""Where the telescope stands and points: altitude, azimuth, airmass, hour angle.

Good to an arcminute, which header cards of a simulation need no better than;
precession, nutation, refraction and UT1 - UTC are left out.
"""

from __future__ import annotations

import math

from pipelines.simulated_night.night_plan import tai_mjd

#: The Auxiliary Telescope's place by LATISS's headers: east longitude, latitude [deg], height [m].
LONGITUDE_DEG = -70.749417
LATITUDE_DEG = -30.244639
HEIGHT_M = 2663.0

#: TAI minus UTC on the night [s].
TAI_MINUS_UTC_S = 37.0

_MJD_J2000 = 51544.5


def hour_angle_deg(seconds: float, ra_deg: float) -> float:
    """Return the hour angle, from -180 to 180 [deg].

    Sidereal time by the linear part of the IAU 1982 expression (Aoki et al. 1982, A&A 105, 359).

    Parameters
    ----------
    seconds
        After the beginning of the observing day, TAI [s].
    ra_deg
        Right ascension [deg].
    """
    days = tai_mjd(seconds - TAI_MINUS_UTC_S) - _MJD_J2000
    sidereal_deg = 280.46061837 + 360.98564736629 * days + LONGITUDE_DEG
    return (sidereal_deg - ra_deg + 180.0) % 360.0 - 180.0


def altitude_azimuth(seconds: float, ra_deg: float, dec_deg: float) -> tuple[float, float]:
    """Return altitude, and azimuth from north through east [deg].

    Parameters
    ----------
    seconds
        After the beginning of the observing day, TAI [s].
    ra_deg, dec_deg
        Direction [deg].
    """
    hour_angle = math.radians(hour_angle_deg(seconds, ra_deg))
    dec, latitude = math.radians(dec_deg), math.radians(LATITUDE_DEG)
    up = math.sin(latitude) * math.sin(dec) + math.cos(latitude) * math.cos(dec) * math.cos(
        hour_angle
    )
    east = -math.cos(dec) * math.sin(hour_angle)
    north = math.cos(latitude) * math.sin(dec) - math.sin(latitude) * math.cos(dec) * math.cos(
        hour_angle
    )
    return math.degrees(math.asin(up)), math.degrees(math.atan2(east, north)) % 360.0


def airmass(altitude_deg: float) -> float:
    """Return the airmass at an altitude above 10 deg (Young & Irvine 1967, AJ 72, 945)."""
    sec_z = 1.0 / math.sin(math.radians(altitude_deg))
    return sec_z * (1.0 - 0.0012 * (sec_z**2 - 1.0))
