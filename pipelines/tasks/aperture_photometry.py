"""Light within circles about stars, their neighbours subtracted.

Thin over photutils' apertures. The neighbours, and pixels that are bad, come
from the model of all stars (see ``psf_photometry``).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from pipelines.tasks.moffat import MoffatProfile
    from pipelines.tasks.psf_photometry import FittedStars, StarImage


@dataclass(frozen=True, eq=False)
class ApertureFluxes:
    """Light in circles; arrays of shape (n_stars, n_radii)."""

    #: Electrons in the circle.
    flux: NDArray[np.float64]
    #: Error by the variance plane [electron].
    flux_error: NDArray[np.float64]
    #: Part of the circle that lies off the image or on bad pixels, filled from the model.
    filled: NDArray[np.float64]


def measure_apertures(
    image: StarImage,
    stars: FittedStars,
    radii_pix: list[float],
    which: NDArray[np.int64],
) -> ApertureFluxes:
    """Add up the light in circles about stars.

    Parameters
    ----------
    image
        The image.
    stars
        All of its stars.
    radii_pix
        Radii of the circles [pixel].
    which
        Indices of the stars to measure, shape (n_stars,).
    """
    import numpy as np

    residual = image.pixels - stars.model
    shape = (which.size, len(radii_pix))
    flux, variance, filled = np.zeros(shape), np.zeros(shape), np.zeros(shape)
    for row, star in enumerate(which):
        for column, radius in enumerate(radii_pix):
            flux[row, column], variance[row, column], filled[row, column] = _one_circle(
                image, residual, stars, int(star), radius
            )
    return ApertureFluxes(flux, np.sqrt(variance), filled)


def _one_circle(
    image: StarImage,
    residual: NDArray[np.float64],
    stars: FittedStars,
    star: int,
    radius: float,
) -> tuple[float, float, float]:
    """Return flux, variance and filled part of one circle."""
    import numpy as np
    from photutils.aperture import CircularAperture

    x, y = float(stars.x[star]), float(stars.y[star])
    mask = CircularAperture((x, y), radius).to_mask(method="exact")
    ny, nx = residual.shape
    rows = np.arange(mask.bbox.iymin, mask.bbox.iymax)
    columns = np.arange(mask.bbox.ixmin, mask.bbox.ixmax)
    own = stars.profile.light(columns[None, :] - x, rows[:, None] - y).value
    own = own * stars.fitted_flux[star]
    at = np.ix_(np.clip(rows, 0, ny - 1), np.clip(columns, 0, nx - 1))
    on_image = np.outer((rows >= 0) & (rows < ny), (columns >= 0) & (columns < nx))
    is_good = on_image & ~image.is_bad[at]
    values = own + np.where(is_good, residual[at], 0.0)
    variance = np.where(is_good, image.variance[at], 0.0)
    share = mask.data
    filled = float(share[~is_good].sum() / share.sum())
    return float((share * values).sum()), float((share**2 * variance).sum()), filled


@dataclass(frozen=True, eq=False)
class GrowthCurve:
    """How the light of stars grows with the radius."""

    #: Radii [pixel].
    radii_pix: tuple[float, ...]
    #: Light within each, relative to all light.
    enclosed: tuple[float, ...]
    #: Errors of the same.
    enclosed_error: tuple[float, ...]
    #: Number of stars.
    n_stars: int


def growth_curve(
    fluxes: ApertureFluxes, radii_pix: list[float], profile: MoffatProfile
) -> GrowthCurve:
    """Average how bright stars' light grows with the radius.

    Each star's light is compared with that in the largest circle; the part
    outside that one is the fitted profile's.

    Parameters
    ----------
    fluxes
        Of bright stars that stand alone, at all the radii; at least one star.
    radii_pix
        Ascending [pixel].
    profile
        The point-spread function.
    """
    import numpy as np

    last = fluxes.flux[:, -1:]
    ratio = fluxes.flux / last
    # What a circle and the largest one share has the same noise; the ring between them counts.
    ring = np.sqrt(np.maximum(fluxes.flux_error[:, -1:] ** 2 - fluxes.flux_error**2, 0.0))
    error = np.maximum(ring * ratio / np.abs(last), 1e-6)
    centre = np.median(ratio, axis=0)
    weight = np.where(np.abs(ratio - centre) < 4.0 * error, error**-2.0, 0.0)
    total = np.maximum(weight.sum(axis=0), 1e-30)
    mean = np.where(weight.any(axis=0), (weight * ratio).sum(axis=0) / total, centre)
    within = profile.enclosed(radii_pix[-1])
    return GrowthCurve(
        tuple(radii_pix),
        tuple(float(value) for value in mean * within),
        tuple(float(value) for value in within / np.sqrt(total)),
        len(ratio),
    )
