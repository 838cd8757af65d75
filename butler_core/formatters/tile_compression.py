"""Tile compression of FITS images: how pixels are squeezed, and always to the same bytes.

Compresses nothing itself: astropy does.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

#: astropy's settings by our name. Quantize level 0 is lossless; 16 quantizes floating-point
#: pixels to a sixteenth of their noise (CFITSIO's ``q``; Pence et al. 2010, PASP 122, 1065), here
#: without dithering.
COMPRESSIONS: dict[str, dict[str, Any]] = {
    "gzip": {"compression_type": "GZIP_2", "quantize_level": 0.0},
    "rice": {"compression_type": "RICE_1", "quantize_level": 16.0},
}

#: Bytes 4 to 7 of a gzip stream are the time of its making (RFC 1952).
_TIME_OFFSET, _TIME_BYTES = 4, 4


def erase_gzip_times(path: Path) -> None:
    """Zero the time of writing in every gzip tile, so that the same image gives the same bytes.

    Parameters
    ----------
    path
        A FITS file, changed in place.
    """
    from astropy.io import fits

    with fits.open(path, disable_image_compression=True, memmap=False) as hdus:
        starts = [start for hdu in hdus if hdu.header.get("ZIMAGE") for start in _gzip_tiles(hdu)]
    with path.open("r+b") as stream:
        for start in starts:
            stream.seek(start + _TIME_OFFSET)
            stream.write(bytes(_TIME_BYTES))


def _gzip_tiles(hdu: Any) -> Iterator[int]:
    """Yield where in the file each gzip tile of a compressed image's table begins [byte]."""
    import numpy as np

    header = hdu.header
    heap = hdu.fileinfo()["datLoc"] + header.get("THEAP", header["NAXIS1"] * header["NAXIS2"])
    columns = ["GZIP_COMPRESSED_DATA"]
    if str(header["ZCMPTYPE"]).startswith("GZIP"):
        columns.append("COMPRESSED_DATA")
    # A plain array of the table holds (length, offset in the heap) for each tile.
    descriptors = np.asarray(hdu.data)
    for name in columns:
        if name in hdu.columns.names:
            lengths, offsets = descriptors[name].T
            yield from (heap + int(offset) for offset in offsets[lengths > 0])
