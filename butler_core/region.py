"""Regions on the sphere, over `lsst.sphgeom`, one at a time or as columns.

Encoded regions are sphgeom's own bytes, as daf_butler stores them. What
`region_shapes` and `skypix` do is offered here too. `lsst.sphgeom` and numpy are
imported by the functions that use them. Knows nothing of dimensions and stores
nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from butler_core.errors import RegionError
from butler_core.region_shapes import (
    box,
    circle,
    encode_quads,
    from_ivoa_pos,
    polygon,
    polygons_from_corners,
    union,
)
from butler_core.skypix import (
    COMMON_LEVEL,
    COMMON_SYSTEM,
    skypix_envelope,
    skypix_pixel_region,
    skypix_pixelization,
)

if TYPE_CHECKING:
    import numpy as np
    from lsst.sphgeom import Region
    from numpy.typing import ArrayLike, NDArray

__all__ = [
    "COMMON_LEVEL",
    "COMMON_SYSTEM",
    "box",
    "circle",
    "decode",
    "encode",
    "encode_quads",
    "envelopes",
    "from_ivoa_pos",
    "htm7_envelope",
    "overlapping_pairs",
    "overlaps",
    "polygon",
    "polygons_from_corners",
    "skypix_envelope",
    "skypix_pixel_region",
    "skypix_pixelization",
    "union",
]

_POLYGON_TYPE = b"p"
# A decoded vertex further than this from length 1 is no direction; sphgeom's own are within 1e-15.
_UNIT_TOLERANCE = 1e-9


def encode(region: Region) -> bytes:
    """Write a region as bytes.

    Parameters
    ----------
    region
        Any `lsst.sphgeom.Region`.

    Returns
    -------
    bytes
        sphgeom's encoding.
    """
    encoded: bytes = region.encode()
    return encoded


def decode(encoded: bytes) -> Region:
    """Read a region from its bytes.

    Parameters
    ----------
    encoded
        What `encode` gave.

    Returns
    -------
    lsst.sphgeom.Region
        The region.

    Raises
    ------
    RegionError
        If the bytes are no region, or a polygon whose vertices are no
        directions.
    """
    from lsst.sphgeom import Region

    try:
        region = Region.decode(encoded)
    except (RuntimeError, ValueError, TypeError) as error:
        raise RegionError(f"{encoded[:12]!r}... is no encoded region: {error}") from error
    if encoded[:1] == _POLYGON_TYPE:
        _require_directions(encoded)
    return region


def _require_directions(encoded: bytes) -> None:
    """Refuse polygons that sphgeom reads without looking, and that would break later."""
    import numpy as np

    vertices = np.frombuffer(encoded, dtype="<f8", offset=1).reshape(-1, 3)
    if not np.all(np.abs(np.einsum("ij,ij->i", vertices, vertices) - 1.0) < _UNIT_TOLERANCE):
        raise RegionError(
            "an encoded polygon has vertices that are no unit vectors; its bytes are broken."
        )


def overlaps(one: Region, other: Region) -> bool:
    """Say whether two regions have a point in common, as far as sphgeom can tell.

    Parameters
    ----------
    one, other
        The regions.

    Returns
    -------
    bool
        False only where ``relate`` calls them disjoint; regions that touch
        overlap.
    """
    from lsst.sphgeom import DISJOINT

    return not one.relate(other) & DISJOINT


def overlapping_pairs(
    regions_a: Sequence[bytes], regions_b: Sequence[bytes], index_a: ArrayLike, index_b: ArrayLike
) -> NDArray[np.bool_]:
    """Say of many pairs whether they overlap, decoding each region once.

    Parameters
    ----------
    regions_a, regions_b
        Encoded regions.
    index_a, index_b
        Positions in ``regions_a`` and ``regions_b`` of each pair, shape (n,).

    Returns
    -------
    numpy.ndarray
        As `overlaps` says of each pair, shape (n,), bool.

    Raises
    ------
    RegionError
        If a region that some pair names cannot be decoded.
    """
    import numpy as np
    from lsst.sphgeom import DISJOINT

    first = np.asarray(index_a, dtype=np.int64)
    second = np.asarray(index_b, dtype=np.int64)
    decoded_a = {i: decode(regions_a[i]) for i in np.unique(first).tolist()}
    decoded_b = {i: decode(regions_b[i]) for i in np.unique(second).tolist()}
    pairs = zip(first.tolist(), second.tolist(), strict=True)
    relations = [decoded_a[i].relate(decoded_b[j]) for i, j in pairs]
    are_disjoint = np.array(relations, dtype=np.int64) & DISJOINT
    pairs_overlap: NDArray[np.bool_] = are_disjoint == 0
    return pairs_overlap


def htm7_envelope(region: Region) -> NDArray[np.int64]:
    """List the pixels of the common system that a region may touch.

    Parameters
    ----------
    region
        The region.

    Returns
    -------
    numpy.ndarray
        HTM indices of level 7, ascending, shape (n,), int64.
    """
    return skypix_envelope(region, COMMON_SYSTEM, COMMON_LEVEL)


def envelopes(
    encoded: Sequence[bytes], *, system: str = COMMON_SYSTEM, level: int = COMMON_LEVEL
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """List the pixels that each of many regions may touch, as two columns.

    Parameters
    ----------
    encoded
        Encoded regions.
    system, level
        The skypix system and its level.

    Returns
    -------
    tuple of numpy.ndarray
        Position in ``encoded`` and pixel index, both shape (m,), int64, ordered
        by the first and then the second.

    Raises
    ------
    RegionError
        If a region cannot be decoded.
    """
    import numpy as np

    pixels = [skypix_envelope(decode(one), system, level) for one in encoded]
    rows = np.repeat(np.arange(len(pixels), dtype=np.int64), [len(some) for some in pixels])
    return rows, np.concatenate([np.empty(0, dtype=np.int64), *pixels])
