"""Fits the point-spread function to bright stars.

One Moffat profile for the whole image. Chooses the stars among detections and
fits; photometry is ``psf_photometry``'s.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pipelines.tasks.errors import PointSpreadError
from pipelines.tasks.moffat import MoffatProfile
from pipelines.tasks.overscan import MAD_TO_SIGMA

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from pipelines.tasks.detection import Peaks
    from pipelines.tasks.psf_photometry import FittedStars, StarImage

#: Half the side of the stamps that are fitted, in full widths.
_STAMP_WIDTHS = 2.5

#: Exponent of the profile to begin with.
_FIRST_BETA = 3.0

#: Times that the profile is fitted, the stars centred anew in between.
_TRIES = 2

#: Limits of the parameters: log of the width over the first one, log(beta - 1), e1, e2.
_LOWEST = (-1.5, -0.7, -0.9, -0.9)
_HIGHEST = (1.5, 3.0, 0.9, 0.9)

#: Widths tried when stamps are looked at one by one, over the guess.
_WIDTH_FACTORS = (0.5, 0.7, 1.0, 1.4, 2.0)

#: Largest part of a star's power, its squared signal to noise, that a profile may leave.
_LARGEST_MISFIT = 0.05

#: Stars further than so many robust standard deviations from the others' widths are none.
_OUTLIER_SIGMA = 4.0


@dataclass(frozen=True, eq=False)
class PointSpread:
    """A fitted point-spread function."""

    #: The profile.
    profile: MoffatProfile
    #: Number of stars it was fitted to.
    n_stars: int


def choose_stars(
    peaks: Peaks, is_bad: NDArray[np.bool_], fwhm_pix: float, *, least_snr: float, most: int
) -> NDArray[np.int64]:
    """Choose bright stars that stand alone, away from edges and bad pixels.

    Parameters
    ----------
    peaks
        Detections, brightest first.
    is_bad
        Bad pixels, shape (ny, nx).
    fwhm_pix
        A guess of the full width [pixel].
    least_snr
        Least signal to noise.
    most
        How many to choose at most.

    Returns
    -------
    ndarray
        Indices into ``peaks``.
    """
    import numpy as np
    from scipy.spatial import KDTree

    ny, nx = is_bad.shape
    half = _STAMP_WIDTHS * fwhm_pix
    places = np.column_stack([peaks.x, peaks.y])
    inside = (peaks.x > half) & (peaks.x < nx - 1 - half)
    inside &= (peaks.y > half) & (peaks.y < ny - 1 - half)
    pairs = KDTree(places).query_ball_point(places, 2.0 * fwhm_pix)
    chosen = []
    for index in np.flatnonzero(inside & (peaks.snr > least_snr)):
        rivals = [other for other in pairs[index] if other != index]
        is_alone = all(peaks.flux[other] < 0.02 * peaks.flux[index] for other in rivals)
        row, column, reach = round(peaks.y[index]), round(peaks.x[index]), round(1.5 * fwhm_pix)
        core = is_bad[row - reach : row + reach + 1, column - reach : column + reach + 1]
        if is_alone and not core.any():
            chosen.append(index)
        if len(chosen) == most:
            break
    return np.array(chosen, dtype=np.int64)


def fit_point_spread(
    image: StarImage,
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    fwhm_pix: float,
    *,
    fewest: int,
) -> PointSpread:
    """Fit one profile to stars.

    Width, exponent and ellipticity are fitted to all stars together; position,
    flux and a constant of each are solved for on the way. Stars that alone
    would have another width (galaxies, blends) are left out.

    Parameters
    ----------
    image
        The image.
    x, y
        Places of the stars chosen, shape (n,) [pixel].
    fwhm_pix
        A guess of the full width [pixel].
    fewest
        Fewest stars that give a result.

    Raises
    ------
    PointSpreadError
        If there are fewer.
    """
    import numpy as np

    _check_number(x.size, fewest)
    stamps = _Stamps(image, x, y, round(_STAMP_WIDTHS * fwhm_pix))
    start = _start(fwhm_pix)
    kept = np.flatnonzero(stamps.are_stars(start))
    _check_number(kept.size, fewest)
    widths = np.array([stamps.only([i]).best(start, 1, tries=1)[0] for i in kept])
    from_median = np.abs(widths - np.median(widths))
    spread = max(MAD_TO_SIGMA * float(np.median(from_median)), 0.01)
    is_usual = from_median < _OUTLIER_SIGMA * spread
    _check_number(int(is_usual.sum()), fewest)
    start[0] = np.median(widths[is_usual])
    return stamps.only(kept[is_usual]).point_spread(start)


def refit_point_spread(
    image: StarImage, stars: FittedStars, which: NDArray[np.int64], *, fewest: int
) -> PointSpread:
    """Fit the profile again, to stars without their neighbours' light.

    Parameters
    ----------
    image
        The image.
    stars
        All of its stars, fitted with the profile known before.
    which
        Indices of those to fit to.
    fewest
        Fewest stars that give a result.

    Raises
    ------
    PointSpreadError
        If there are fewer.
    """
    _check_number(which.size, fewest)
    fwhm_pix = stars.profile.fwhm
    stamps = _Stamps(image, stars.x[which], stars.y[which], round(_STAMP_WIDTHS * fwhm_pix))
    stamps.subtract_others(stars, which)
    return stamps.point_spread(_start(fwhm_pix))


def _start(fwhm_pix: float) -> NDArray[np.float64]:
    """Return the parameters of a round profile to begin with."""
    import numpy as np

    return np.array([np.log(fwhm_pix), np.log(_FIRST_BETA - 1.0), 0.0, 0.0])


def _check_number(n: int, fewest: int) -> None:
    """Raise if there are too few stars."""
    if n < fewest:
        raise PointSpreadError(
            f"{n} stars are bright, whole and alone; {fewest} are needed to fit the point-spread "
            "function. Lower 'psf_least_snr' or 'psf_fewest_stars'."
        )


def _profile_of(parameters: Any) -> MoffatProfile:
    """Make a profile of the fit's parameters: log FWHM, log(beta - 1), e1, e2."""
    import numpy as np

    beta = 1.0 + float(np.exp(parameters[1]))
    alpha = float(np.exp(parameters[0])) / (2.0 * np.sqrt(2.0 ** (1.0 / beta) - 1.0))
    return MoffatProfile(float(alpha), beta, float(parameters[2]), float(parameters[3]))


class _Stamps:
    """Cut-outs about stars, and how well a profile fits them."""

    def __init__(
        self, image: StarImage, x: NDArray[np.float64], y: NDArray[np.float64], half: int
    ) -> None:
        import numpy as np
        from scipy.ndimage import gaussian_filter

        self.steps = np.arange(-half, half + 1)
        columns = np.rint(x).astype(int)[:, None, None] + self.steps[None, None, :]
        rows = np.rint(y).astype(int)[:, None, None] + self.steps[None, :, None]
        self.places = rows, columns
        self.pixels = image.pixels[rows, columns]
        # Smoothed, since weights that follow the noise bias the fit; see `psf_photometry`.
        light = gaussian_filter(self.pixels, (0.0, 1.0, 1.0))
        noise = np.maximum(light, 0.0) + image.sky_variance[rows, columns]
        self.weights = np.where(image.is_bad[rows, columns], 0.0, 1.0 / noise)
        self.x, self.y = x - np.rint(x), y - np.rint(y)

    def only(self, which: Any) -> _Stamps:
        """Return some of the stamps."""
        part = object.__new__(_Stamps)
        part.pixels, part.weights, part.steps = self.pixels[which], self.weights[which], self.steps
        part.x, part.y = self.x[which], self.y[which]
        return part

    def subtract_others(self, stars: FittedStars, which: NDArray[np.int64]) -> None:
        """Subtract the light of all stars but each stamp's own."""
        dx = self.steps[None, None, :] - self.x[:, None, None]
        dy = self.steps[None, :, None] - self.y[:, None, None]
        own = stars.profile.light(dx, dy).value * stars.fitted_flux[which][:, None, None]
        self.pixels = self.pixels - (stars.model[self.places] - own)

    def are_stars(self, start: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Tell which stamps a round profile of some width describes, and which not at all.

        Bad columns and bleeding trails are bright and alone, too.
        """
        import numpy as np

        n_pixels = (self.weights > 0.0).sum(axis=(1, 2))
        misfit = np.full(len(self.x), np.inf)
        for factor in _WIDTH_FACTORS:
            trial = start + np.array([np.log(factor), 0.0, 0.0, 0.0])
            self.centre(trial)
            columns, solution = self._solve(_profile_of(trial))
            own = columns[..., 0] * solution[:, 0, None, None]
            left = self.pixels - np.einsum("nyxi,ni->nyx", columns, solution)
            power = np.maximum((self.weights * own**2).sum(axis=(1, 2)), 1.0)
            excess = (self.weights * left**2).sum(axis=(1, 2)) - n_pixels
            misfit = np.minimum(misfit, np.where(solution[:, 0] > 0.0, excess / power, np.inf))
        return misfit < _LARGEST_MISFIT

    def point_spread(self, start: NDArray[np.float64]) -> PointSpread:
        """Fit all parameters."""
        fitted = self.best(start, start.size, tries=_TRIES)
        return PointSpread(_profile_of(fitted), len(self.x))

    def best(self, start: Any, n_free: int, *, tries: int) -> Any:
        """Return the parameters that fit best, the first ``n_free`` of them fitted."""
        import numpy as np
        from scipy.optimize import least_squares

        offset = np.array([start[0], 0.0, 0.0, 0.0])
        for _ in range(tries):
            self.centre(start)
            found = least_squares(
                lambda free, held=start[n_free:]: self.residuals(np.concatenate([free, held])),
                start[:n_free],
                bounds=((_LOWEST + offset)[:n_free], (_HIGHEST + offset)[:n_free]),
                x_scale=0.1,
                xtol=1e-4,
                ftol=1e-6,
            )
            start = np.concatenate([found.x, start[n_free:]])
        return start

    def centre(self, parameters: Any) -> None:
        """Move the stars to where a profile fits best."""
        import numpy as np

        for _ in range(_TRIES):
            solution = self._solve(_profile_of(parameters))[1]
            flux = np.where(solution[:, 0] == 0.0, 1.0, solution[:, 0])
            self.x = self.x + np.clip(solution[:, 1] / flux, -1.0, 1.0)
            self.y = self.y + np.clip(solution[:, 2] / flux, -1.0, 1.0)

    def residuals(self, parameters: Any) -> NDArray[np.float64]:
        """Return weighted residuals; flux, shift and constant of each star solved for."""
        import numpy as np

        columns, solution = self._solve(_profile_of(parameters))
        left = self.pixels - np.einsum("nyxi,ni->nyx", columns, solution)
        return np.asarray(left * np.sqrt(self.weights)).ravel()

    def _solve(self, profile: MoffatProfile) -> tuple[Any, Any]:
        """Solve for the linear parameters of each star: flux, two shifts, constant."""
        import numpy as np

        dx = self.steps[None, None, :] - self.x[:, None, None]
        dy = self.steps[None, :, None] - self.y[:, None, None]
        light = profile.light(dx, dy)
        columns = np.stack(
            [light.value, light.slope_x, light.slope_y, np.ones(self.pixels.shape)], axis=-1
        )
        weighted = columns * self.weights[..., None]
        normal = np.einsum("nyxi,nyxj->nij", weighted, columns, optimize=True)
        right = np.einsum("nyxi,nyx->ni", weighted, self.pixels, optimize=True)
        return columns, np.linalg.solve(normal, right[..., None])[..., 0]
