"""Makes FITS files of images.

The layout is described in ``fits_image``, which reads it.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from butler_core.errors import WriteFileError
from butler_core.formatters.fits_header import (
    header_from_mapping,
    observation_header,
    origin_cards,
    wcs_cards,
)
from butler_core.formatters.mask_planes import CARD_PREFIX, Mask, MaskPlanes
from butler_core.formatters.tile_compression import COMPRESSIONS, erase_gzip_times


def write_image(obj: Any, path: Path, compression: str) -> None:
    """Write an exposure or a mask.

    Parameters
    ----------
    obj
        An `Exposure`, a `Mask` or a `CCDData`.
    path
        Where to write.
    compression
        ``"none"``, or a key of `COMPRESSIONS`.

    Raises
    ------
    WriteFileError
        If a part has no form in FITS.
    """
    from astropy.io import fits
    from astropy.nddata import CCDData

    from butler_core.formatters.exposure import Exposure

    if isinstance(obj, Mask):
        parts = [_mask_hdu(obj.array, obj.planes, obj.xy0, compression)]
        meta = obj.meta
    elif isinstance(obj, CCDData):
        exposure = obj if isinstance(obj, Exposure) else Exposure.from_ccddata(obj)
        parts, meta = _exposure_hdus(exposure, compression), exposure.meta
    else:
        raise WriteFileError(
            f"a {type(obj).__name__} is no image; give an Exposure, a Mask or a CCDData."
        )
    header = observation_header([header_from_mapping(meta)])
    fits.HDUList([fits.PrimaryHDU(header=header), *parts]).writeto(path, overwrite=True)
    if compression != "none":
        erase_gzip_times(path)


def _exposure_hdus(exposure: Any, compression: str) -> list[Any]:
    """Make the HDUs of an exposure's parts, those it has."""
    image = _image_hdu(exposure.data, "IMAGE", exposure.xy0, compression)
    image.header["BUNIT"] = _unit_text(exposure.unit)
    hdus = [image]
    image.header.extend(wcs_cards(exposure.wcs), update=True)
    if exposure.mask is not None:
        hdus.append(_mask_hdu(exposure.mask, exposure.mask_planes, exposure.xy0, compression))
    if exposure.variance is not None:
        variance = _image_hdu(exposure.variance, "VARIANCE", exposure.xy0, compression)
        variance.header["BUNIT"] = _unit_text(exposure.unit**2)
        hdus.append(variance)
    if exposure.psf is not None:
        hdus.append(_psf_hdu(exposure.psf))
    return hdus


def _mask_hdu(array: Any, planes: MaskPlanes, xy0: tuple[int, int], compression: str) -> Any:
    """Make the HDU of a mask."""
    hdu = _image_hdu(array, "MASK", xy0, compression)
    for name, bit in planes.items():
        keyword = f"{CARD_PREFIX}{name}"
        hdu.header[keyword if len(keyword) <= 8 else f"HIERARCH {keyword}"] = bit
    return hdu


def _image_hdu(array: Any, kind: str, xy0: tuple[int, int], compression: str) -> Any:
    """Make the HDU of one array of pixels."""
    import numpy as np
    from astropy.io import fits

    pixels = np.asarray(array)
    if pixels.ndim != 2:
        raise WriteFileError(f"the {kind.lower()} has the shape {pixels.shape}, not two axes.")
    if pixels.dtype == bool:
        pixels = pixels.astype(np.uint8)
    elif pixels.dtype == np.float16:
        pixels = pixels.astype(np.float32)
    elif pixels.dtype.kind not in "iuf":
        raise WriteFileError(f"{kind.lower()} pixels of type {pixels.dtype} have no FITS form.")
    if compression == "none":
        hdu = fits.ImageHDU(pixels, name=kind)
    else:
        hdu = fits.CompImageHDU(pixels, name=kind, **COMPRESSIONS[compression])
    hdu.header["EXTTYPE"] = kind
    hdu.header["INHERIT"] = True
    for keyword, value, comment in origin_cards(xy0):
        hdu.header[keyword] = (value, comment)
    return hdu


def _psf_hdu(psf: Any) -> Any:
    """Make the HDU of a PSF: an array, a table or a dict (a table of one row)."""
    import numpy as np
    from astropy.io import fits
    from astropy.table import Table

    from butler_core.formatters.fits_table import hdu_of

    if isinstance(psf, Table):
        hdu, kind = hdu_of(psf), "table"
    elif isinstance(psf, Mapping):
        try:
            row = Table({str(name): np.asarray(value)[np.newaxis] for name, value in psf.items()})
        except (TypeError, ValueError) as error:
            raise WriteFileError(f"a PSF given as a dict needs plain values: {error}.") from error
        hdu, kind = hdu_of(row), "row"
    elif isinstance(psf, np.ndarray) and psf.dtype.kind in "iuf":
        hdu, kind = fits.ImageHDU(psf), "array"
    else:
        raise WriteFileError(
            f"a PSF of type {type(psf).__name__} cannot be written; give an array, an "
            "astropy Table or a dict of numbers, texts and arrays."
        )
    hdu.name = "PSF"
    hdu.header["PSFKIND"] = (kind, "array, table, or row (a dict)")
    return hdu


def _unit_text(unit: Any) -> str:
    """Spell a unit as FITS does, or as astropy does where FITS has no word for it."""
    try:
        return str(unit.to_string("fits"))
    except ValueError:
        return str(unit.to_string())
