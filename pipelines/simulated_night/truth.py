"""The truth behind the raw files: stars, cosmic rays, conditions, defects.

Writes tables. It makes nothing up: everything in them was used to draw the pixels.
"""

from __future__ import annotations

from dataclasses import astuple, dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.simulated_night.night_plan import PlannedExposure
from pipelines.simulated_night.optics import Conditions
from pipelines.simulated_night.pointing import wcs_cards
from pipelines.simulated_night.sensor import Sensor

if TYPE_CHECKING:
    import numpy as np
    from astropy.table import Table
    from astropy.wcs import WCS
    from numpy.typing import NDArray

    from pipelines.simulated_night.cosmic_rays import CosmicRays

#: What each column of the star table holds: unit, then description. FITS knows no unit "electron".
STAR_COLUMNS = {
    "star_id": ("", "number in the night's catalogue"),
    "ra": ("deg", "true right ascension, ICRS"),
    "dec": ("deg", "true declination, ICRS"),
    "x": ("pix", "true column in the assembled window; first pixel's centre is 0"),
    "y": ("pix", "true row in the assembled window"),
    "magnitude": ("mag", "true AB magnitude in the exposure's band"),
    "electrons": ("", "electrons expected in the whole profile, before the detector's response"),
    "snr": ("", "expected signal to noise of ideal profile photometry"),
    "saturated": ("", "did any of its pixels reach full well?"),
    "nearest": ("arcsec", "distance to the nearest other star"),
}


@dataclass(frozen=True)
class StarTruth:
    """The stars of one exposure, one element of each array a star, as in ``STAR_COLUMNS``."""

    star_id: NDArray[np.int64]
    ra: NDArray[np.float64]
    dec: NDArray[np.float64]
    x: NDArray[np.float64]
    y: NDArray[np.float64]
    magnitude: NDArray[np.float64]
    electrons: NDArray[np.float64]
    snr: NDArray[np.float64]
    saturated: NDArray[np.bool_]
    nearest: NDArray[np.float64]

    def where(self, chosen: NDArray[np.bool_]) -> StarTruth:
        """Return the stars chosen by a mask of shape (n,)."""
        return StarTruth(**{item.name: getattr(self, item.name)[chosen] for item in fields(self)})


def write_exposure_truth(
    path: Path,
    exposure: PlannedExposure,
    stars: StarTruth,
    *,
    conditions: Conditions,
    wcs: WCS,
    cosmic_rays: CosmicRays,
) -> None:
    """Write the truth of one science exposure.

    A FITS file. Its primary header holds the conditions (SEEING [arcsec], ZEROPT [AB mag of 1
    electron/s], SKYRATE [electron/s/pixel], ROTTRUE [deg]) and the true WCS of the assembled
    window; table ``STARS`` has the columns of ``STAR_COLUMNS``, table ``COSMIC_RAYS`` the pixels
    hit.

    Parameters
    ----------
    path
        Where; there must be no file yet.
    exposure
        The exposure.
    stars
        Its stars.
    conditions
        Its true conditions.
    wcs
        Its true world coordinates.
    cosmic_rays
        Its cosmic rays.
    """
    from astropy.io import fits
    from astropy.table import Table

    primary = fits.PrimaryHDU()
    primary.header["OBSID"] = exposure.obs_id
    primary.header["EXPID"] = exposure.exposure_id
    primary.header["FILTER"] = exposure.physical_filter
    primary.header["EXPTIME"] = (exposure.exposure_s, "[s]")
    primary.header["SEEING"] = (conditions.seeing_arcsec, "full width at half maximum [arcsec]")
    primary.header["ZEROPT"] = (conditions.zero_point_mag, "AB mag of 1 electron/s")
    primary.header["SKYRATE"] = (conditions.sky_rate, "[electron/s/pixel]")
    primary.header["ROTTRUE"] = (conditions.rotation_deg, "[deg]")
    primary.header.update(wcs_cards(wcs))
    charge = cosmic_rays.charge[cosmic_rays.y, cosmic_rays.x]
    hits = Table({"x": cosmic_rays.x, "y": cosmic_rays.y, "electrons": charge})
    tables = [
        fits.BinTableHDU(_star_table(stars), name="STARS"),
        fits.BinTableHDU(hits, name="COSMIC_RAYS"),
    ]
    fits.HDUList([primary, *tables]).writeto(path)


def _star_table(stars: StarTruth) -> Table:
    """Make the table of the stars, with units and descriptions."""
    from astropy.table import Column, Table

    return Table(
        [
            Column(getattr(stars, name), name=name, unit=unit or None, description=description)
            for name, (unit, description) in STAR_COLUMNS.items()
        ]
    )


def write_detector_truth(folder: Path, sensor: Sensor) -> None:
    """Write ``defects.ecsv`` and ``amplifiers.ecsv``, what is true all night.

    Parameters
    ----------
    folder
        Where; the files must not be there yet.
    sensor
        The detector.
    """
    from astropy.table import Table

    names = ("x0", "y0", "width", "height", "kind")
    defects = Table(rows=[astuple(item) for item in sensor.defects], names=names)
    defects.meta["comment"] = "rectangles in the assembled window, first pixel 0"
    defects.write(folder / "defects.ecsv", format="ascii.ecsv")
    amplifiers = Table(
        {
            "name": [item.full.name for item in sensor.window.amplifiers],
            "gain": [item.gain_e_adu for item in sensor.window.amplifiers],
            "read_noise": [item.read_noise_e for item in sensor.window.amplifiers],
            "full_well": [item.full_well_e for item in sensor.window.amplifiers],
            "bias_level": sensor.bias_level,
        },
        units={
            "gain": "electron/adu",
            "read_noise": "electron",
            "full_well": "electron",
            "bias_level": "adu",
        },
    )
    amplifiers.write(folder / "amplifiers.ecsv", format="ascii.ecsv")
