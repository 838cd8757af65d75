"""Light on the detector: atmosphere, telescope, point-spread function.

Turns magnitudes into expected electrons, and expected electrons at places into
an image. Draws the conditions of an exposure, but no photon noise.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipelines.simulated_night.altazimuth import airmass, altitude_azimuth
from pipelines.simulated_night.night_plan import PlannedExposure
from pipelines.simulated_night.random_streams import conditions_stream

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

#: AB magnitude that gives one electron per second outside the atmosphere, by band. Chosen; of
#: the size that a 1.2 m telescope with a CCD has.
ZERO_POINT_MAG = {"g": 25.05, "r": 24.95}

#: Extinction by band [mag per airmass]; typical of a mountain site.
EXTINCTION_MAG = {"g": 0.18, "r": 0.10}

#: Largest grey extinction (thin cloud) of a visit [mag].
CLOUD_MAG = 0.08

#: Sky brightness by band [AB mag per square arcsecond]: a moderately bright sky.
SKY_MAG = {"g": 20.6, "r": 20.2}

#: Scatter of the sky's brightness from visit to visit, relative.
SKY_SCATTER = 0.08

#: Range of the seeing, full width at half maximum [arcsec].
SEEING_ARCSEC = (0.6, 1.0)

#: Exponent of the Moffat profile; what atmospheric seeing looks like within a few widths
#: (Moffat 1969, A&A 3, 455; Trujillo et al. 2001, MNRAS 328, 977 prefer 4.8, telescopes 2.5-4).
MOFFAT_BETA = 3.5

#: Scatter of the true pointing about the header's, in each axis [arcsec].
POINTING_ERROR_ARCSEC = 1.5

#: Scatter of the true rotation about the header's [deg].
ROTATION_ERROR_DEG = 0.02

#: Stamp radius in widths for a star below so many electrons.
_STAMP_WIDTHS = ((2e4, 4.0), (1e6, 8.0), (math.inf, 16.0))

#: Half the distance between the two nodes of Gauss-Legendre quadrature over a unit pixel.
_NODE = 0.5 / math.sqrt(3.0)


@dataclass(frozen=True)
class Conditions:
    """What the sky and the telescope were really like during one science exposure."""

    #: Full width at half maximum of the point-spread function [arcsec].
    seeing_arcsec: float
    #: AB magnitude that gives one electron per second in the frame.
    zero_point_mag: float
    #: Sky background [electron per second and pixel].
    sky_rate: float
    #: True right ascension and declination of the boresight, ICRS [deg].
    ra_deg: float
    dec_deg: float
    #: True position angle of the focal plane's +Y [deg].
    rotation_deg: float


def draw_conditions(
    seed: int, exposure: PlannedExposure, rotation_deg: float, plate_scale_arcsec: float
) -> Conditions:
    """Draw the conditions of one science exposure.

    Parameters
    ----------
    seed
        The night's.
    exposure
        A science exposure, with its pointing.
    rotation_deg
        Position angle of the focal plane's +Y, by the header [deg].
    plate_scale_arcsec
        Size of a pixel on the sky [arcsec].
    """
    assert exposure.ra_deg is not None
    assert exposure.dec_deg is not None
    rng = conditions_stream(seed, exposure.seq_num)
    altitude_deg, _ = altitude_azimuth(exposure.begin_s, exposure.ra_deg, exposure.dec_deg)
    clear_mag = ZERO_POINT_MAG[exposure.band] - EXTINCTION_MAG[exposure.band] * airmass(
        altitude_deg
    )
    seeing_arcsec = float(rng.uniform(*SEEING_ARCSEC))
    cloud_mag = float(rng.uniform(0.0, CLOUD_MAG))
    sky_scatter = float(rng.normal(1.0, SKY_SCATTER))
    east, north = rng.normal(0.0, POINTING_ERROR_ARCSEC / 3600.0, 2)
    sky_mag = ZERO_POINT_MAG[exposure.band] - SKY_MAG[exposure.band]
    return Conditions(
        seeing_arcsec=seeing_arcsec,
        zero_point_mag=clear_mag - cloud_mag,
        sky_rate=10 ** (0.4 * sky_mag) * plate_scale_arcsec**2 * sky_scatter,
        ra_deg=exposure.ra_deg + float(east) / math.cos(math.radians(exposure.dec_deg)),
        dec_deg=exposure.dec_deg + float(north),
        rotation_deg=rotation_deg + float(rng.normal(0.0, ROTATION_ERROR_DEG)),
    )


def star_electrons(
    magnitude: NDArray[np.float64], conditions: Conditions, exposure_s: float
) -> NDArray[np.float64]:
    """Return the electrons expected of stars of AB ``magnitude``, same shape."""
    rate: NDArray[np.float64] = 10 ** (0.4 * (conditions.zero_point_mag - magnitude))
    return rate * exposure_s


def moffat_alpha(fwhm: float) -> float:
    """Return the scale length of the Moffat profile of a full width, in the same unit."""
    return fwhm / (2.0 * math.sqrt(2.0 ** (1.0 / MOFFAT_BETA) - 1.0))


def noise_pixels(fwhm_pix: float) -> float:
    """Return the effective number of pixels of the profile, 1 / sum(p**2) [pixel].

    Closed form for a Moffat profile, pixels small against the width.
    """
    alpha = moffat_alpha(fwhm_pix)
    return math.pi * alpha**2 * (2 * MOFFAT_BETA - 1) / (MOFFAT_BETA - 1) ** 2


def paint_stars(
    image: NDArray[np.float64],
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    electrons: NDArray[np.float64],
    fwhm_pix: float,
) -> None:
    """Add stars to an image.

    Each is a Moffat profile integrated over the pixels by two-point
    Gauss-Legendre quadrature in each axis, cut at a radius that depends on its
    brightness; the light beyond the cut (0.1 % or less) is spread over the stamp.

    Parameters
    ----------
    image
        Shape (ny, nx) [electron]; changed in place.
    x, y
        Places, shape (n,), the centre of the first pixel being 0 [pixel].
    electrons
        Expected electrons of each star, shape (n,).
    fwhm_pix
        Full width at half maximum of the profile [pixel].
    """
    for x_star, y_star, flux in zip(x, y, electrons, strict=True):
        widths = next(width for limit, width in _STAMP_WIDTHS if flux < limit)
        _paint_star(image, float(x_star), float(y_star), float(flux), fwhm_pix, widths * fwhm_pix)


def _paint_star(
    image: NDArray[np.float64], x: float, y: float, flux: float, fwhm_pix: float, radius: float
) -> None:
    """Add one star, cut at ``radius`` [pixel]."""
    import numpy as np

    ny, nx = image.shape
    x0, x1 = max(0, math.ceil(x - radius)), min(nx, math.floor(x + radius) + 1)
    y0, y1 = max(0, math.ceil(y - radius)), min(ny, math.floor(y + radius) + 1)
    if x0 >= x1 or y0 >= y1:
        return
    alpha = moffat_alpha(fwhm_pix)
    dx, dy = np.arange(x0, x1) - x, np.arange(y0, y1) - y
    stamp = np.zeros((y1 - y0, x1 - x0))
    for node_y in (-_NODE, _NODE):
        for node_x in (-_NODE, _NODE):
            r2 = np.add.outer((dy + node_y) ** 2, (dx + node_x) ** 2)
            stamp += (1.0 + r2 / alpha**2) ** -MOFFAT_BETA
    stamp[np.add.outer(dy**2, dx**2) > radius**2] = 0.0
    density = (MOFFAT_BETA - 1.0) / (math.pi * alpha**2)
    enclosed = 1.0 - (1.0 + radius**2 / alpha**2) ** (1.0 - MOFFAT_BETA)
    image[y0:y1, x0:x1] += 0.25 * flux * density / enclosed * stamp
