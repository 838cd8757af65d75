"""Stars as columns of a sparse matrix: light, and its change with position, pixel by pixel.

Lays out the linear problem that ``psf_photometry`` solves. Solves nothing.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from scipy.sparse import csc_array

    from pipelines.tasks.moffat import MoffatProfile, PixelLight


@dataclass(frozen=True, eq=False)
class StarDesign:
    """Columns of the design matrix, one star a column, in compressed sparse columns.

    The three matrices have their values in the same places.
    """

    #: Pixels of the image: rows of the matrices.
    n_pixels: int
    #: Where each star's pixels begin, shape (n_stars + 1,).
    starts: NDArray[np.int64]
    #: Pixels, counted row by row, shape (n_values,).
    pixels: NDArray[np.int64]
    #: Light of each star of unit flux there, and its slopes, shape (n_values,).
    light: PixelLight
    #: Fall of that light with the logarithm of the radius, -r dP/dr, shape (n_values,).
    radial_slope: NDArray[np.float64]

    @property
    def n_stars(self) -> int:
        """Number of columns."""
        return int(self.starts.size - 1)

    def of_light(self) -> csc_array:
        """Return the matrix of the light, shape (n_pixels, n_stars)."""
        from scipy.sparse import csc_array

        size = (self.n_pixels, self.n_stars)
        return csc_array((self.light.value, self.pixels, self.starts), shape=size)

    def of_light_and_moves(self, scale: NDArray[np.float64]) -> csc_array:
        """Return the matrix of light, slopes in column and slopes in row, side by side.

        Parameters
        ----------
        scale
            What the slopes of each star are multiplied by, shape (n_stars,).

        Returns
        -------
        csc_array
            Shape (n_pixels, 3 n_stars).
        """
        import numpy as np
        from scipy.sparse import csc_array

        by_value = np.repeat(scale, np.diff(self.starts))
        values = np.concatenate(
            [self.light.value, self.light.slope_x * by_value, self.light.slope_y * by_value]
        )
        n = self.pixels.size
        starts = np.concatenate([self.starts[:-1], self.starts[:-1] + n, self.starts + 2 * n])
        size = (self.n_pixels, 3 * self.n_stars)
        return csc_array((values, np.tile(self.pixels, 3), starts), shape=size)


def design_of(
    profile: MoffatProfile,
    shape: tuple[int, int],
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    radius: NDArray[np.float64],
) -> StarDesign:
    """Lay stars out on an image.

    Parameters
    ----------
    profile
        The point-spread function.
    shape
        Rows and columns of the image.
    x, y
        Places of the stars, shape (n,), the centre of the first pixel being 0.
    radius
        How far each star's light is followed, shape (n,) [pixel].
    """
    import numpy as np

    stamps = [
        _stamp(shape, float(column), float(row), float(reach))
        for column, row, reach in zip(x, y, radius, strict=True)
    ]
    pixels, dx, dy = (np.concatenate(parts) for parts in zip(*stamps, strict=True))
    starts = np.cumsum([0, *(stamp[0].size for stamp in stamps)])
    light = profile.light(dx, dy)
    radial_slope = dx * light.slope_x + dy * light.slope_y
    return StarDesign(shape[0] * shape[1], starts, pixels, light, radial_slope)


def fitted_radius(
    profile: MoffatProfile, flux: NDArray[np.float64], pixel_noise: float
) -> NDArray[np.float64]:
    """Return within what radius stars are worth fitting.

    Parameters
    ----------
    profile
        The point-spread function.
    flux
        Shape (n,) [electron].
    pixel_noise
        Noise of a pixel of sky [electron].

    Returns
    -------
    ndarray
        Shape (n,) [pixel]: where the light is a tenth of the noise, at least
        1.75 full widths.
    """
    return _radius(profile, flux, 0.1 * pixel_noise, least_widths=1.75, most_widths=8.0)


def whole_radius(
    profile: MoffatProfile, flux: NDArray[np.float64], pixel_noise: float
) -> NDArray[np.float64]:
    """Return out to what radius stars must be subtracted.

    Parameters
    ----------
    profile, flux, pixel_noise
        As for `fitted_radius`.

    Returns
    -------
    ndarray
        Shape (n,) [pixel]: where the light is a hundredth of the noise, at
        least 2 full widths. Beyond, it is lost even in the mean of a hundred pixels.
    """
    return _radius(profile, flux, 0.01 * pixel_noise, least_widths=2.0, most_widths=16.0)


def _radius(
    profile: MoffatProfile,
    flux: NDArray[np.float64],
    light: float,
    *,
    least_widths: float,
    most_widths: float,
) -> NDArray[np.float64]:
    """Return where a pixel has a given light, within limits [pixel]."""
    import numpy as np

    relative = np.minimum(light / np.maximum(np.abs(flux) * profile.peak, 1e-30), 1.0)
    radius = profile.alpha * np.sqrt(relative ** (-1.0 / profile.beta) - 1.0)
    return np.asarray(np.clip(radius, least_widths * profile.fwhm, most_widths * profile.fwhm))


def _stamp(
    shape: tuple[int, int], x: float, y: float, radius: float
) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """Return the pixels within a radius, counted row by row, and their offsets."""
    import numpy as np

    ny, nx = shape
    columns = np.arange(max(0, math.ceil(x - radius)), min(nx, math.floor(x + radius) + 1))
    rows = np.arange(max(0, math.ceil(y - radius)), min(ny, math.floor(y + radius) + 1))
    dx, dy = np.meshgrid(columns - x, rows - y)
    inside = dx * dx + dy * dy <= radius * radius
    return np.add.outer(rows * nx, columns)[inside], dx[inside], dy[inside]
