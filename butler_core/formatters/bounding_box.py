"""A rectangle of pixels, and how read parameters spell one.

Coordinates are those of the parent image (usually the detector), zero-based.
Reads no image.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from butler_core.errors import ParameterError


@dataclass(frozen=True, order=True)
class BoundingBox:
    """A rectangle of whole pixels, at least one by one."""

    #: First column [pixel, zero-based].
    x0: int
    #: First row [pixel, zero-based].
    y0: int
    #: Number of columns [pixel].
    nx: int
    #: Number of rows [pixel].
    ny: int

    def __post_init__(self) -> None:
        if self.nx < 1 or self.ny < 1:
            raise ParameterError(f"a box of {self.nx} x {self.ny} pixels holds no pixel.")

    @classmethod
    def parse(cls, given: Any) -> BoundingBox:
        """Make a box of what a caller gave.

        Parameters
        ----------
        given
            A box; a mapping or an object with ``x0, y0, nx, ny``; four whole
            numbers in that order; or an object with the methods ``getMinX,
            getMinY, getWidth, getHeight`` (``lsst.geom.Box2I``).

        Raises
        ------
        ParameterError
            If it is none of these.
        """
        if isinstance(given, cls):
            return given
        keys = ("x0", "y0", "nx", "ny")
        if isinstance(given, Mapping) and set(given) == set(keys):
            values = [given[key] for key in keys]
        elif all(hasattr(given, key) for key in keys):
            values = [getattr(given, key) for key in keys]
        elif hasattr(given, "getMinX"):
            values = [
                getattr(given, name)() for name in ("getMinX", "getMinY", "getWidth", "getHeight")
            ]
        elif isinstance(given, (str, bytes, Mapping)) or not hasattr(given, "__iter__"):
            values = []
        else:
            values = list(given)
        if len(values) != len(keys) or any(value != int(value) for value in values):
            raise ParameterError(
                f"bbox={given!r} is no box; give whole numbers (x0, y0, nx, ny), the first column "
                "and row and the size."
            )
        return cls(*(int(value) for value in values))

    @property
    def slices(self) -> tuple[slice, slice]:
        """Row and column slices of an array whose corner is at (0, 0)."""
        return slice(self.y0, self.y0 + self.ny), slice(self.x0, self.x0 + self.nx)

    def shifted(self, dx: int, dy: int) -> BoundingBox:
        """Return the box moved by whole pixels.

        Parameters
        ----------
        dx
            Columns to move by [pixel].
        dy
            Rows to move by [pixel].
        """
        return BoundingBox(self.x0 + dx, self.y0 + dy, self.nx, self.ny)

    def contains(self, other: BoundingBox) -> bool:
        """Tell whether another box lies wholly in this one.

        Parameters
        ----------
        other
            The other box.
        """
        return (
            self.x0 <= other.x0
            and self.y0 <= other.y0
            and other.x0 + other.nx <= self.x0 + self.nx
            and other.y0 + other.ny <= self.y0 + self.ny
        )


def requested_box(parameters: Mapping[str, Any], whole: BoundingBox) -> BoundingBox:
    """Return the box that read parameters ask for, in parent coordinates.

    Parameters
    ----------
    parameters
        May hold ``bbox`` and ``origin`` (``"PARENT"``, the default, or
        ``"LOCAL"``: counted from the image's own corner).
    whole
        What the file holds, in parent coordinates.

    Returns
    -------
    BoundingBox
        The whole, if no box is asked for.

    Raises
    ------
    ParameterError
        If the box leaves the image or the origin is unknown.
    """
    origin = getattr(parameters.get("origin", "PARENT"), "name", parameters.get("origin", "PARENT"))
    if str(origin).upper() not in {"PARENT", "LOCAL"}:
        raise ParameterError(f"origin={origin!r} is unknown; use 'PARENT' or 'LOCAL'.")
    if parameters.get("bbox") is None:
        return whole
    box = BoundingBox.parse(parameters["bbox"])
    if str(origin).upper() == "LOCAL":
        box = box.shifted(whole.x0, whole.y0)
    if not whole.contains(box):
        raise ParameterError(
            f"{box} in {str(origin).upper()} coordinates reaches outside the image, which is "
            f"{whole}."
        )
    return box
