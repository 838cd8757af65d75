"""Images as FITS files: pixels, mask, variance and PSF, each an HDU of its own.

Layout: the primary HDU has metadata only; then ``IMAGE`` (WCS, unit and
origin in its header), ``MASK`` (planes as ``MP_`` cards), ``VARIANCE`` and
``PSF``, where there are such. Files of Rubin's software and plain FITS images
are read as well. Of a component or a cut-out only the bytes needed are read.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from butler_core.errors import ParameterError, ReadFileError
from butler_core.formatters.fits_header import observation_header, origin_of, wcs_of
from butler_core.formatters.fits_opening import FitsFile, open_fits
from butler_core.formatters.formatter import ReadRequest
from butler_core.formatters.observation_facts import filter_label, photo_calib, visit_info
from butler_core.formatters.tile_compression import COMPRESSIONS

if TYPE_CHECKING:
    from butler_core.formatters.bounding_box import BoundingBox

#: Components that only Rubin's own software can decode.
_UNREADABLE = frozenset(
    {
        "apCorrMap",
        "coaddInputs",
        "detector",
        "id",
        "summaryStats",
        "transmissionCurve",
        "validPolygon",
    }
)

#: Units as cameras spell them, in lower case, and astropy's words for them.
_UNIT_SPELLINGS = {
    "adu": "adu",
    "adus": "adu",
    "counts": "count",
    "dn": "DN",
    "dns": "DN",
    "e-": "electron",
    "electrons": "electron",
    "njy": "nJy",
}


@dataclass(frozen=True)
class FitsImageFormatter:
    """Reads and writes `Exposure` and `Mask` objects.

    Parameters
    ----------
    compression
        ``"none"``, ``"gzip"`` (lossless) or ``"rice"`` (smaller; lossless for
        integers, floating-point pixels quantized to a sixteenth of their noise).
    """

    compression: str = "none"

    extension: ClassVar[str] = ".fits"
    write_parameters: ClassVar[frozenset[str]] = frozenset({"compression"})

    def __post_init__(self) -> None:
        if self.compression not in {"none", *COMPRESSIONS}:
            raise ParameterError(
                f"compression={self.compression!r} is unknown; use 'none', 'gzip' or 'rice'."
            )

    def write(self, obj: Any, path: Path) -> None:
        """Write an image.

        Parameters
        ----------
        obj
            An `Exposure`, a `Mask`, or a `CCDData`.
        path
            Where to write.
        """
        from butler_core.formatters.image_writing import write_image

        write_image(obj, path, self.compression)

    def read(self, request: ReadRequest) -> Any:
        """Read an image, a component or a cut-out.

        Parameters
        ----------
        request
            Honours the parameters ``bbox`` and ``origin``.
        """
        component = request.component
        if component in _UNREADABLE:
            raise ParameterError(
                f"component {component!r} of {request.path!r} cannot be read: it is kept in a form "
                "that only the software that wrote it decodes."
            )
        with open_fits(request) as opened:
            if component is None:
                return request.storage_class.check(_read_whole(opened, request))
            reader = _COMPONENTS.get(component)
            if reader is None:
                raise request.unknown_component(_COMPONENTS)
            return reader(opened, request)


def _read_whole(opened: FitsFile, request: ReadRequest) -> Any:
    """Read everything that the storage class has, cut out as asked."""
    from butler_core.formatters.mask_planes import Mask

    if request.storage_class.pytype is Mask:
        return _read_mask(opened, request)
    image = _read_image(opened, request)
    if "mask" not in request.storage_class.components:
        return image
    mask = _read_mask(opened, request)
    variance = _read_variance(opened, request)
    if mask is not None:
        image.mask_planes, image.mask = mask.planes, mask.array
    if variance is not None:
        from astropy.nddata import VarianceUncertainty

        image.uncertainty = VarianceUncertainty(variance.data)
    image.psf = _read_psf(opened, request)
    return image


def _read_image(opened: FitsFile, request: ReadRequest) -> Any:
    """Read the pixels alone, with metadata and WCS."""
    hdu = _pixel_hdu(opened, "IMAGE")
    return _as_exposure(hdu, opened, request)


def _read_variance(opened: FitsFile, request: ReadRequest) -> Any:
    """Read the variance as an image, or None."""
    hdu = opened.find(lambda hdu: _kind(hdu) == "VARIANCE")
    return None if hdu is None else _as_exposure(hdu, opened, request)


def _read_mask(opened: FitsFile, request: ReadRequest) -> Any:
    """Read the mask and its planes, or None."""
    from butler_core.formatters.mask_planes import Mask, MaskPlanes

    hdu = opened.find(lambda hdu: _kind(hdu) == "MASK")
    if hdu is None and request.storage_class.pytype is Mask:
        hdu = _pixel_hdu(opened, "IMAGE")
    if hdu is None:
        return None
    box = _requested(hdu, request)
    return Mask(
        _pixels(hdu, box),
        MaskPlanes.from_header(hdu.header),
        xy0=(box.x0, box.y0),
        meta=observation_header([opened.get(0).header, hdu.header]),  # type: ignore[union-attr]
    )


def _read_psf(opened: FitsFile, _request: ReadRequest) -> Any:
    """Read the PSF's array, table or row, or None."""
    hdu = opened.find(lambda hdu: hdu.name == "PSF")
    if hdu is None:
        return None
    kind = hdu.header.get("PSFKIND", "array" if hdu.is_image else "table")
    if kind == "array":
        return _native(hdu.data)
    from butler_core.formatters.fits_table import table_of

    table = table_of(hdu)
    if kind == "table":
        return table
    row = {name: table[name][0] for name in table.colnames}
    return {name: value.item() if value.ndim == 0 else value for name, value in row.items()}


def _read_wcs(opened: FitsFile, request: ReadRequest) -> Any:
    """Read the WCS, relative to the first pixel of the box asked for, or None."""
    hdu = _pixel_hdu(opened, "IMAGE")
    primary = opened.get(0)
    wcs = wcs_of([hdu.header, primary.header], request.path)  # type: ignore[union-attr]
    box = _requested(hdu, request)
    whole = _whole_box(hdu)
    if wcs is None or box == whole:
        return wcs
    return wcs[box.shifted(-whole.x0, -whole.y0).slices]


def _read_metadata(opened: FitsFile, request: ReadRequest) -> Any:
    """Read the header cards of the observation."""
    primary = opened.get(0)
    hdu = _pixel_hdu(opened, "MASK" if "Mask" in request.storage_class.pytype_name else "IMAGE")
    own = [] if hdu is primary else [hdu.header]
    return observation_header([primary.header, *own])  # type: ignore[union-attr]


def _of_header(compute: Callable[[Any], Any]) -> Callable[[FitsFile, ReadRequest], Any]:
    """Make a component reader of a function of the joined header."""
    return lambda opened, request: compute(_read_metadata(opened, request))


def _of_box(compute: Callable[[BoundingBox], Any]) -> Callable[[FitsFile, ReadRequest], Any]:
    """Make a component reader of a function of the box asked for."""
    return lambda opened, request: compute(_requested(_pixel_hdu(opened, "IMAGE"), request))


_COMPONENTS: dict[str, Callable[[FitsFile, ReadRequest], Any]] = {
    "image": _read_image,
    "mask": _read_mask,
    "variance": _read_variance,
    "psf": _read_psf,
    "wcs": _read_wcs,
    "metadata": _read_metadata,
    "filter": _of_header(filter_label),
    "visitInfo": _of_header(visit_info),
    "photoCalib": _of_header(photo_calib),
    "bbox": _of_box(lambda box: box),
    "dimensions": _of_box(lambda box: (box.nx, box.ny)),
    "xy0": _of_box(lambda box: (box.x0, box.y0)),
}


def _kind(hdu: Any) -> str:
    """Return what an HDU holds: its EXTTYPE, or its name where it has none."""
    if not hdu.is_image:
        return ""
    return str(hdu.header.get("EXTTYPE", hdu.name)).strip().upper()


def _pixel_hdu(opened: FitsFile, kind: str) -> Any:
    """Find the HDU of a kind, or the first one with a two-dimensional image."""
    found = opened.find(lambda hdu: _kind(hdu) == kind and hdu.shape != ())
    if found is None:
        found = opened.find(lambda hdu: hdu.is_image and len(hdu.shape) == 2)
    if found is None:
        raise ReadFileError(f"{opened.path!r} has no HDU with a two-dimensional image.")
    return found


def _whole_box(hdu: Any) -> BoundingBox:
    """Where the image of an HDU lies in its parent."""
    from butler_core.formatters.bounding_box import BoundingBox

    if len(hdu.shape) != 2:
        raise ReadFileError(f"HDU {hdu.name!r} has the shape {hdu.shape}, not two axes.")
    ny, nx = hdu.shape
    x0, y0 = origin_of(hdu.header)
    return BoundingBox(x0, y0, nx, ny)


def _requested(hdu: Any, request: ReadRequest) -> BoundingBox:
    """Return the box that is asked for, in parent coordinates."""
    from butler_core.formatters.bounding_box import requested_box

    return requested_box(request.take_parameters("bbox", "origin"), _whole_box(hdu))


def _pixels(hdu: Any, box: BoundingBox) -> Any:
    """Read the pixels of a box, or all of them in one go."""
    whole = _whole_box(hdu)
    if box == whole:
        return _native(hdu.data)
    return _native(hdu.section[box.shifted(-whole.x0, -whole.y0).slices])


def _native(array: Any) -> Any:
    """Copy of FITS pixels in this machine's byte order, free of the file."""
    import numpy as np

    return np.array(array, dtype=array.dtype.newbyteorder("="), order="C")


def _as_exposure(hdu: Any, opened: FitsFile, request: ReadRequest) -> Any:
    """Make an exposure of an HDU's pixels and of what the headers say."""
    import numpy as np

    from butler_core.formatters.exposure import Exposure

    box = _requested(hdu, request)
    data = _pixels(hdu, box)
    if request.storage_class.name.endswith("F") and data.dtype.kind != "f":
        data = data.astype(np.float32)
    return Exposure(
        data,
        unit=_unit(hdu.header),
        wcs=_read_wcs(opened, request),
        meta=_read_metadata(opened, request),
        xy0=(box.x0, box.y0),
    )


def _unit(header: Any) -> Any:
    """Return the unit that a header names; a spelling unknown to astropy is kept as it is."""
    import astropy.units as u

    from butler_core.formatters.exposure import DEFAULT_UNIT

    text = str(header.get("BUNIT", DEFAULT_UNIT)).strip()
    return u.Unit(_UNIT_SPELLINGS.get(text.lower(), text), parse_strict="silent")
