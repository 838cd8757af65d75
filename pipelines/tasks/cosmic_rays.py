"""Finds cosmic rays by their sharp edges.

Thin over ccdproc's ``cosmicray_lacosmic``, which runs astroscrappy: L.A.Cosmic,
van Dokkum 2001, PASP 113, 1420.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pydantic import Field

from pipetask.config.fields import Config

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class CosmicRayConfig(Config):
    """How sharp is too sharp."""

    n_sigma: float = Field(
        default=5.0, gt=0, description="Laplacian to noise above which a pixel is hit."
    )
    neighbour_fraction: float = Field(
        default=0.3,
        gt=0,
        le=1,
        description="Part of that threshold which neighbours of a hit need.",
    )
    contrast: float = Field(
        default=5.0,
        gt=0,
        description="Least contrast between the Laplacian and the fine structure.",
    )
    iterations: int = Field(default=3, ge=1, description="Largest number of passes.")


@dataclass(frozen=True, eq=False)
class CleanedImage:
    """An image without its cosmic rays; arrays of shape (ny, nx)."""

    #: Pixels, those hit replaced by the mean of their good neighbours, float32 [electron].
    pixels: NDArray[np.float32]
    #: Which were hit.
    is_hit: NDArray[np.bool_]


def reject_cosmic_rays(
    pixels: NDArray[Any],
    variance: NDArray[Any],
    is_bad: NDArray[np.bool_],
    settings: CosmicRayConfig,
) -> CleanedImage:
    """Find and replace the pixels hit by cosmic rays.

    Parameters
    ----------
    pixels
        Image with its sky, shape (ny, nx), no NaN [electron].
    variance
        Same shape [electron squared].
    is_bad
        Pixels to leave alone.
    settings
        How.
    """
    import numpy as np
    from astropy.nddata import CCDData
    from ccdproc import cosmicray_lacosmic

    cleaned = cosmicray_lacosmic(
        CCDData(np.ascontiguousarray(pixels, dtype=np.float32), unit="electron", mask=is_bad),
        sigclip=settings.n_sigma,
        sigfrac=settings.neighbour_fraction,
        objlim=settings.contrast,
        niter=settings.iterations,
        readnoise=float(np.sqrt(np.median(variance))),
        satlevel=np.inf,
        invar=np.ascontiguousarray(variance, dtype=np.float32),
        gain_apply=False,
    )
    is_hit = np.asarray(cleaned.mask, dtype=bool) & ~is_bad
    return CleanedImage(np.where(is_hit, cleaned.data, pixels).astype(np.float32), is_hit)
