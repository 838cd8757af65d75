"""Sky coordinates of the window's pixels.

Tangent plane only: LATISS has no measured distortion.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from butler_core.cameras.camera import Camera
from pipelines.simulated_night.window import Window

if TYPE_CHECKING:
    from astropy.wcs import WCS


def plate_scale_arcsec(camera: Camera) -> float:
    """Return the size of a pixel on the sky [arcsec]."""
    return camera.plate_scale_arcsec_per_mm * camera.detectors[0].pixel_mm


def window_wcs(
    camera: Camera, window: Window, *, ra_deg: float, dec_deg: float, rotation_deg: float
) -> WCS:
    """Return the world coordinates of the assembled window.

    Parameters
    ----------
    camera
        The instrument; its first detector is the one simulated.
    window
        The detector's window.
    ra_deg, dec_deg
        Boresight, ICRS [deg].
    rotation_deg
        Position angle of the focal plane's +Y, from north through east [deg].

    Returns
    -------
    astropy.wcs.WCS
        TAN; the centre of the window's first pixel is (0, 0), or (1, 1) in its cards.
    """
    from astropy.wcs import WCS

    detector = camera.detectors[0]
    scale_deg = plate_scale_arcsec(camera) / 3600.0
    sine, cosine = math.sin(math.radians(rotation_deg)), math.cos(math.radians(rotation_deg))
    side = 1.0 if camera.flip_x else -1.0
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = ["RA---TAN", "DEC--TAN"]
    wcs.wcs.cunit = ["deg", "deg"]
    wcs.wcs.crval = [ra_deg, dec_deg]
    wcs.wcs.crpix = [
        detector.ref_x - window.image.x0 + 1 - detector.x_mm / detector.pixel_mm,
        detector.ref_y - window.image.y0 + 1 - detector.y_mm / detector.pixel_mm,
    ]
    wcs.wcs.cd = [
        [side * cosine * scale_deg, sine * scale_deg],
        [-side * sine * scale_deg, cosine * scale_deg],
    ]
    wcs.wcs.radesys = "ICRS"
    return wcs


def wcs_cards(wcs: WCS) -> dict[str, object]:
    """Return the cards of a tangent-plane WCS, spelt and ordered as LATISS's.

    RADESYS stands with the pointing's cards.
    """
    linear = wcs.wcs
    return {
        "WCSAXES": 2,
        "CTYPE1": "RA---TAN",
        "CTYPE2": "DEC--TAN",
        "CUNIT1": "deg",
        "CUNIT2": "deg",
        "CRVAL1": float(linear.crval[0]),
        "CRVAL2": float(linear.crval[1]),
        "CRPIX1": float(linear.crpix[0]),
        "CRPIX2": float(linear.crpix[1]),
        "CD1_1": float(linear.cd[0, 0]),
        "CD1_2": float(linear.cd[0, 1]),
        "CD2_1": float(linear.cd[1, 0]),
        "CD2_2": float(linear.cd[1, 1]),
        "EQUINOX": 2000.0,
    }
