"""Pixels of the sky: which ones a region may touch, and what shape they have.

A skypix system and level are named together as their dimension is: ``htm7``,
``healpix9``. Indices are `lsst.sphgeom`'s (HEALPix: nested order). Knows nothing
of dimensions and stores nothing.
"""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING, Any

from butler_core.errors import RegionError

if TYPE_CHECKING:
    import numpy as np
    from lsst.sphgeom import Region
    from numpy.typing import NDArray

#: The skypix system that overlaps are stored in, as in daf_butler's universe.
COMMON_SYSTEM = "htm"
#: The level of `COMMON_SYSTEM` that overlaps are stored at.
COMMON_LEVEL = 7

_NAME = re.compile(r"([a-z]+[a-z0-9]*?)(\d{1,2})")
_CLASSES = {
    "htm": "HtmPixelization",
    "healpix": "HealpixPixelization",
    "mq3c": "Mq3cPixelization",
    "q3c": "Q3cPixelization",
}


def skypix_pixelization(name: str) -> Any:
    """Look up a pixelization by its dimension's name.

    Parameters
    ----------
    name
        System and level, such as ``"htm7"`` or ``"healpix9"``.

    Returns
    -------
    lsst.sphgeom.Pixelization
        The same object for the same name.

    Raises
    ------
    RegionError
        If there is no such system or level.
    """
    match = _NAME.fullmatch(name)
    if match is None:
        raise RegionError(f"{name!r} is no skypix system and level, such as 'htm7' or 'healpix9'")
    return _pixelization(match[1], int(match[2]))


@functools.cache
def _pixelization(system: str, level: int) -> Any:
    import lsst.sphgeom

    if system not in _CLASSES:
        raise RegionError(f"there is no skypix system {system!r}; there are {', '.join(_CLASSES)}")
    pixelization_class = getattr(lsst.sphgeom, _CLASSES[system])
    if not 0 <= level <= pixelization_class.MAX_LEVEL:
        raise RegionError(
            f"{system} has the levels 0 to {pixelization_class.MAX_LEVEL}, not {level}"
        )
    return pixelization_class(level)


def skypix_envelope(region: Region, system: str, level: int) -> NDArray[np.int64]:
    """List the pixels that a region may touch.

    Parameters
    ----------
    region
        The region.
    system, level
        The skypix system and its level.

    Returns
    -------
    numpy.ndarray
        Indices, ascending, shape (n,), int64. No pixel that has a point in
        common with the region is left out; a few that have none may be in.

    Raises
    ------
    RegionError
        If there is no such system or level.
    """
    import numpy as np

    if _is_empty(region):
        return np.empty(0, dtype=np.int64)
    bounds = np.array(_envelope(region, system, level).ranges(), dtype=np.int64).reshape(-1, 2)
    lengths = bounds[:, 1] - bounds[:, 0]
    # Each pixel is its range's begin plus its place in the range.
    places = np.arange(lengths.sum()) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    pixels: NDArray[np.int64] = np.repeat(bounds[:, 0], lengths) + places
    return pixels


def _is_empty(region: Region) -> bool:
    """Say whether a region has no points. sphgeom's own ``isEmpty`` is true of every polygon."""
    from lsst.sphgeom import Box, Circle, Ellipse

    return isinstance(region, Box | Circle | Ellipse) and bool(region.isEmpty())


def _envelope(region: Region, system: str, level: int) -> Any:
    """Ask sphgeom, which knows no HEALPix pixels of regions made of others."""
    from lsst.sphgeom import CompoundRegion, RangeSet, UnionRegion

    if system != "healpix" or not isinstance(region, CompoundRegion):
        return _pixelization(system, level).envelope(region)
    parts = [RangeSet() if _is_empty(part) else _envelope(part, system, level) for part in region]
    if isinstance(region, UnionRegion):
        return functools.reduce(RangeSet.union, parts)
    return functools.reduce(RangeSet.intersection, parts)


def skypix_pixel_region(system: str, level: int, index: int) -> Region:
    """Make the region of a pixel.

    Parameters
    ----------
    system, level
        The skypix system and its level.
    index
        The pixel.

    Returns
    -------
    lsst.sphgeom.ConvexPolygon
        The pixel's shape; for HEALPix, whose sides are curves, a polygon close
        to it.

    Raises
    ------
    RegionError
        If there is no such system, level or pixel.
    """
    pixelization = _pixelization(system, level)
    ranges = pixelization.universe().ranges()
    if not any(begin <= index < end for begin, end in ranges):
        known = ", ".join(f"{begin} to {end - 1}" for begin, end in ranges)
        raise RegionError(f"{system}{level} has the pixels {known}, not {index}")
    region: Region = pixelization.pixel(index)
    return region
