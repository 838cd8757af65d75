"""Anything else that FITS files hold: a dict of tables, arrays and a header.

For calibrations and models without a class of their own, and for whatever
Rubin's software has put into FITS. Where the storage class is a table, an
image, a WCS or a camera, the formatter for that reads the file.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from butler_core.errors import ReadFileError, WriteFileError
from butler_core.formatters.camera import CameraFormatter
from butler_core.formatters.fits_header import (
    header_from_mapping,
    observation_header,
    wcs_cards,
    wcs_of,
)
from butler_core.formatters.fits_image import FitsImageFormatter
from butler_core.formatters.fits_opening import open_fits
from butler_core.formatters.fits_table import FitsTableFormatter, hdu_of, table_of
from butler_core.formatters.formatter import Formatter, ReadRequest
from butler_core.formatters.plain_data import component_of, to_json

#: Key of the primary header's cards in the dict.
HEADER_KEY = "header"

#: Card that holds a dict's plain data as JSON text.
PLAIN_CARD = "PLAINDAT"

#: Dotted name of a Python type to the formatter that reads it from FITS.
_SPECIAL: dict[str, Formatter] = {
    "astropy.table.Table": FitsTableFormatter(),
    "astropy.table.QTable": FitsTableFormatter(),
    "butler_core.formatters.exposure.Exposure": FitsImageFormatter(),
    "butler_core.formatters.mask_planes.Mask": FitsImageFormatter(),
    "butler_core.cameras.camera.Camera": CameraFormatter(),
}


@dataclass(frozen=True)
class FitsGenericFormatter:
    """Reads and writes dicts of tables, arrays and header cards."""

    extension: ClassVar[str] = ".fits"
    write_parameters: ClassVar[frozenset[str]] = frozenset()

    def write(self, obj: Any, path: Path) -> None:
        """Write an object.

        Parameters
        ----------
        obj
            A table, an image, an array, a WCS, a FITS header, or a dict of
            tables, arrays and plain data (what `plain_data.to_plain` takes);
            its key ``header`` becomes header cards.
        path
            Where to write.
        """
        from astropy.io import fits
        from astropy.nddata import CCDData
        from astropy.table import Table
        from astropy.wcs import WCS

        from butler_core.formatters.mask_planes import Mask

        if isinstance(obj, Table):
            FitsTableFormatter().write(obj, path)
        elif isinstance(obj, (CCDData, Mask)):
            FitsImageFormatter().write(obj, path)
        elif isinstance(obj, WCS):
            fits.HDUList([fits.PrimaryHDU(header=wcs_cards(obj))]).writeto(path, overwrite=True)
        else:
            _hdus(obj).writeto(path, overwrite=True)

    def read(self, request: ReadRequest) -> Any:
        """Read an object.

        Parameters
        ----------
        request
            A component is a key of the dict; parameters are those of the
            formatter that reads the storage class's type.
        """
        special = _SPECIAL.get(request.storage_class.pytype_name)
        if special is not None:
            return special.read(request)
        request.take_parameters()
        with open_fits(request) as opened:
            hdus = list(opened)
            if request.storage_class.pytype_name == "astropy.wcs.WCS":
                wcs = wcs_of([hdu.header for hdu in hdus], request.path)
                if wcs is None:
                    raise ReadFileError(f"{request.path!r} has no WCS in any of its headers.")
                return wcs
            content = _content(hdus)
        if request.component is not None:
            return component_of(content, request)
        return request.storage_class.check(content)


def _hdus(obj: Any) -> Any:
    """Make the HDU list of a dict, an array or a header."""
    import numpy as np
    from astropy.io import fits
    from astropy.table import Table

    if isinstance(obj, np.ndarray):
        obj = {"IMAGE": obj}
    elif isinstance(obj, fits.Header):
        obj = {HEADER_KEY: obj}
    if not isinstance(obj, Mapping):
        raise WriteFileError(
            f"a {type(obj).__name__} has no generic FITS form; give a table, an array, or a dict "
            "of tables, arrays and plain data."
        )
    plain: dict[str, Any] = {}
    parts = []
    for key, value in obj.items():
        if isinstance(value, Table) or (isinstance(value, np.ndarray) and value.dtype.names):
            hdu = hdu_of(Table(value, copy=False))
        elif isinstance(value, np.ndarray) and value.ndim and value.dtype.kind in "iuf":
            hdu = fits.ImageHDU(value)
        elif key == HEADER_KEY:
            continue
        else:
            plain[str(key)] = value
            continue
        hdu.header["EXTNAME"] = str(key)
        parts.append(hdu)
    header = header_from_mapping(obj.get(HEADER_KEY, {}))
    if plain:
        header[PLAIN_CARD] = to_json(plain)
    return fits.HDUList([fits.PrimaryHDU(header=header), *parts])


def _content(hdus: list[Any]) -> dict[str, Any]:
    """Make the dict of HDUs: by their names, or ``hdu<index>`` where unnamed or repeated."""
    import numpy as np

    content: dict[str, Any] = {}
    cards = dict(observation_header([hdus[0].header]))
    content.update(json.loads(cards.pop(PLAIN_CARD, "{}")))
    if cards:
        content[HEADER_KEY] = cards
    for index, hdu in enumerate(hdus):
        if hdu.is_image and hdu.shape == ():
            continue
        name = str(hdu.header.get("EXTNAME", f"hdu{index}")).strip()
        if name in content:
            name = f"hdu{index}"
        if hdu.is_image:
            data = hdu.data
            content[name] = np.array(data, dtype=data.dtype.newbyteorder("="), order="C")
        else:
            content[name] = table_of(hdu)
    return content
