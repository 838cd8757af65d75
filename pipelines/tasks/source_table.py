"""The catalogue of an image's sources.

Turns measurements into columns with units and flags. Measures nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pipelines.tasks.masking import grown

if TYPE_CHECKING:
    import numpy as np
    from astropy.table import Table
    from numpy.typing import NDArray

    from butler_core.formatters.exposure import Exposure
    from pipelines.tasks.star_measurement import MeasuredStars

#: Columns of the catalogue: unit and description. Positions count from the image's own first pixel.
SOURCE_COLUMNS = {
    "id": ("", "number in this catalogue, from 1"),
    "x": ("pix", "column; the centre of the first pixel is 0"),
    "y": ("pix", "row"),
    "x_err": ("pix", "error of x"),
    "y_err": ("pix", "error of y"),
    "ra": ("deg", "right ascension by the WCS of the exposure, ICRS"),
    "dec": ("deg", "declination by the same"),
    "psf_flux": ("electron", "flux by profile, on the scale of ap_flux"),
    "psf_flux_err": ("electron", "its error, from the variance plane and the sky's error"),
    "ap_flux": ("electron", "light in the aperture, corrected to the whole by the growth curve"),
    "ap_flux_err": ("electron", "its error, from the variance plane and the sky's error"),
    "snr": ("", "psf_flux over its error"),
    "detection_snr": ("", "signal to noise at which it was detected"),
    "fwhm": ("pix", "full width at half maximum, to first order about the PSF's"),
    "chi2": ("", "squared residuals over their variance, weighted by the profile; 1 for a star"),
    "contamination": ("", "light of other sources in its profile, over its own; subtracted"),
    "flag_edge": ("", "the aperture reaches beyond the image"),
    "flag_saturated": ("", "a saturated pixel in the aperture"),
    "flag_bad": ("", "a defective pixel, or one not read, in the aperture"),
    "flag_cosmic_ray": ("", "a cosmic ray in the aperture"),
    "flag": ("", "edge, saturated or bad"),
}


@dataclass(frozen=True)
class FluxScale:
    """What puts both kinds of flux on the scale of all of a star's light."""

    #: Part of a star's light in the aperture.
    enclosed: float
    #: Error of the same; 0 if it is the PSF's own.
    enclosed_error: float
    #: What profile fluxes are multiplied by to agree with the aperture's for bright stars.
    psf_scale: float
    #: Error of the same.
    psf_scale_error: float
    #: Number of stars both are from.
    n_stars: int


def flux_scale(measured: MeasuredStars) -> FluxScale:
    """Find the aperture correction, and the scale of the profile fluxes.

    Parameters
    ----------
    measured
        The stars of an image. Without a curve of growth the profile's own
        enclosed light is taken, and its fluxes are left as they are.
    """
    import numpy as np

    growth = measured.growth
    if growth is None:
        enclosed = measured.spread.profile.enclosed(measured.aperture_radius_pix)
        return FluxScale(enclosed, 0.0, 1.0, 0.0, 0)
    best = measured.best
    ratio = measured.apertures.flux[best, 0] / growth.enclosed[0] / measured.stars.flux[best]
    # The noise that both share cancels; what is left is less than the aperture's.
    error = measured.apertures.flux_error[best, 0] / np.abs(measured.apertures.flux[best, 0])
    centre = float(np.median(ratio))
    weight = np.where(np.abs(ratio - centre) < 4.0 * error, error**-2.0, 0.0)
    return FluxScale(
        enclosed=growth.enclosed[0],
        enclosed_error=growth.enclosed_error[0],
        psf_scale=float((weight * ratio).sum() / weight.sum()),
        psf_scale_error=float(1.0 / np.sqrt(weight.sum())),
        n_stars=growth.n_stars,
    )


def source_table(exposure: Exposure, measured: MeasuredStars) -> Table:
    """Make the catalogue of the sources whose centres are on the image.

    Parameters
    ----------
    exposure
        The image, for its mask and WCS.
    measured
        What was measured in it.

    Returns
    -------
    astropy.table.Table
        Columns as in `SOURCE_COLUMNS`, sorted by falling flux; the numbers
        that hold for all of them in its ``meta``.
    """
    import numpy as np
    from astropy.table import Column, Table

    scale = flux_scale(measured)
    columns = {**_positions(exposure, measured), **_fluxes(measured, scale)}
    columns |= _flags(exposure, measured)
    ny, nx = exposure.data.shape
    x, y = measured.stars.x, measured.stars.y
    is_inside = (x > -0.5) & (x < nx - 0.5) & (y > -0.5) & (y < ny - 0.5)
    order = np.flatnonzero(is_inside)
    order = order[np.argsort(-columns["psf_flux"][order], kind="stable")]
    columns = {name: values[order] for name, values in columns.items()}
    columns["id"] = np.arange(1, order.size + 1, dtype=np.int64)
    table = Table(
        [
            Column(columns[name], name=name, unit=unit or None, description=description)
            for name, (unit, description) in SOURCE_COLUMNS.items()
        ]
    )
    table.meta.update(_summary(measured, scale))
    return table


def _positions(exposure: Exposure, measured: MeasuredStars) -> dict[str, NDArray[Any]]:
    """Columns about where the sources are and what they look like."""
    import numpy as np

    stars = measured.stars
    nowhere = np.full(stars.x.size, np.nan)
    ra, dec = nowhere, nowhere
    if exposure.wcs is not None:
        ra, dec = exposure.wcs.all_pix2world(stars.x, stars.y, 0)
    return {
        "x": stars.x,
        "y": stars.y,
        "x_err": stars.x_error,
        "y_err": stars.y_error,
        "ra": ra,
        "dec": dec,
        "fwhm": stars.fwhm,
        "chi2": stars.chi2,
        "contamination": stars.contamination,
        "detection_snr": measured.detection_snr,
    }


def _fluxes(measured: MeasuredStars, scale: FluxScale) -> dict[str, NDArray[Any]]:
    """Columns of fluxes and their errors [electron]."""
    import numpy as np

    stars, profile, sky_error = measured.stars, measured.spread.profile, measured.sky.level_error
    radius = measured.aperture_radius_pix
    # What free centring added to the profile flux was subtracted there; the circle has its share.
    gained = profile.centring_gain(radius) * (stars.fitted_flux - stars.flux)
    ap_flux = measured.apertures.flux[:, 0] / scale.enclosed - gained
    ap_sky_error = np.pi * radius**2 * sky_error
    ap_error = np.hypot(measured.apertures.flux_error[:, 0], ap_sky_error) / scale.enclosed
    psf_error = np.hypot(stars.flux_error, profile.noise_pixels * sky_error)
    return {
        "psf_flux": scale.psf_scale * stars.flux,
        "psf_flux_err": scale.psf_scale * psf_error,
        "ap_flux": ap_flux,
        "ap_flux_err": ap_error,
        "snr": stars.flux / np.maximum(psf_error, 1e-30),
    }


def _flags(exposure: Exposure, measured: MeasuredStars) -> dict[str, NDArray[Any]]:
    """Columns of what is wrong with the pixels of each aperture."""
    import numpy as np

    ny, nx = exposure.data.shape
    radius = measured.aperture_radius_pix
    x, y = measured.stars.x, measured.stars.y
    columns = np.clip(np.rint(x).astype(int), 0, nx - 1)
    rows = np.clip(np.rint(y).astype(int), 0, ny - 1)

    def is_hit(*planes: str) -> NDArray[np.bool_]:
        near: NDArray[np.bool_] = grown(exposure.is_masked(*planes), round(radius))[rows, columns]
        return near

    edge = (x < radius - 0.5) | (x > nx - 0.5 - radius)
    edge |= (y < radius - 0.5) | (y > ny - 0.5 - radius)
    saturated, bad = is_hit("SAT"), is_hit("BAD", "NO_DATA")
    return {
        "flag_edge": edge,
        "flag_saturated": saturated,
        "flag_bad": bad,
        "flag_cosmic_ray": is_hit("CR"),
        "flag": edge | saturated | bad,
    }


def _summary(measured: MeasuredStars, scale: FluxScale) -> dict[str, float | int]:
    """Numbers that hold for the whole image, for the table's metadata."""
    import numpy as np

    profile = measured.spread.profile
    return {
        "psf_fwhm_pix": profile.fwhm,
        "psf_beta": profile.beta,
        "psf_ellipticity": profile.ellipticity,
        "psf_stars": measured.spread.n_stars,
        "aperture_radius_pix": measured.aperture_radius_pix,
        "aperture_enclosed": scale.enclosed,
        "aperture_enclosed_error": scale.enclosed_error,
        "psf_scale": scale.psf_scale,
        "psf_scale_error": scale.psf_scale_error,
        "growth_stars": scale.n_stars,
        "sky_electrons": float(np.median(measured.sky.level)),
        "sky_error_electrons": measured.sky.level_error,
        "pixel_noise_electrons": float(np.sqrt(np.median(measured.image.sky_variance))),
    }
