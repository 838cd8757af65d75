"""Making shapes on the sphere from angles in degrees.

The shapes are `lsst.sphgeom`'s; that and numpy are imported by the functions
that use them. Relates nothing and stores nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from butler_core.errors import RegionError

if TYPE_CHECKING:
    import numpy as np
    from lsst.sphgeom import Region
    from numpy.typing import ArrayLike, NDArray

_POLYGON_TYPE = b"p"
# Corners that turn by less than this sine are left to sphgeom's exact arithmetic.
_CONVEX_TOLERANCE = 1e-12


def from_ivoa_pos(text: str) -> Region:
    """Read a region in the notation of IVOA's SIAv2 ``POS``.

    Parameters
    ----------
    text
        ``CIRCLE lon lat radius``, ``RANGE lon1 lon2 lat1 lat2`` or
        ``POLYGON lon1 lat1 ...`` [deg].

    Returns
    -------
    lsst.sphgeom.Region
        The region.

    Raises
    ------
    RegionError
        If the text is no such region.
    """
    from lsst.sphgeom import Region

    try:
        return Region.from_ivoa_pos(text)
    except ValueError as error:
        raise RegionError(
            f"{text!r} is no region: {error}. Write CIRCLE lon lat radius, RANGE lon1 lon2 lat1 "
            "lat2 or POLYGON lon1 lat1 lon2 lat2 lon3 lat3 ..., in degrees."
        ) from error


def circle(ra_deg: float, dec_deg: float, radius_deg: float) -> Region:
    """Make a circle.

    Parameters
    ----------
    ra_deg, dec_deg
        Its centre [deg].
    radius_deg
        From the centre to the edge [deg], 0 to 180.

    Returns
    -------
    lsst.sphgeom.Circle
        The circle.

    Raises
    ------
    RegionError
        If the numbers are no circle.
    """
    from lsst.sphgeom import Angle, Circle, UnitVector3d

    if not 0.0 <= radius_deg <= 180.0:
        raise RegionError(f"a circle's radius is 0 to 180 degrees, not {radius_deg!r}")
    return Circle(UnitVector3d(_lon_lat(ra_deg, dec_deg)), Angle.fromDegrees(radius_deg))


def box(ra_deg: float, dec_deg: float, width_deg: float, height_deg: float) -> Region:
    """Make a box between two meridians and two parallels.

    Parameters
    ----------
    ra_deg, dec_deg
        Its centre [deg].
    width_deg
        Difference of longitude of its sides [deg], 0 to 360; no length on the
        sphere.
    height_deg
        Difference of latitude of its upper and lower edge [deg], 0 to 180;
        what would lie beyond a pole is cut off.

    Returns
    -------
    lsst.sphgeom.Box
        The box.

    Raises
    ------
    RegionError
        If the numbers are no box.
    """
    from lsst.sphgeom import Angle, Box

    if not (0.0 <= width_deg <= 360.0 and 0.0 <= height_deg <= 180.0):
        raise RegionError(
            f"a box is 0 to 360 degrees wide and 0 to 180 high, not {width_deg!r} by {height_deg!r}"
        )
    half_width, half_height = Angle.fromDegrees(width_deg / 2), Angle.fromDegrees(height_deg / 2)
    return Box(_lon_lat(ra_deg, dec_deg), half_width, half_height)


def polygon(lon_lat_deg: ArrayLike) -> Region:
    """Make the convex hull of points.

    Parameters
    ----------
    lon_lat_deg
        Longitudes and latitudes, shape (n, 2), n >= 3 [deg].

    Returns
    -------
    lsst.sphgeom.ConvexPolygon
        The hull; the polygon itself if it is convex.

    Raises
    ------
    RegionError
        If the points are too few, in one line, or not within a hemisphere.
    """
    import numpy as np
    from lsst.sphgeom import ConvexPolygon, UnitVector3d

    points = np.asarray(lon_lat_deg, dtype=np.float64)
    if points.ndim != 2 or points.shape[1] != 2:
        raise RegionError(f"polygon corners have the shape (n, 2), not {points.shape}")
    corners = [UnitVector3d(_lon_lat(lon, lat)) for lon, lat in points.tolist()]
    try:
        return ConvexPolygon(corners)
    except ValueError as error:
        raise RegionError(f"{points.tolist()} is no polygon: {error}") from error


def union(regions: Sequence[Region]) -> Region:
    """Join regions into one.

    Parameters
    ----------
    regions
        One or more.

    Returns
    -------
    lsst.sphgeom.UnionRegion
        What lies in any of them.

    Raises
    ------
    RegionError
        If there are none.
    """
    from lsst.sphgeom import UnionRegion

    if not regions:
        raise RegionError("a union of no regions was asked for")
    return UnionRegion(*regions)


def encode_quads(corners_deg: ArrayLike) -> list[bytes]:
    """Make many four-cornered polygons at once, encoded.

    Corners that are convex and counterclockwise, seen from outside the sphere,
    are written straight into bytes; the rest goes through `polygon`. Both ways
    give the bytes of ``lsst.sphgeom.ConvexPolygon`` of the same corners.

    Parameters
    ----------
    corners_deg
        Longitudes and latitudes, shape (n, 4, 2) [deg].

    Returns
    -------
    list of bytes
        One encoded polygon for each row.

    Raises
    ------
    RegionError
        If the shape is another, or a row is no polygon.
    """
    import numpy as np

    corners = np.asarray(corners_deg, dtype=np.float64)
    if corners.ndim != 3 or corners.shape[1:] != (4, 2):
        raise RegionError(
            f"corners of quadrilaterals have the shape (n, 4, 2), not {corners.shape}"
        )
    vectors = _unit_vectors(corners)
    sides = np.cross(vectors, np.roll(vectors, -1, axis=1))
    # Every other corner lies left of a side, clearly: then the polygon is convex as it stands.
    next_but_one = np.einsum("nij,nij->ni", sides, np.roll(vectors, -2, axis=1))
    before = np.einsum("nij,nij->ni", sides, np.roll(vectors, 1, axis=1))
    is_valid = (np.abs(corners[..., 1]) <= 90.0).all(axis=1)
    is_plain = is_valid & (np.minimum(next_but_one, before) > _CONVEX_TOLERANCE).all(axis=1)
    rows = vectors.astype("<f8").reshape(len(vectors), 12)
    return [
        _POLYGON_TYPE + row.tobytes() if plain else polygon(quad).encode()
        for row, plain, quad in zip(rows, is_plain.tolist(), corners, strict=True)
    ]


def polygons_from_corners(corners_deg: ArrayLike) -> list[Region]:
    """Make many four-cornered polygons at once.

    Parameters
    ----------
    corners_deg
        Longitudes and latitudes, shape (n, 4, 2) [deg].

    Returns
    -------
    list of lsst.sphgeom.ConvexPolygon
        One polygon for each row.

    Raises
    ------
    RegionError
        As `encode_quads` does.
    """
    from lsst.sphgeom import Region

    return [Region.decode(encoded) for encoded in encode_quads(corners_deg)]


def _unit_vectors(lon_lat_deg: NDArray[np.float64]) -> NDArray[np.float64]:
    """Turn longitudes and latitudes, shape (..., 2) [deg], into vectors, shape (..., 3)."""
    import numpy as np

    lon, lat = np.moveaxis(np.deg2rad(lon_lat_deg), -1, 0)
    return np.stack([np.cos(lon) * np.cos(lat), np.sin(lon) * np.cos(lat), np.sin(lat)], axis=-1)


def _lon_lat(lon_deg: float, lat_deg: float) -> Any:
    from lsst.sphgeom import LonLat

    if not (abs(lat_deg) <= 90.0 and abs(lon_deg) < float("inf")):
        raise RegionError(f"({lon_deg!r}, {lat_deg!r}) is no longitude and latitude in degrees")
    return LonLat.fromDegrees(lon_deg, lat_deg)
