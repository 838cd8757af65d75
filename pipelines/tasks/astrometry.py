"""Corrects a WCS by what matched stars say.

Changes the linear part of the projection; distortion stays. Matches no star
(see ``matching``).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pipelines.tasks.overscan import MAD_TO_SIGMA

if TYPE_CHECKING:
    import numpy as np
    from astropy.wcs import WCS
    from numpy.typing import NDArray

    from pipelines.tasks.matching import Similarity


@dataclass(frozen=True)
class AstrometricResiduals:
    """How well matched stars agree with the reference."""

    #: Number of matches.
    n_stars: int
    #: Root of the mean squared residual in one axis, outliers included [arcsec].
    rms_arcsec: float
    #: Robust scatter in one axis [arcsec].
    scatter_arcsec: float
    #: Error of the mean residual in one axis [arcsec].
    mean_error_arcsec: float
    #: Median of the residuals' expected errors in one axis [arcsec].
    expected_arcsec: float
    #: Robust scatter of residual over expected error; 1 if the errors are right.
    pull_scatter: float


def corrected_wcs(wcs: WCS, transform: Similarity) -> WCS:
    """Return the WCS that sees a pixel where the old one sees the transformed pixel.

    If the pixel p is really where the old WCS has A p + b, the reference pixel
    moves to A^-1 (CRPIX - b) and the linear matrix is multiplied by A: exactly
    so without distortion; with SIP, up to the product of distortion and A - 1.

    Parameters
    ----------
    wcs
        The WCS to correct; unchanged.
    transform
        Takes measured places to where the old WCS puts the reference, pixels
        counted from 0.
    """
    import numpy as np

    corrected = wcs.deepcopy()
    reference_pixel = np.asarray(wcs.wcs.crpix) - 1.0
    moved = np.linalg.solve(transform.matrix, reference_pixel - transform.shift) + 1.0
    corrected.wcs.crpix = moved
    if wcs.wcs.has_cd():
        corrected.wcs.cd = wcs.wcs.cd @ transform.matrix
    else:
        corrected.wcs.pc = wcs.wcs.get_pc() @ transform.matrix
    if wcs.sip is not None:
        from astropy.wcs import Sip

        corrected.sip = Sip(wcs.sip.a, wcs.sip.b, wcs.sip.ap, wcs.sip.bp, moved)
    corrected.wcs.set()
    return corrected


def pixel_scale_arcsec(wcs: WCS) -> float:
    """Return the size of a pixel on the sky, geometric mean of the axes [arcsec].

    Parameters
    ----------
    wcs
        A celestial WCS.
    """
    from astropy.wcs.utils import proj_plane_pixel_area

    return math.sqrt(float(proj_plane_pixel_area(wcs.celestial))) * 3600.0


def residuals(
    found_deg: NDArray[np.float64], reference_deg: NDArray[np.float64], error_arcsec: Any
) -> AstrometricResiduals:
    """Summarize how far matched stars are from their reference.

    Parameters
    ----------
    found_deg, reference_deg
        Right ascension and declination, shape (n, 2) [deg].
    error_arcsec
        Expected error of the difference in one axis, shape (n,) [arcsec].
    """
    import numpy as np

    difference = found_deg - reference_deg
    east = (difference[:, 0] + 180.0) % 360.0 - 180.0
    east = east * np.cos(np.radians(reference_deg[:, 1]))
    offsets = np.concatenate([east, difference[:, 1]]) * 3600.0
    expected = np.concatenate([error_arcsec, error_arcsec])
    scatter = MAD_TO_SIGMA * float(np.median(np.abs(offsets)))
    return AstrometricResiduals(
        n_stars=len(found_deg),
        rms_arcsec=float(np.sqrt(np.mean(offsets**2))),
        scatter_arcsec=scatter,
        mean_error_arcsec=scatter / float(np.sqrt(len(found_deg))),
        expected_arcsec=float(np.median(expected)),
        pull_scatter=MAD_TO_SIGMA * float(np.median(np.abs(offsets / expected))),
    )


def wcs_card_values(wcs: WCS) -> dict[str, float | int | str]:
    """Return the FITS cards of a WCS as plain values.

    Parameters
    ----------
    wcs
        Any WCS.
    """
    header = wcs.to_header(relax=True)
    return {str(key): header[key] for key in header}
