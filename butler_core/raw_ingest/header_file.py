"""The header of a raw file, without its pixels, and whether the file is whole.

Reads plain, gzipped and fpacked FITS files from their beginning, as far as
headers go. Understands no keyword but those of the FITS standard.
"""

from __future__ import annotations

import gzip
import re
import zlib
from pathlib import Path
from typing import Any, BinaryIO, cast

from butler_core.errors import RawFileError

#: Size of a FITS block [bytes]; headers and data units are whole blocks.
_BLOCK = 2880
_CARD = 80
#: Headers longer than this are taken for garbage [bytes].
_LONGEST = 400 * _BLOCK
_GZIP_MAGIC = b"\x1f\x8b"
_SIZE_CARD = re.compile(rb"(BITPIX|NAXIS\d*|PCOUNT|GCOUNT)\s*=\s*(-?\d+)")


def read_raw_header(path: Path) -> dict[str, Any]:
    """Return the cards that describe an exposure.

    They are those of the primary header; where it has no image, those of the
    first extension are put over them, as Rubin does.

    Parameters
    ----------
    path
        A FITS file; ``.gz`` and ``.fz`` are known by their content.

    Returns
    -------
    dict
        Values by keyword, commentary cards left out; keywords without a value
        are left out too.

    Raises
    ------
    RawFileError
        If the file cannot be opened, is no FITS file, or ends too early.
    """
    try:
        with path.open("rb") as plain:
            is_gzip = plain.read(2) == _GZIP_MAGIC
            plain.seek(0)
            if is_gzip:
                with gzip.open(plain) as unzipped:
                    return _merged_cards(cast("BinaryIO", unzipped))
            cards = _merged_cards(plain)
            _check_whole(plain, path.stat().st_size)
            return cards
    except (OSError, EOFError, zlib.error, ValueError) as error:
        if isinstance(error, RawFileError):
            raise
        raise RawFileError(f"it cannot be read: {error}") from error


def _merged_cards(stream: BinaryIO) -> dict[str, Any]:
    raw = _read_header(stream)
    if raw is None or not raw.startswith(b"SIMPLE  ="):
        raise RawFileError("it is empty" if raw == b"" or raw is None else "it is no FITS file")
    cards = _parse(raw)
    if cards.get("NAXIS") == 0:
        extension = _read_header(stream)
        if extension is not None and extension.startswith(b"XTENSION"):
            cards |= _parse(extension)
    return cards


def _read_header(stream: BinaryIO) -> bytes | None:
    """Return the next header's bytes, or None at the end of the file."""
    blocks = b""
    while len(blocks) < _LONGEST:
        block = stream.read(_BLOCK)
        if not block and not blocks:
            return None
        if len(blocks) == 0 and not block.startswith((b"SIMPLE  =", b"XTENSION")):
            return block
        if len(block) < _BLOCK:
            raise RawFileError("it ends within a header; it was cut short")
        blocks += block
        if _has_end(block):
            return blocks
    raise RawFileError(f"one of its headers does not end within {_LONGEST} bytes")


def _has_end(block: bytes) -> bool:
    place = block.find(b"END     ")
    while place >= 0:
        if place % _CARD == 0:
            return True
        place = block.find(b"END     ", place + 1)
    return False


def _parse(raw: bytes) -> dict[str, Any]:
    from astropy.io.fits import Header, VerifyError
    from astropy.io.fits.card import Undefined

    try:
        return {
            card.keyword: card.value
            for card in Header.fromstring(raw).cards
            if card.keyword not in ("", "COMMENT", "HISTORY")
            and not isinstance(card.value, Undefined)
        }
    except (VerifyError, UnicodeDecodeError) as error:
        raise RawFileError(f"its header has a broken card: {error}") from error


def _check_whole(stream: BinaryIO, size: int) -> None:
    """Raise RawFileError if a file ends before its last data unit does."""
    stream.seek(0)
    end = 0
    while end < size:
        stream.seek(end)
        raw = _read_header(stream)
        if raw is None or not raw.startswith((b"SIMPLE  =", b"XTENSION")):
            return  # Special records after the last HDU, which the standard allows.
        data_bytes = _data_bytes(raw)
        end += len(raw) + -(-data_bytes // _BLOCK) * _BLOCK
        # A last block without its padding is readable.
        if size <= end - _BLOCK and data_bytes:
            raise RawFileError(
                f"it is truncated: its headers promise {end} bytes, the file has {size}"
            )


def _data_bytes(raw: bytes) -> int:
    """Return the size of the data behind a header, padding not counted (FITS 4.0, eq. 2)."""
    values: dict[str, int] = {}
    for start in range(0, len(raw), _CARD):
        match = _SIZE_CARD.match(raw, start)
        if match:
            values.setdefault(match[1].decode(), int(match[2]))
    n_axes = values.get("NAXIS", 0)
    if n_axes == 0:
        return 0
    pixels = 1
    for axis in range(1, n_axes + 1):
        pixels *= values.get(f"NAXIS{axis}", 0)
    groups = values.get("GCOUNT", 1)
    return abs(values.get("BITPIX", 8)) // 8 * groups * (values.get("PCOUNT", 0) + pixels)
