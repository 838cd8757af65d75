"""Stars of an image: found, and measured in two ways.

Puts the parts together: sky, point-spread function, detection, photometry.
Works on arrays; ``measure`` is the task and ``source_table`` makes the
catalogue.

The sky and the stars depend on each other, so both are measured by turns: the
sky of the image without its stars, then the stars without that sky. A sky
measured beneath the stars' wings is a tenth of an electron too bright, and a
faint star's two hundred pixels would lose a tenth of its flux.
"""

from __future__ import annotations

import logging
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pydantic import Field

from pipelines.tasks.aperture_photometry import (
    ApertureFluxes,
    GrowthCurve,
    growth_curve,
    measure_apertures,
)
from pipelines.tasks.background import BackgroundConfig, Sky, measure_sky
from pipelines.tasks.detection import Peaks, find_stars
from pipelines.tasks.point_spread import (
    PointSpread,
    choose_stars,
    fit_point_spread,
    refit_point_spread,
)
from pipelines.tasks.psf_photometry import FittedStars, StarImage, fit_stars
from pipetask.config.fields import Config

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_LOG = logging.getLogger(__name__)

#: Planes whose pixels are not measured.
BAD_PLANES = ("BAD", "SAT", "CR", "NO_DATA")

#: Radii of the curve of growth, in full widths; the aperture's own comes first.
_GROWTH_WIDTHS = (1.5, 2.0, 3.0, 4.0)

#: Error of the model of a star, relative, when something is looked for beneath it.
_MODEL_ERROR = 0.1

#: Signal to noise that a fitted star must have to stay.
_LEAST_SNR = 2.5

#: Times that the width of the detection filter is improved.
_WIDTH_TRIES = 3


class StarConfig(Config):
    """How stars are found and measured."""

    background: BackgroundConfig = Field(
        default_factory=BackgroundConfig, description="How the sky is measured."
    )
    n_sigma: float = Field(default=4.0, gt=0, description="Detection threshold, signal to noise.")
    first_fwhm_pix: float = Field(
        default=6.0, gt=1, description="Guess of the stars' full width to begin with [pixel]."
    )
    psf_least_snr: float = Field(
        default=50.0, gt=0, description="Signal to noise of the faintest star the PSF is fitted to."
    )
    psf_most_stars: int = Field(default=30, ge=1, description="Most stars the PSF is fitted to.")
    psf_fewest_stars: int = Field(default=5, ge=1, description="Fewest stars that give a PSF.")
    aperture_widths: float = Field(
        default=1.0, gt=0, lt=1.5, description="Radius of the aperture, in full widths of the PSF."
    )


@dataclass(frozen=True, eq=False)
class MeasuredStars:
    """Everything measured in one image."""

    #: The sky.
    sky: Sky
    #: The point-spread function.
    spread: PointSpread
    #: What the stars were fitted to.
    image: StarImage
    #: Positions and fluxes by profile.
    stars: FittedStars
    #: Light in the aperture, neither corrected nor scaled.
    apertures: ApertureFluxes
    #: Radius of the aperture [pixel].
    aperture_radius_pix: float
    #: The curve of growth; None if too few bright stars stood alone.
    growth: GrowthCurve | None
    #: Indices of bright stars that stand alone, brightest first.
    best: NDArray[np.int64]
    #: Signal to noise at detection, shape (n,).
    detection_snr: NDArray[np.float64]


def measure_stars(
    pixels: NDArray[Any],
    variance: NDArray[Any],
    is_bad: NDArray[np.bool_],
    settings: StarConfig,
) -> MeasuredStars:
    """Find and measure the stars of an image.

    Parameters
    ----------
    pixels
        Image with its sky, shape (ny, nx) [electron].
    variance
        Same shape [electron squared].
    is_bad
        Pixels to be left out.
    settings
        How.

    Raises
    ------
    PointSpreadError
        If too few stars are bright and alone.
    """
    work = _Workbench(pixels, variance, is_bad, settings)
    spread = work.fit_spread()
    peaks = work.detect(spread, None)
    stars = work.fit(spread, peaks, iterations=2)
    work.improve_sky(stars)
    spread = work.refit_spread(stars)
    remaining = work.detect(spread, stars)
    peaks = _joined(_moved(peaks, stars), remaining, spread.profile.fwhm)
    stars = work.fit(spread, peaks, iterations=2)
    work.improve_sky(stars)
    peaks = _real(_moved(peaks, stars), stars)
    stars = work.fit(spread, peaks, iterations=1)
    return work.finish(spread, stars, peaks)


class _Workbench:
    """One image on its way: what is known of its sky so far."""

    def __init__(
        self,
        pixels: NDArray[Any],
        variance: NDArray[Any],
        is_bad: NDArray[np.bool_],
        settings: StarConfig,
    ) -> None:
        import numpy as np

        self.pixels = np.asarray(pixels, dtype=np.float64)
        self.variance = np.asarray(variance, dtype=np.float64)
        self.is_bad = is_bad
        self.settings = settings
        self.sky = measure_sky(self.pixels, is_bad, settings.background, statistic="median")
        sky_variance = measure_sky(self.variance, is_bad, settings.background, statistic="median")
        self.sky_variance = np.maximum(sky_variance.level, 1e-3)

    def image(self) -> StarImage:
        """Return the image without the sky as known so far."""
        return StarImage(
            self.pixels - self.sky.level, self.variance, self.sky_variance, self.is_bad
        )

    def fit_spread(self) -> PointSpread:
        """Fit the point-spread function, until its width is that of the filter."""
        fwhm_pix, settings, image = self.settings.first_fwhm_pix, self.settings, self.image()
        for _ in range(_WIDTH_TRIES):
            peaks = find_stars(
                image.pixels,
                self.sky_variance,
                self.is_bad,
                fwhm_pix=fwhm_pix,
                n_sigma=settings.psf_least_snr / 2.0,
            )
            chosen = choose_stars(
                peaks,
                self.is_bad,
                fwhm_pix,
                least_snr=settings.psf_least_snr,
                most=settings.psf_most_stars,
            )
            spread = fit_point_spread(
                image,
                peaks.x[chosen],
                peaks.y[chosen],
                fwhm_pix,
                fewest=settings.psf_fewest_stars,
            )
            if abs(math.log(spread.profile.fwhm / fwhm_pix)) < math.log(1.3):
                break
            fwhm_pix = spread.profile.fwhm
        return spread

    def refit_spread(self, stars: FittedStars) -> PointSpread:
        """Fit the point-spread function to the best stars, their neighbours subtracted."""
        chosen = self._best_stars(stars, 2.5 * stars.profile.fwhm)
        fewest = self.settings.psf_fewest_stars
        return refit_point_spread(self.image(), stars, chosen, fewest=fewest)

    def detect(self, spread: PointSpread, stars: FittedStars | None) -> Peaks:
        """Find stars, or what is left when those known are subtracted."""
        image = self.image()
        pixels, variance = image.pixels, self.sky_variance
        if stars is not None:
            variance = variance + stars.model.clip(0.0) + (_MODEL_ERROR * stars.model) ** 2
            pixels = pixels - stars.model
        return find_stars(
            pixels,
            variance,
            self.is_bad,
            fwhm_pix=spread.profile.fwhm,
            n_sigma=self.settings.n_sigma,
        )

    def fit(self, spread: PointSpread, peaks: Peaks, *, iterations: int) -> FittedStars:
        """Fit all stars."""
        import numpy as np

        if peaks.x.size == 0:
            ny, nx = self.pixels.shape
            return FittedStars.none(spread.profile, (ny, nx))
        flux = np.maximum(peaks.flux, 0.0)
        return fit_stars(
            self.image(), spread.profile, peaks.x, peaks.y, flux, iterations=iterations
        )

    def improve_sky(self, stars: FittedStars) -> None:
        """Measure the sky of the image without its stars."""
        import numpy as np

        # Near bright stars the model's own errors are no sky.
        is_near = stars.model > 0.5 * np.sqrt(self.sky_variance)
        self.sky = measure_sky(
            self.pixels - stars.model,
            self.is_bad | is_near,
            self.settings.background,
            statistic="mean",
        )

    def finish(self, spread: PointSpread, stars: FittedStars, peaks: Peaks) -> MeasuredStars:
        """Measure the apertures and the curve of growth."""
        import numpy as np

        image, profile = self.image(), spread.profile
        radius = self.settings.aperture_widths * profile.fwhm
        apertures = measure_apertures(image, stars, [radius], np.arange(stars.x.size))
        radii = [radius, *(width * profile.fwhm for width in _GROWTH_WIDTHS)]
        growth = None
        bright = self._best_stars(stars, radii[-1])
        if bright.size >= self.settings.psf_fewest_stars:
            growth = growth_curve(measure_apertures(image, stars, radii, bright), radii, profile)
        else:
            _LOG.warning("only %d stars for the curve of growth: using the PSF", bright.size)
        return MeasuredStars(
            sky=self.sky,
            spread=spread,
            image=image,
            stars=stars,
            apertures=apertures,
            aperture_radius_pix=radius,
            growth=growth,
            best=bright,
            detection_snr=peaks.snr,
        )

    def _best_stars(self, stars: FittedStars, margin_pix: float) -> NDArray[np.int64]:
        """Choose the brightest stars that are whole, alone, and shaped like stars."""
        import numpy as np

        ny, nx = self.pixels.shape
        snr = stars.flux / np.maximum(stars.flux_error, 1e-30)
        chosen = (snr > self.settings.psf_least_snr) & (stars.coverage > 0.95)
        chosen &= stars.contamination < 0.02
        chosen &= np.abs(stars.fwhm / stars.profile.fwhm - 1.0) < 0.1
        chosen &= (stars.x > margin_pix) & (stars.x < nx - 1 - margin_pix)
        chosen &= (stars.y > margin_pix) & (stars.y < ny - 1 - margin_pix)
        found = np.flatnonzero(chosen)
        order = np.argsort(-snr[found], kind="stable")
        return found[order][: self.settings.psf_most_stars]


def _moved(peaks: Peaks, stars: FittedStars) -> Peaks:
    """Return peaks where, and as bright as, the stars fitted to them are."""
    return Peaks(stars.x, stars.y, stars.fitted_flux, peaks.snr)


def _real(peaks: Peaks, stars: FittedStars) -> Peaks:
    """Leave out peaks of which the fit has left nothing.

    Such are remains about bright stars, whose own light explains them once it
    is fitted together with them, or is not known well enough.
    """
    import numpy as np

    beneath = _MODEL_ERROR * stars.contamination * np.maximum(stars.fitted_flux, 0.0)
    is_real = stars.flux > _LEAST_SNR * np.hypot(stars.flux_error, beneath)
    return Peaks(*(getattr(peaks, name)[is_real] for name in ("x", "y", "flux", "snr")))


def _joined(first: Peaks, second: Peaks, fwhm_pix: float) -> Peaks:
    """Add the peaks found later that are no remains of one found before."""
    import numpy as np
    from scipy.spatial import KDTree

    if first.x.size == 0 or second.x.size == 0:
        return first if second.x.size == 0 else second
    known = KDTree(np.column_stack([first.x, first.y]))
    distance, _ = known.query(np.column_stack([second.x, second.y]))
    new = distance > 0.8 * fwhm_pix
    return Peaks(
        *(
            np.concatenate([getattr(first, name), getattr(second, name)[new]])
            for name in ("x", "y", "flux", "snr")
        )
    )
