"""FITS headers to metadata, WCS and origin, and back.

Touches no pixels and opens no file.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from typing import Any

from butler_core.errors import ReadFileError, WriteFileError

#: Cards that describe the file, not the observation.
_STRUCTURE = re.compile(
    r"SIMPLE|XTENSION|BITPIX|NAXIS\d*|EXTEND|PCOUNT|GCOUNT|TFIELDS|BSCALE|BZERO|BLANK|BUNIT"
    r"|EXTNAME|EXTVER|EXTLEVEL|EXTTYPE|INHERIT|CHECKSUM|DATASUM|ZHECKSUM|ZDATASUM|ZQUANTIZ"
    r"|AR_HDU|LTV[12]|(CTYPE|CRPIX|CRVAL|CUNIT)[12]A|MP_.*|END"
)

#: Cards of the primary WCS (FITS papers I and II, the SIP convention).
_WCS = re.compile(
    r"WCSAXES|(CTYPE|CRPIX|CRVAL|CDELT|CUNIT|CROTA)\d|(CD|PC|PV|PS)\d_\d+"
    r"|LONPOLE|LATPOLE|RADE(SYS|CSYS)|EQUINOX|(A|B|AP|BP)_(ORDER|DMAX|\d_\d)"
)

#: FITS keywords that may be written without HIERARCH.
_PLAIN_KEYWORD = re.compile(r"[A-Z0-9_-]{1,8}")


def header_from_mapping(given: Mapping[str, Any]) -> Any:
    """Make a FITS header of metadata.

    Parameters
    ----------
    given
        Text, number, boolean or None by keyword; longer keywords become
        HIERARCH cards. NaN and infinities, which FITS has no form for, are
        written as undefined. A FITS header is copied.

    Returns
    -------
    astropy.io.fits.Header
        The cards, in the same order.

    Raises
    ------
    WriteFileError
        If a value has no form in a FITS header; every such keyword is named.
    """
    from astropy.io import fits

    if isinstance(given, fits.Header):
        return given.copy()
    header = fits.Header()
    refused = []
    for key, value in given.items():
        if hasattr(value, "item") and getattr(value, "ndim", 1) == 0:
            value = value.item()
        if isinstance(value, float) and not math.isfinite(value):
            value = None
        keyword = str(key).upper()
        if keyword in {"COMMENT", "HISTORY"}:
            for line in [value] if isinstance(value, str) else value:
                header.add_history(line) if keyword == "HISTORY" else header.add_comment(line)
        elif not isinstance(value, (str, int, float, bool, complex, type(None))):
            refused.append(f"{key!r} ({type(value).__name__})")
        else:
            plain = _PLAIN_KEYWORD.fullmatch(keyword) is not None
            header.append((keyword if plain else f"HIERARCH {key}", value), end=True)
    if refused:
        raise WriteFileError(
            f"metadata {', '.join(refused)} cannot go into a FITS header, which holds texts, "
            "numbers and booleans; leave them out or write them as text."
        )
    return header


def observation_header(headers: Iterable[Any]) -> Any:
    """Join headers, leaving out what describes the file, the WCS or the mask's planes.

    Parameters
    ----------
    headers
        The earlier one wins where two have the same keyword. Any may be None.

    Returns
    -------
    astropy.io.fits.Header
        A new header.
    """
    from astropy.io import fits

    joined = fits.Header()
    for header in headers:
        if header is None:
            continue
        has_wcs = _has_wcs(header)
        seen = set(joined)
        for card in header.cards:
            keyword = card.keyword
            if _STRUCTURE.fullmatch(keyword) or (has_wcs and _WCS.fullmatch(keyword)):
                continue
            if not keyword or _is_standard_comment(card):
                continue
            if keyword in seen and keyword not in {"COMMENT", "HISTORY"}:
                continue
            joined.append(card, end=True)
    return joined


def wcs_of(headers: Iterable[Any], path: str) -> Any | None:
    """Return the first WCS that headers describe, relative to the array's first pixel.

    Parameters
    ----------
    headers
        Looked at in this order. Any may be None.
    path
        Name of the file, for messages.

    Returns
    -------
    astropy.wcs.WCS or None
        None if no header has one.

    Raises
    ------
    ReadFileError
        If a header's WCS is malformed.
    """
    from astropy.wcs import WCS, WcsError

    for header in headers:
        if header is None or not _has_wcs(header):
            continue
        try:
            # Repairs are made by the C library alone: WCS(fix=True) warns of each.
            wcs = WCS(_wcs_header(header), naxis=2, fix=False)
            wcs.wcs.fix()
            wcs.wcs.set()
        except (WcsError, ValueError, KeyError) as error:
            raise ReadFileError(f"the WCS in {path!r} is malformed: {error}.") from error
        return wcs
    return None


def wcs_cards(wcs: Any | None) -> Any:
    """Return the header cards of a WCS, empty for None.

    Parameters
    ----------
    wcs
        An `astropy.wcs.WCS`.
    """
    from astropy.io import fits

    if wcs is None:
        return fits.Header()
    header = wcs.to_header(relax=True)
    return fits.Header([card for card in header.cards if _WCS.fullmatch(card.keyword)])


def origin_of(header: Any) -> tuple[int, int]:
    """Return the column and row that an image's first pixel has in its parent.

    Read from the alternate WCS ``A`` (linear), as Rubin's software writes it,
    or from IRAF's ``LTV`` cards; (0, 0) without either.

    Parameters
    ----------
    header
        Header of the image.
    """
    if header.get("CTYPE1A") == "LINEAR" and header.get("CTYPE2A") == "LINEAR":
        x0, y0 = (
            float(header.get(f"CRVAL{axis}A", 0)) - float(header.get(f"CRPIX{axis}A", 1)) + 1
            for axis in (1, 2)
        )
    else:
        x0, y0 = (-float(header.get(f"LTV{axis}", 0)) for axis in (1, 2))
    return round(x0), round(y0)


def origin_cards(xy0: tuple[int, int]) -> list[tuple[str, Any, str]]:
    """Return the cards that `origin_of` reads.

    Parameters
    ----------
    xy0
        Column and row of the first pixel in the parent [pixel].
    """
    cards: list[tuple[str, Any, str]] = []
    for axis, start in zip((1, 2), xy0, strict=True):
        cards += [
            (f"LTV{axis}", float(-start), "parent to image pixels"),
            (f"CTYPE{axis}A", "LINEAR", "pixels of the parent image"),
            (f"CRPIX{axis}A", 1.0, "first pixel"),
            (f"CRVAL{axis}A", float(start), "its place in the parent, from 0"),
            (f"CUNIT{axis}A", "PIXEL", ""),
        ]
    return cards


def _wcs_header(header: Any) -> Any:
    """Return the cards of the primary WCS alone, old spellings renewed, and the image's size."""
    from astropy.io import fits

    picked = fits.Header([card for card in header.cards if _WCS.fullmatch(card.keyword)])
    if "RADECSYS" in picked:
        picked.rename_keyword("RADECSYS", "RADESYS", force=True)
    if header.get("NAXIS", 0) >= 2:
        for keyword in ("NAXIS", "NAXIS1", "NAXIS2"):
            picked[keyword] = header[keyword]
    return picked


def _has_wcs(header: Any) -> bool:
    """Tell whether a header has a primary WCS of two or more axes."""
    return bool(header.get("CTYPE1")) and bool(header.get("CTYPE2"))


def _is_standard_comment(card: Any) -> bool:
    """Tell whether a card is one of the two lines that CFITSIO puts in every file."""
    return card.keyword == "COMMENT" and (
        "FITS (Flexible Image Transport System) format is defined" in str(card.value)
        or "and Astrophysics', volume 376, page 359" in str(card.value)
    )
