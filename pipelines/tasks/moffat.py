"""An elliptical Moffat profile as a point-spread function.

Moffat 1969, A&A 3, 455: what the atmosphere makes of a star. Evaluates the
profile and its slopes; fits nothing (see ``point_spread``).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class PixelLight:
    """Light of a star of unit flux in pixels; arrays of one shape."""

    #: Part of the light in each pixel.
    value: NDArray[np.float64]
    #: Its derivative by the star's column [1/pixel].
    slope_x: NDArray[np.float64]
    #: Its derivative by the star's row [1/pixel].
    slope_y: NDArray[np.float64]


@dataclass(frozen=True)
class MoffatProfile:
    """A profile of unit integral over the whole plane."""

    #: Geometric mean of the scale lengths of the two axes [pixel].
    alpha: float
    #: Exponent, above 1.
    beta: float
    #: Ellipticity along the axes, -1 to 1.
    e1: float = 0.0
    #: Ellipticity along the diagonals, -1 to 1; e1**2 + e2**2 < 1.
    e2: float = 0.0

    @property
    def fwhm(self) -> float:
        """Full width at half maximum, geometric mean of the two axes [pixel]."""
        return 2.0 * self.alpha * math.sqrt(2.0 ** (1.0 / self.beta) - 1.0)

    @property
    def ellipticity(self) -> float:
        """One minus the ratio of the axes."""
        e = math.hypot(self.e1, self.e2)
        return 1.0 - math.sqrt((1.0 - e) / (1.0 + e))

    @property
    def noise_pixels(self) -> float:
        """Effective number of pixels, 1 / sum(profile**2) [pixel]; pixels small."""
        return math.pi * self.alpha**2 * (2 * self.beta - 1) / (self.beta - 1) ** 2

    @property
    def peak(self) -> float:
        """Value at the centre [1/pixel]."""
        return (self.beta - 1.0) / (math.pi * self.alpha**2)

    def enclosed(self, radius: float) -> float:
        """Return the part of the light within a radius [pixel], if the profile is round."""
        return 1.0 - math.pow(1.0 + (radius / self.alpha) ** 2, 1.0 - self.beta)

    def centring_gain(self, radius: float) -> float:
        """Return how much of a fit's gain by free centring a circle's light shares.

        Noise pulls a fitted centre to where the profile's flux f, of error s,
        is largest, by s**2 / f on average (see ``psf_photometry``). The light
        in a circle about that centre, corrected to the whole, gains the same
        times the ratio of the curvatures, as the star moves, of the circle's
        light and of the profile's overlap with itself; here for a round
        profile, in closed form.

        Parameters
        ----------
        radius
            Of the circle [pixel].
        """
        t = (radius / self.alpha) ** 2
        curvature = 2.0 * (self.beta - 1.0) * (2.0 * self.beta + 1.0) / (2.0 * self.beta - 1.0)
        return curvature * t * math.pow(1.0 + t, -self.beta - 1.0) / self.enclosed(radius)

    def _form(self) -> tuple[float, float, float]:
        """Coefficients of x**2, y**2 and 2 x y in the squared elliptical radius."""
        scale = 1.0 / (self.alpha**2 * math.sqrt(1.0 - self.e1**2 - self.e2**2))
        return (1.0 - self.e1) * scale, (1.0 + self.e1) * scale, -self.e2 * scale

    def light(self, dx: NDArray[Any], dy: NDArray[Any]) -> PixelLight:
        """Return the light in pixels, and how it changes as the star moves.

        Parameters
        ----------
        dx, dy
            Centres of the pixels less that of the star, shapes that broadcast [pixel].

        Returns
        -------
        PixelLight
            The integral over a pixel to second order: the value at the centre
            and a 24th of the Laplacian there; good to a thousandth of the peak
            for widths of 3 pixels or more. Slopes are those at the centre.
        """
        import numpy as np

        a, c, b = self._form()
        half_x, half_y = a * dx + b * dy, c * dy + b * dx
        u = 1.0 + half_x * dx + half_y * dy
        value = self.peak * u**-self.beta
        common = 2.0 * self.beta * value / u
        bend = 2.0 * (self.beta + 1.0) * (half_x**2 + half_y**2) / u - (a + c)
        return PixelLight(
            value=np.asarray(value + common * bend / 24.0),
            slope_x=np.asarray(common * half_x),
            slope_y=np.asarray(common * half_y),
        )

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain values, as `Exposure.psf` and its files take them."""
        return {
            "profile": "moffat",
            "fwhm_pix": self.fwhm,
            "alpha_pix": self.alpha,
            "beta": self.beta,
            "e1": self.e1,
            "e2": self.e2,
        }

    @classmethod
    def from_dict(cls, given: Mapping[str, Any]) -> MoffatProfile:
        """Make a profile of what `to_dict` gave.

        Parameters
        ----------
        given
            Plain values by name.
        """
        if given.get("profile") != "moffat":
            raise ValueError(
                f"a point-spread function of the kind {given.get('profile')!r} was given; "
                "only 'moffat' is known."
            )
        return cls(*(float(given[name]) for name in ("alpha_pix", "beta", "e1", "e2")))
