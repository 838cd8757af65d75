"""The image in memory: `astropy.nddata.CCDData` with named mask bits, PSF and origin.

Reads and writes no file: see ``fits_image``.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from astropy.nddata import CCDData, VarianceUncertainty
from numpy.typing import NDArray

from butler_core.formatters.bounding_box import BoundingBox
from butler_core.formatters.mask_planes import MaskPlanes

#: Unit of an image that says none: calibration frames of Rubin's before it wrote BUNIT, and raws.
DEFAULT_UNIT = "adu"


@dataclass(frozen=True)
class FilterLabel:
    """The filter of an observation."""

    #: Instrument's own name of the filter, or None.
    physical: str | None = None
    #: Generic band (``"r"``), or None.
    band: str | None = None

    @classmethod
    def from_mapping(cls, given: Mapping[str, str | None]) -> FilterLabel:
        """Make a label of a mapping with the keys ``physical`` and ``band``.

        Parameters
        ----------
        given
            One or both of the keys.
        """
        return cls(physical=given.get("physical"), band=given.get("band"))

    def __str__(self) -> str:
        return self.physical or self.band or "unknown"


class Exposure(CCDData):  # type: ignore[misc] # astropy ships no types
    """An image with mask, variance, WCS and PSF.

    Slicing, copying and arithmetic keep the mask's bits, the PSF and the
    origin; masks of two operands are joined bit by bit, by plane name. As in
    `~astropy.nddata.CCDData`, arithmetic drops ``meta`` unless ``handle_meta``
    says otherwise.

    Parameters
    ----------
    data
        Pixels, shape (ny, nx), or another `CCDData`. NaN marks no value.
    variance
        Variance of the pixels, same shape [unit squared].
    mask_planes
        Names of the mask's bits; the default ones if not given.
    xy0
        Column and row of the first pixel in the parent image [pixel].
    **kwargs
        As for `CCDData`: ``unit`` (required unless ``data`` has one), ``mask``
        (integers; booleans become the plane BAD), ``wcs`` (relative to this
        array's own first pixel), ``meta``, ``uncertainty``, ``psf`` (an array,
        a table or a dict).
    """

    def __init__(
        self,
        data: Any,
        *,
        variance: NDArray[Any] | None = None,
        mask_planes: Mapping[str, int] | None = None,
        xy0: tuple[int, int] | None = None,
        **kwargs: Any,
    ) -> None:
        if mask_planes is None:
            mask_planes = getattr(data, "mask_planes", None)
        if xy0 is None:
            xy0 = getattr(data, "xy0", (0, 0))
        # Rule: set before the parent's constructor, whose mask setter needs them.
        self.mask_planes = (
            mask_planes if isinstance(mask_planes, MaskPlanes) else MaskPlanes(mask_planes)
        )
        self.xy0 = (int(xy0[0]), int(xy0[1]))
        if variance is not None:
            kwargs["uncertainty"] = VarianceUncertainty(variance)
        super().__init__(data, **kwargs)

    @classmethod
    def from_ccddata(cls, image: CCDData) -> Exposure:
        """Make an exposure of astropy's image; a boolean mask becomes the plane BAD.

        Parameters
        ----------
        image
            Shares its arrays with the result.
        """
        return cls(image)

    @classmethod
    def from_array(cls, array: NDArray[Any]) -> Exposure:
        """Make an exposure of bare pixels, in adu.

        Parameters
        ----------
        array
            Pixels, shape (ny, nx).
        """
        if array.ndim != 2 or array.dtype.names is not None:
            raise ValueError(f"an image has two axes, not the shape {array.shape} {array.dtype}")
        return cls(array, unit=DEFAULT_UNIT)

    @property
    def mask(self) -> NDArray[np.int32] | None:
        """Mask bits, shape (ny, nx), int32, or None; see ``mask_planes``."""
        found: NDArray[np.int32] | None = self._mask
        return found

    @mask.setter
    def mask(self, value: Any) -> None:
        if value is None or value is np.ma.nomask:
            self._mask = None
            return
        array = np.asarray(value)
        if array.shape != self.data.shape:
            raise ValueError(f"a mask of shape {array.shape} fits no image of {self.data.shape}")
        bad = self.mask_planes.get("BAD", 0) if array.dtype == bool else 0
        bits = array.astype(np.int32, copy=False)
        self._mask = bits << bad if bad else bits

    @property
    def psf(self) -> Any:
        """Point-spread function: an array, a table, a dict or None."""
        return self._psf

    @psf.setter
    def psf(self, value: Any) -> None:
        self._psf = value

    @property
    def variance(self) -> NDArray[Any] | None:
        """Variance of the pixels, shape (ny, nx) [unit squared], or None."""
        if self.uncertainty is None:
            return None
        found: NDArray[Any] = self.uncertainty.represent_as(VarianceUncertainty).array
        return found

    @property
    def bbox(self) -> BoundingBox:
        """Where the pixels lie in the parent image."""
        ny, nx = self.data.shape
        return BoundingBox(self.xy0[0], self.xy0[1], nx, ny)

    def is_masked(self, *names: str) -> NDArray[np.bool_]:
        """Tell for each pixel whether any of the planes is set.

        Parameters
        ----------
        *names
            Planes; any at all, if none is given.

        Returns
        -------
        numpy.ndarray
            Shape (ny, nx), bool; all False if there is no mask.
        """
        if self.mask is None:
            return np.zeros(self.data.shape, dtype=bool)
        if not names:
            return np.asarray(self.mask != 0)
        return np.asarray((self.mask & self.mask_planes.bits(*names)) != 0)

    def cutout(self, bbox: Any) -> Exposure:
        """Return the part in a box given in parent coordinates.

        Parameters
        ----------
        bbox
            A box as `BoundingBox.parse` takes it, wholly inside the image.
        """
        box = BoundingBox.parse(bbox)
        if not self.bbox.contains(box):
            raise ValueError(f"{box} reaches outside the image, which is {self.bbox}")
        part: Exposure = self[box.shifted(-self.xy0[0], -self.xy0[1]).slices]
        return part

    def to_ccddata(self) -> CCDData:
        """Return a plain `CCDData` that shares the arrays, with a boolean mask."""
        return CCDData(
            self.data,
            unit=self.unit,
            mask=None if self.mask is None else self.mask != 0,
            uncertainty=self.uncertainty,
            wcs=self.wcs,
            meta=self.meta,
        )

    def _own_parts(self) -> dict[str, Any]:
        """Keywords that carry to a derived exposure what `CCDData` knows nothing of."""
        return {"mask_planes": self.mask_planes, "xy0": self.xy0, "psf": self.psf}

    def _slice(self, item: Any) -> dict[str, Any]:
        """Slice every part, and move the origin along."""
        sliced: dict[str, Any] = super()._slice(item)
        rows, columns = (item if isinstance(item, tuple) else (item, slice(None)))[:2]
        x0, y0 = self.xy0
        ny, nx = self.data.shape[:2]
        if isinstance(rows, slice):
            y0 += rows.indices(ny)[0]
        if isinstance(columns, slice):
            x0 += columns.indices(nx)[0]
        return {**sliced, **self._own_parts(), "xy0": (x0, y0)}

    def _arithmetic(
        self, operation: Any, operand: Any, *args: Any, **kwargs: Any
    ) -> tuple[Any, dict[str, Any]]:
        """Combine with another image; masks by bit, ours the origin and the PSF."""
        other = _without_psf(operand)
        planes = self.mask_planes
        if isinstance(other, Exposure) and other.mask is not None:
            for name in other.mask_planes:
                planes = planes.with_plane(name)
            other.mask = other.mask_planes.translate(other.mask, planes)
        kwargs.setdefault("handle_mask", np.bitwise_or)
        if kwargs["handle_mask"] is np.logical_or:
            kwargs["handle_mask"] = np.bitwise_or
        result, parts = super(Exposure, _without_psf(self))._arithmetic(
            operation, other, *args, **kwargs
        )
        return result, {**parts, **self._own_parts(), "mask_planes": planes}


def _without_psf(image: Any) -> Any:
    """Shallow copy without PSF, since astropy's arithmetic warns that it drops one."""
    if not isinstance(image, Exposure):
        return image
    plain = copy.copy(image)
    plain.psf = None
    return plain
