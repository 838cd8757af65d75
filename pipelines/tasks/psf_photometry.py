"""Positions and fluxes of all stars of an image at once, by weighted least squares.

Overlapping stars share their light correctly, and the background's error
stays common to none. Detects nothing and knows no file.

What keeps the fluxes unbiased:

- The weights come from the sky's variance and the *model* of the stars, never
  from the noisy pixels: inverse variances that follow the noise favour low
  pixels, and fluxes would come out low (Humphrey, Liu & Buote 2009, ApJ 693, 822).
- A position fitted to the same pixels lets the noise pull the star to where
  the flux is largest. For a fit of two coordinates the flux is too large by
  its variance over itself, on average, or one part in S/N squared (Portillo,
  Speagle & Finkbeiner 2020, AJ 159, 165); this is subtracted.

What the errors hold: the variance plane, propagated through the weights; not
the weights' own idea of the noise.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

from pipelines.tasks.star_design import design_of, fitted_radius, whole_radius

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from scipy.sparse import csc_array

    from pipelines.tasks.moffat import MoffatProfile

#: Largest move of a star in one iteration, and from where it was detected, in full widths.
_LARGEST_STEP, _LARGEST_MOVE = 0.25, 0.6

#: A star's position is held where its flux is less than so many times its error.
_LEAST_SNR_TO_MOVE = 2.0


@dataclass(frozen=True, eq=False)
class StarImage:
    """What the stars are fitted to; arrays of shape (ny, nx)."""

    #: Pixels without their sky [electron].
    pixels: NDArray[np.float64]
    #: The variance plane [electron squared].
    variance: NDArray[np.float64]
    #: Variance without the light of stars, free of noise [electron squared].
    sky_variance: NDArray[np.float64]
    #: Pixels to be left out.
    is_bad: NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class FittedStars:
    """The stars of an image; arrays of shape (n,)."""

    #: The profile fitted.
    profile: MoffatProfile
    #: Columns and rows [pixel], and their errors.
    x: NDArray[np.float64]
    y: NDArray[np.float64]
    x_error: NDArray[np.float64]
    y_error: NDArray[np.float64]
    #: Fluxes as fitted, which describe the image best [electron].
    fitted_flux: NDArray[np.float64]
    #: Fluxes without what the freedom of the position added [electron].
    flux: NDArray[np.float64]
    #: Their errors [electron].
    flux_error: NDArray[np.float64]
    #: Chi squared over its expectation, weighted by the profile; 1 for a star.
    chi2: NDArray[np.float64]
    #: Part of the profile's weight that lies on good pixels.
    coverage: NDArray[np.float64]
    #: Light of the others where the star is, weighted by its profile, relative to its own.
    contamination: NDArray[np.float64]
    #: Full width that would fit the star best, to first order [pixel].
    fwhm: NDArray[np.float64]
    #: Light of all the stars, shape (ny, nx) [electron].
    model: NDArray[np.float64]

    @classmethod
    def none(cls, profile: MoffatProfile, shape: tuple[int, int]) -> FittedStars:
        """Return the stars of an image without any.

        Parameters
        ----------
        profile
            The point-spread function.
        shape
            Rows and columns of the image.
        """
        import numpy as np

        parts: dict[str, Any] = {item.name: np.empty(0) for item in fields(cls)}
        return cls(**{**parts, "profile": profile, "model": np.zeros(shape)})


def fit_stars(
    image: StarImage,
    profile: MoffatProfile,
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    flux: NDArray[np.float64],
    *,
    iterations: int,
) -> FittedStars:
    """Fit positions and fluxes of stars.

    Parameters
    ----------
    image
        The image.
    profile
        The point-spread function.
    x, y, flux
        A first guess, shape (n,), n > 0 [pixel, electron].
    iterations
        Times the positions are improved.

    Returns
    -------
    FittedStars
        In the order given.
    """
    import numpy as np

    x_first, y_first, largest = x, y, _LARGEST_MOVE * profile.fwhm
    for _ in range(iterations):
        step = _Step(image, profile, x, y, flux).solve()
        flux = step.flux
        x = np.clip(x + step.x, x_first - largest, x_first + largest)
        y = np.clip(y + step.y, y_first - largest, y_first + largest)
    return _Step(image, profile, x, y, flux).results()


@dataclass(frozen=True, eq=False)
class _Solution:
    """Fluxes, and how far the stars should move; arrays of shape (n,)."""

    flux: NDArray[np.float64]
    x: NDArray[np.float64]
    y: NDArray[np.float64]


class _Step:
    """One Gauss-Newton step: the linear problem about some positions and fluxes.

    The stars' whole light is subtracted; what is left is fitted by changes of
    flux and place, near each star.
    """

    def __init__(
        self,
        image: StarImage,
        profile: MoffatProfile,
        x: NDArray[np.float64],
        y: NDArray[np.float64],
        flux: NDArray[np.float64],
    ) -> None:
        import numpy as np

        self.image, self.profile = image, profile
        self.x, self.y, self.flux = x, y, flux
        noise = float(np.sqrt(np.median(image.sky_variance)))
        self.design = design_of(
            profile, image.pixels.shape, x, y, fitted_radius(profile, flux, noise)
        )
        self.light = self.design.of_light()
        #: What the slopes are multiplied by, so that their coefficients are about pixels.
        self.scale = np.maximum(np.abs(flux), 1.0)
        self.matrix = self.design.of_light_and_moves(self.scale)
        self.model = self._model(flux)
        expected = image.sky_variance.ravel() + np.maximum(self.model, 0.0)
        self.weights = np.where(image.is_bad.ravel(), 0.0, 1.0 / expected)

    def solve(self) -> _Solution:
        """Return the linear solution, its steps kept small."""
        import numpy as np
        from scipy.sparse.linalg import splu

        weighted, normal = _normal(self.matrix, self.weights)
        left = self.image.pixels.ravel() - self.model
        change, move_x, move_y = np.split(splu(normal).solve(weighted.T @ left), 3)
        flux = self.flux + change
        information = normal.diagonal()[: flux.size]
        is_free = flux * np.sqrt(information) > _LEAST_SNR_TO_MOVE
        moved = np.where(is_free, self.scale / np.where(is_free, flux, 1.0), 0.0)
        largest = _LARGEST_STEP * self.profile.fwhm
        limits = -largest, largest
        return _Solution(flux, np.clip(moved * move_x, *limits), np.clip(moved * move_y, *limits))

    def results(self) -> FittedStars:
        """Return everything about the stars at final positions."""
        import numpy as np
        from scipy.sparse.linalg import splu

        weighted, normal = _normal(self.matrix, self.weights)
        solver = splu(normal)
        left = self.image.pixels.ravel() - self.model
        flux = self.flux + solver.solve(weighted.T @ left)[: self.flux.size]
        variance = np.where(self.image.is_bad, 0.0, self.image.variance).ravel()
        middle = weighted.T @ _rows_scaled(weighted, variance)
        inverse = solver.solve(np.eye(normal.shape[0]))
        errors = np.sqrt(np.maximum(np.einsum("ij,ij->i", inverse @ middle, inverse), 0.0))
        flux_error, x_error, y_error = np.split(errors, 3)
        by_flux = self.scale / np.maximum(np.abs(flux), 1.0)
        model = self._model(flux)
        left = self.image.pixels.ravel() - model
        return FittedStars(
            profile=self.profile,
            x=self.x,
            y=self.y,
            x_error=x_error * by_flux,
            y_error=y_error * by_flux,
            fitted_flux=flux,
            flux=_without_position_bias(flux, flux_error),
            flux_error=flux_error,
            chi2=self._chi2(left),
            coverage=self._coverage(),
            contamination=self._contamination(flux, model),
            fwhm=self.profile.fwhm * self._relative_width(flux, left),
            model=model.reshape(self.image.pixels.shape),
        )

    def _model(self, flux: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the light of all stars, out to where it is lost in the noise."""
        import numpy as np

        noise = float(np.sqrt(np.median(self.image.sky_variance)))
        radius = whole_radius(self.profile, flux, noise)
        design = design_of(self.profile, self.image.pixels.shape, self.x, self.y, radius)
        return np.asarray(design.of_light() @ flux)

    def _chi2(self, left: NDArray[np.float64]) -> NDArray[np.float64]:
        """Mean of the squared residuals over their variance, weighted by each profile."""
        import numpy as np

        weight = self.light.T @ (self.weights > 0.0).astype(float)
        return np.asarray(self.light.T @ (left**2 * self.weights) / np.maximum(weight, 1e-30))

    def _coverage(self) -> NDArray[np.float64]:
        """Part of the squared profile on good pixels, of what a whole stamp has."""
        import numpy as np

        squared = self.light.power(2)
        whole = np.median(squared.sum(axis=0))
        return np.asarray(squared.T @ (self.weights > 0.0) / whole).clip(0.0, 1.0)

    def _contamination(
        self, flux: NDArray[np.float64], model: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Light of the others in each profile, relative to the star's own."""
        import numpy as np

        own = self.light.power(2).sum(axis=0) * flux
        others = self.light.T @ model - own
        return np.asarray(np.abs(others) / np.maximum(own, 1e-30))

    def _relative_width(
        self, flux: NDArray[np.float64], residual: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Width that each star would have, over the profile's: one Newton step.

        The derivative by the logarithm of the width is -2 P - r dP/dr.
        """
        import numpy as np

        design = self.design
        weights = self.weights[design.pixels]
        change = design.radial_slope - 2.0 * design.light.value

        def added(values: NDArray[np.float64]) -> NDArray[np.float64]:
            return np.asarray(np.add.reduceat(weights * values, design.starts[:-1]))

        left = residual[design.pixels]
        aa, bb = added(design.light.value**2), added(change**2)
        ab = added(design.light.value * change)
        determinant = np.maximum(aa * bb - ab**2, 1e-30)
        step = (aa * added(change * left) - ab * added(design.light.value * left)) / determinant
        return np.asarray(np.clip(1.0 + step / np.maximum(flux, 1.0), 0.3, 3.0))


def _without_position_bias(
    flux: NDArray[np.float64], error: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Subtract what fitting the position added, where it was fitted."""
    import numpy as np

    is_free = flux > _LEAST_SNR_TO_MOVE * error
    return np.where(is_free, flux - error**2 / np.where(is_free, flux, 1.0), flux)


def _rows_scaled(matrix: csc_array, factor: NDArray[np.float64]) -> csc_array:
    """Multiply each row of a matrix by a factor."""
    from scipy.sparse import csc_array

    values = matrix.data * factor[matrix.indices]
    return csc_array((values, matrix.indices, matrix.indptr), shape=matrix.shape)


def _normal(matrix: csc_array, weights: NDArray[np.float64]) -> tuple[csc_array, csc_array]:
    """Return the weighted matrix, and the normal matrix made solvable."""
    import numpy as np
    from scipy.sparse import csc_array, diags_array

    weighted = _rows_scaled(matrix, weights)
    normal = csc_array(matrix.T @ weighted)
    diagonal = normal.diagonal()
    # A star without a good pixel has an empty column: its flux comes out as 0.
    ridge = np.where(diagonal > 0.0, 1e-10 * diagonal, 1.0)
    return weighted, csc_array(normal + diags_array(ridge))
