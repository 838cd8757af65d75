"""Zenithal projections between the sky and a tract's pixels, for many tracts at once.

Formulae: Calabretta & Greisen 2002, A&A 395, 1077, sections 5.1.1 to 5.1.8.
Pixel (0, 0) here is the point of projection; +X is west and +Y north, turned by
the rotation.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

#: Radius in the plane from the angle to the centre, both [rad], and back.
_RADII: dict[str, tuple[Callable[[Floats], Floats], Callable[[Floats], Floats]]] = {
    "TAN": (np.tan, np.arctan),
    "STG": (lambda c: 2.0 * np.tan(c / 2.0), lambda r: 2.0 * np.arctan(r / 2.0)),
    "ZEA": (lambda c: 2.0 * np.sin(c / 2.0), lambda r: 2.0 * np.arcsin(r / 2.0)),
    "ARC": (lambda c: c, lambda r: r),
    "SIN": (np.sin, np.arcsin),
}


class Projection:
    """A projection with its scale and rotation.

    Parameters
    ----------
    code
        FITS code of the projection.
    scale_rad
        Side of a pixel at the centre [rad].
    rotation_rad
        Position angle of +Y at the centre [rad].
    """

    def __init__(self, code: str, *, scale_rad: float, rotation_rad: float) -> None:
        self._to_radius, self._from_radius = _RADII[code]
        self._scale = scale_rad
        self._cos, self._sin = np.cos(rotation_rad), np.sin(rotation_rad)

    def to_pixels(self, centres: Floats, points: Floats) -> Floats:
        """Return where directions are in tracts.

        Parameters
        ----------
        centres
            Right ascension and declination of tracts' centres, shape (n, 2) [rad].
        points
            Unit vectors, shape (n, m, 3).

        Returns
        -------
        numpy.ndarray
            x and y, shape (n, m, 2) [pixel].
        """
        east, north, outward = (
            np.einsum("nmi,ni->nm", points, axis) for axis in _local_axes(centres)
        )
        sine = np.hypot(east, north)
        radius = self._to_radius(np.arctan2(sine, outward))
        ratio = np.divide(radius, sine, out=np.zeros_like(sine), where=sine > 0) / self._scale
        xi, eta = east * ratio, north * ratio
        return np.stack(
            [-self._cos * xi + self._sin * eta, self._sin * xi + self._cos * eta], axis=-1
        )

    def to_sky(self, centres: Floats, pixels: Floats) -> Floats:
        """Return where pixels are on the sky.

        Parameters
        ----------
        centres
            As for `to_pixels`.
        pixels
            x and y, shape (n, m, 2) [pixel].

        Returns
        -------
        numpy.ndarray
            Right ascension in [0, 360) and declination, shape (n, m, 2) [deg].
        """
        x, y = pixels[..., 0] * self._scale, pixels[..., 1] * self._scale
        xi, eta = -self._cos * x + self._sin * y, self._sin * x + self._cos * y
        radius = np.hypot(xi, eta)
        angle = self._from_radius(radius)
        ratio = np.divide(np.sin(angle), radius, out=np.zeros_like(radius), where=radius > 0)
        east, north, outward = _local_axes(centres)
        vectors = (
            (xi * ratio)[..., None] * east[:, None]
            + (eta * ratio)[..., None] * north[:, None]
            + np.cos(angle)[..., None] * outward[:, None]
        )
        return lon_lat_deg(vectors)


def directions(lon_lat_rad: Floats) -> Floats:
    """Turn longitudes and latitudes, shape (..., 2) [rad], into unit vectors, shape (..., 3)."""
    lon, lat = lon_lat_rad[..., 0], lon_lat_rad[..., 1]
    return np.stack([np.cos(lon) * np.cos(lat), np.sin(lon) * np.cos(lat), np.sin(lat)], axis=-1)


def lon_lat_deg(vectors: Floats) -> Floats:
    """Turn vectors, shape (..., 3), into longitudes in [0, 360) and latitudes [deg]."""
    x, y, z = np.moveaxis(vectors, -1, 0)
    lon = np.rad2deg(np.arctan2(y, x)) % 360.0
    return np.stack([lon, np.rad2deg(np.arctan2(z, np.hypot(x, y)))], axis=-1)


def offset_points(points: Floats, radius_rad: float, n_angles: int) -> Floats:
    """Return points around each of many directions.

    Parameters
    ----------
    points
        Right ascension and declination, shape (n, 2) [rad].
    radius_rad
        Angular distance of the points around [rad].
    n_angles
        Number of them, from due east on, evenly.

    Returns
    -------
    numpy.ndarray
        Unit vectors, shape (n, n_angles, 3).
    """
    east, north, outward = _local_axes(points)
    bearings = np.arange(n_angles) * (2.0 * np.pi / n_angles)
    sideways = (
        np.cos(bearings)[:, None] * east[:, None] + np.sin(bearings)[:, None] * north[:, None]
    )
    around: Floats = np.cos(radius_rad) * outward[:, None] + np.sin(radius_rad) * sideways
    return around


def _local_axes(centres: Floats) -> tuple[Floats, Floats, Floats]:
    """Return unit vectors to the east, to the north and outward, shape (n, 3) each."""
    lon, lat = centres[:, 0], centres[:, 1]
    zero = np.zeros_like(lon)
    east = np.stack([-np.sin(lon), np.cos(lon), zero], axis=-1)
    north = np.stack([-np.sin(lat) * np.cos(lon), -np.sin(lat) * np.sin(lon), np.cos(lat)], axis=-1)
    return east, north, directions(centres)
