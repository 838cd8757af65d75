"""Raw files in LATISS's layout: header cards and sixteen amplifier extensions.

Writes what it is given. Makes no pixel and decides no exposure.

Cards and their order follow LATISS's headers of 2021-2024. ``EMUIMAGE`` and
the ``SIMULATE`` cards say that nothing in the file is real. All times are TAI.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.simulated_night import altazimuth
from pipelines.simulated_night.night_plan import (
    DAY_OBS,
    FIELD_NAME,
    READ_OUT_S,
    ROTATION_DEG,
    ImageType,
    PlannedExposure,
    tai_mjd,
    tai_text,
)
from pipelines.simulated_night.window import Window, WindowAmplifier

if TYPE_CHECKING:
    import numpy as np
    from astropy.io import fits
    from numpy.typing import NDArray

Cards = list[tuple[str, Any, str]]

#: What EMUIMAGE says of these files.
SIMULATOR = "pipelines.simulated_night"

#: Geocentric place of the telescope by LATISS's headers [m].
_GEOCENTRIC_M = (1818938.94, -5208470.95, -3195172.08)

#: Components that a simulation stands in for, as in the SIMULATE cards.
_SIMULATED = ("ATMCS", "ATHEXAPOD", "ATPNEUMATICS", "ATDOME", "ATSPECTROGRAPH")

#: Comment on checksums; without one astropy writes the time, and no two files would be equal.
_CHECKSUM_COMMENT = "of the bytes as simulated"


def primary_cards(
    exposure: PlannedExposure, window: Window, wcs_cards: Mapping[str, object] | None, serial: str
) -> Cards:
    """List the cards of the primary header.

    Parameters
    ----------
    exposure
        What was taken.
    window
        The detector's window.
    wcs_cards
        World coordinates of the assembled window, by the telescope's own belief; None where it
        looks at no sky.
    serial
        LSST's number of the CCD.
    """
    cards = _file_and_time_cards(exposure)
    cards += _pointing_cards(exposure)
    cards += [(key, value, "of the assembled window") for key, value in (wcs_cards or {}).items()]
    cards += _camera_cards(exposure, window, serial)
    cards += _environment_cards(exposure)
    cards += [(f"HIERARCH SIMULATE {name}", 1, "simulated") for name in _SIMULATED]
    return cards


def _file_and_time_cards(exposure: PlannedExposure) -> Cards:
    """When and by whom."""
    read_s = exposure.end_s + READ_OUT_S
    return [
        ("ORIGIN", SIMULATOR, "simulated: no real sky, no real detector"),
        ("TIMESYS", "TAI", "time scale of every time here"),
        ("DATE", tai_text(read_s), "frame read"),
        ("DATE-OBS", tai_text(exposure.begin_s), "start of the exposure"),
        ("DATE-BEG", tai_text(exposure.begin_s), "start of the exposure"),
        ("DATE-END", tai_text(exposure.end_s), "end of the exposure"),
        ("MJD", tai_mjd(read_s), "frame read [d]"),
        ("MJD-OBS", tai_mjd(exposure.begin_s), "start of the exposure [d]"),
        ("MJD-BEG", tai_mjd(exposure.begin_s), "start of the exposure [d]"),
        ("MJD-END", tai_mjd(exposure.end_s), "end of the exposure [d]"),
        ("OBSID", exposure.obs_id, "name of the exposure"),
        ("GROUPID", tai_text(exposure.begin_s - 1.0), "group of exposures"),
        ("IMGTYPE", exposure.image_type.value, "kind of exposure"),
        ("BUNIT", "adu", "unit of the pixels"),
        ("FACILITY", "Vera C. Rubin Observatory", ""),
        ("TELESCOP", "LSST AuxTelescope", ""),
        ("INSTRUME", "LATISS", ""),
        ("OBSERVER", "LSST", ""),
        ("OBS-LONG", altazimuth.LONGITUDE_DEG, "east [deg]"),
        ("OBS-LAT", altazimuth.LATITUDE_DEG, "[deg]"),
        ("OBS-ELEV", altazimuth.HEIGHT_M, "[m]"),
        *zip(("OBSGEO-X", "OBSGEO-Y", "OBSGEO-Z"), _GEOCENTRIC_M, ("[m]",) * 3, strict=True),
    ]


def _pointing_cards(exposure: PlannedExposure) -> Cards:
    """Where the telescope says it points; nulls for exposures of no sky, as LATISS writes."""
    on_sky = exposure.image_type is ImageType.SCIENCE
    cards: Cards = [
        ("RA", exposure.ra_deg, "wanted [deg]"),
        ("DEC", exposure.dec_deg, "wanted [deg]"),
    ]
    for moment, seconds in (("START", exposure.begin_s), ("END", exposure.end_s)):
        cards += [
            (f"RA{moment}", exposure.ra_deg, "boresight [deg]"),
            (f"DEC{moment}", exposure.dec_deg, "boresight [deg]"),
            *_horizon_cards(exposure, moment, seconds),
        ]
    return [
        *cards,
        ("ROTPA", ROTATION_DEG if on_sky else None, "position angle of focal plane's +Y [deg]"),
        ("ROTCOORD", "sky", ""),
        ("INSTPORT", 2, ""),
        ("TRACKSYS", "SIDEREAL" if on_sky else None, ""),
        ("RADESYS", "ICRS" if on_sky else None, ""),
        ("FOCUSZ", 0.0, "[mm]"),
        ("OBJECT", FIELD_NAME if on_sky else None, ""),
        ("SHUTLOWR", 0.0, "[%]"),
        ("SHUTUPPR", 100.0 if on_sky else 0.0, "[%]"),
    ]


def _horizon_cards(exposure: PlannedExposure, moment: str, seconds: float) -> Cards:
    """Altitude, azimuth, airmass and hour angle at one end of the exposure."""
    if exposure.ra_deg is None or exposure.dec_deg is None:
        return [(f"{name}{moment}", None, "") for name in ("HA", "EL", "AZ", "AM")]
    altitude, azimuth = altazimuth.altitude_azimuth(seconds, exposure.ra_deg, exposure.dec_deg)
    hour_angle = altazimuth.hour_angle_deg(seconds, exposure.ra_deg)
    return [
        (f"HA{moment}", round(hour_angle / 15.0, 8), "hour angle [h]"),
        (f"EL{moment}", round(altitude, 8), "[deg]"),
        (f"AZ{moment}", round(azimuth, 8), "[deg]"),
        (f"AM{moment}", round(altazimuth.airmass(altitude), 8), "airmass"),
    ]


def _camera_cards(exposure: PlannedExposure, window: Window, serial: str) -> Cards:
    """Names, filter, detector, exposure times."""
    glass, grating = exposure.physical_filter.split("~")
    on_sky = exposure.image_type is ImageType.SCIENCE
    return [
        ("CAMCODE", "AT", "code of the camera"),
        ("CONTRLLR", "O", "who gave the command"),
        ("DAYOBS", str(DAY_OBS), "observing day"),
        ("SEQNUM", exposure.seq_num, "number within the day"),
        ("TESTTYPE", exposure.image_type.value, ""),
        ("EMUIMAGE", SIMULATOR, "what made this image"),
        ("PROGRAM", "SIMULATED" if on_sky else "CALIB", ""),
        ("REASON", "simulation", ""),
        ("CURINDEX", 1, "place in its group"),
        ("MAXINDEX", 1, "size of its group"),
        ("FILTBAND", exposure.band, ""),
        ("FILTER", glass, ""),
        ("FILTSLOT", {"g": 1, "r": 2}[exposure.band], ""),
        ("GRATING", f"{grating}_1", ""),
        ("GRATBAND", "EMPTY", ""),
        ("GRATSLOT", 0, ""),
        ("LINSPOS", 67.0, "[mm]"),
        ("EXPTIME", exposure.exposure_s, "[s]"),
        ("SHUTTIME", exposure.exposure_s, "[s]"),
        ("DARKTIME", exposure.dark_s, "[s]"),
        ("FILENAME", exposure.file_name, ""),
        ("HEADVER", "2.9.5", ""),
        ("CCD_MANU", "ITL", ""),
        ("CCD_TYPE", "3800C", ""),
        ("LSST_NUM", serial, "LSST's number of the CCD"),
        ("CCDTEMP", -94.15, "[deg_C]"),
        ("CCDSLOT", "S00", ""),
        ("RAFTBAY", "R00", ""),
        ("OVERH", window.serial_overscan, "serial overscan [pixel]"),
        ("OVERV", window.parallel_overscan, "parallel overscan [pixel]"),
        ("PREH", window.prescan, "prescan [pixel]"),
        ("LTV1", -window.image.x0, "column of the window = column + LTV1"),
        ("LTV2", -window.image.y0, "row of the window = row + LTV2"),
    ]


def _environment_cards(exposure: PlannedExposure) -> Cards:
    """Weather of an even night: it cools slowly."""
    hours = exposure.begin_s / 3600.0
    return [
        ("AIRTEMP", round(14.0 - 0.4 * hours, 2), "[deg_C]"),
        ("PRESSURE", 744.3, "[hPa]"),
        ("HUMIDITY", 25.0, "[%]"),
        ("WINDSPD", 4.2, "[m/s]"),
        ("WINDDIR", 317.0, "[deg]"),
        ("SEEING", None, "no monitor"),
    ]


def segment_cards(amplifier: WindowAmplifier, channel: int, window: Window) -> Cards:
    """List the cards of one amplifier's extension.

    Sections count from 1, and rows of ``DETSEC`` from the detector's top, as in the real files.

    Parameters
    ----------
    amplifier
        Which.
    channel
        Its number among the extensions, from 1.
    window
        The detector's window.
    """
    ny = window.amplifier_ny
    data_x1 = window.prescan + window.amplifier_nx
    columns, rows = _detector_section(amplifier, window)
    return [
        ("EXTNAME", amplifier.segment, ""),
        ("CHANNEL", channel, ""),
        ("CCDSUM", "1 1", "binning"),
        ("DATASEC", f"[{window.prescan + 1}:{data_x1},1:{ny}]", "imaging pixels"),
        ("BIASSEC", f"[{data_x1 + 1}:{window.raw_nx},1:{ny}]", "serial overscan"),
        ("DETSEC", f"[{columns[0]}:{columns[1]},{rows[0]}:{rows[1]}]", "where they land"),
        ("DETSIZE", f"[1:{window.full_nx},1:{window.full_ny}]", "whole detector"),
    ]


def _detector_section(
    amplifier: WindowAmplifier, window: Window
) -> tuple[tuple[int, int], tuple[int, int]]:
    """Columns and rows from the top, in the whole detector, of the first and last pixel read."""
    box = amplifier.box.shifted(window.image.x0, window.image.y0)
    columns = (box.x0 + 1, box.x1)
    rows = (window.full_ny - box.y0, window.full_ny - box.y1 + 1)
    return (
        columns[::-1] if amplifier.full.flip_x else columns,
        rows[::-1] if amplifier.full.flip_y else rows,
    )


def write_raw_file(
    path: Path, cards: Cards, window: Window, pixels: list[NDArray[np.int32]]
) -> None:
    """Write one raw file; the same arguments give the same bytes.

    Parameters
    ----------
    path
        Where; there must be no file yet.
    cards
        The primary header's.
    window
        The detector's window.
    pixels
        One array an amplifier, as read, int32 [adu].
    """
    from astropy.io import fits

    hdus = fits.HDUList([fits.PrimaryHDU(header=_header(cards))])
    for channel, (amplifier, image) in enumerate(
        zip(window.amplifiers, pixels, strict=True), start=1
    ):
        header = _header(segment_cards(amplifier, channel, window))
        hdus.append(fits.ImageHDU(image, header=header))
    hdus.update_extend()
    for hdu in hdus:
        hdu.add_checksum(when=_CHECKSUM_COMMENT)
    hdus.writeto(path)


def _header(cards: Cards) -> fits.Header:
    """Make a FITS header of cards; None becomes a card without a value."""
    from astropy.io import fits

    header = fits.Header()
    for keyword, value, comment in cards:
        header.append(fits.Card(keyword, value, comment), end=True)
    return header
