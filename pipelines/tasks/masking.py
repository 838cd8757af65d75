"""Which pixels are not to be trusted, as bits of named planes.

Knows defects, saturation and calibrations' masks. Finds no cosmic ray (see
``cosmic_rays``).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from astropy.table import Table
    from numpy.typing import NDArray

    from butler_core.formatters.mask_planes import MaskPlanes

#: Spellings of the columns of a defect: first column, first row, columns, rows.
_CORNER_COLUMNS = (("x0", "y0", "width", "height"), ("x0", "y0", "nx", "ny"))


def set_plane(
    mask: NDArray[np.int32], planes: MaskPlanes, name: str, where: NDArray[np.bool_]
) -> None:
    """Set a plane's bit where a condition holds.

    Parameters
    ----------
    mask
        Bits, shape (ny, nx), int32; changed in place.
    planes
        What the bits are called.
    name
        The plane.
    where
        Same shape.
    """
    mask[where] |= planes.bits(name)


def grown(where: NDArray[np.bool_], radius: int) -> NDArray[np.bool_]:
    """Return a condition and its surroundings.

    Parameters
    ----------
    where
        Shape (ny, nx).
    radius
        By how far to grow, with square corners [pixel].
    """
    import numpy as np
    from scipy.ndimage import maximum_filter

    if radius == 0 or not where.any():
        return where
    return np.asarray(maximum_filter(where, size=2 * radius + 1))


def defect_mask(defects: Table, shape: tuple[int, int], xy0: tuple[int, int]) -> NDArray[np.bool_]:
    """Return where defects are in an image.

    Parameters
    ----------
    defects
        Rectangles, one a row: either columns ``x0, y0, width, height`` (or
        ``nx, ny``), zero-based; or a FITS region table with ``X, Y`` (the
        centre, one-based), ``SHAPE`` and ``R`` (the extents), of which boxes
        and points are understood (Rots, FITS region binary tables, 1.2).
    shape
        Rows and columns of the image.
    xy0
        Column and row of its first pixel in the detector that the defects
        are given for [pixel].

    Raises
    ------
    ValueError
        If the table has neither set of columns, or another shape in it.
    """
    import numpy as np

    mask = np.zeros(shape, dtype=bool)
    for x0, y0, nx, ny in _rectangles(defects):
        left, bottom = max(0, x0 - xy0[0]), max(0, y0 - xy0[1])
        right, top = max(0, x0 - xy0[0] + nx), max(0, y0 - xy0[1] + ny)
        mask[bottom:top, left:right] = True
    return mask


def _rectangles(defects: Table) -> Iterator[tuple[int, int, int, int]]:
    """Yield first column, first row, columns and rows of each defect."""
    by_lower = {str(name).lower(): name for name in defects.colnames}
    for spelling in _CORNER_COLUMNS:
        if set(spelling) <= set(by_lower):
            for row in defects:
                x0, y0, nx, ny = (int(row[by_lower[name]]) for name in spelling)
                yield x0, y0, nx, ny
            return
    if not {"x", "y", "shape", "r"} <= set(by_lower):
        raise ValueError(
            f"a table of defects has columns {', '.join(defects.colnames)}; it needs x0, y0, width "
            "and height, or X, Y, SHAPE and R."
        )
    for row in defects:
        yield _region(row, by_lower)


def _region(row: Any, names: dict[str, str]) -> tuple[int, int, int, int]:
    """Turn a row of a FITS region table into a rectangle of whole pixels."""
    import numpy as np

    given = row[names["shape"]]
    kind = (given.decode() if isinstance(given, bytes) else str(given)).strip().upper()
    if kind not in {"BOX", "POINT", "ROTBOX"}:
        raise ValueError(f"a defect has the shape {kind!r}; only BOX, ROTBOX and POINT are known.")
    nx, ny = (1, 1) if kind == "POINT" else np.rint(np.atleast_1d(row[names["r"]])[:2]).astype(int)
    x0 = int(np.rint(row[names["x"]] - (nx + 1) / 2.0))
    y0 = int(np.rint(row[names["y"]] - (ny + 1) / 2.0))
    return x0, y0, int(nx), int(ny)
