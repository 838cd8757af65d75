"""Tables as FITS binary tables.

Keeps units, descriptions, masked values, mixin columns (times, coordinates)
and metadata of every JSON type. Any FITS binary table is read.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from butler_core.errors import ReadFileError, WriteFileError
from butler_core.formatters.afw_columns import name_flags
from butler_core.formatters.fits_opening import FitsFile, open_fits
from butler_core.formatters.formatter import ReadRequest
from butler_core.formatters.table_conversion import as_table, select_columns, table_schema

#: Card that holds a table's whole metadata as JSON text.
META_CARD = "TABMETA"


@dataclass(frozen=True)
class FitsTableFormatter:
    """Reads and writes `astropy.table.Table` objects."""

    extension: ClassVar[str] = ".fits"
    write_parameters: ClassVar[frozenset[str]] = frozenset()

    def write(self, obj: Any, path: Path) -> None:
        """Write a table.

        Parameters
        ----------
        obj
            A table, or what `table_conversion.as_table` makes one of.
        path
            Where to write.
        """
        try:
            prepared(as_table(obj)).write(path, format="fits", overwrite=True)
        except (ValueError, TypeError, UnicodeError) as error:
            raise WriteFileError(f"the table has no FITS form: {error}.") from error

    def read(self, request: ReadRequest) -> Any:
        """Read a table, or its columns' names, number of rows or schema.

        Parameters
        ----------
        request
            Honours the parameter ``columns`` (a name or a list of names).
        """
        columns = request.take_parameters("columns").get("columns")
        with open_fits(request) as opened:
            hdu = table_hdu(opened)
            if request.component == "rowcount":
                return int(hdu.header["NAXIS2"])
            if request.component == "columns":
                return select_columns(table_of_no_rows(hdu), columns, request.path).colnames
            if request.component == "schema":
                return table_schema(select_columns(table_of_no_rows(hdu), columns, request.path))
            if request.component is not None:
                raise request.unknown_component(("columns", "rowcount", "schema"))
            return request.storage_class.check(table_of(hdu, columns, opened.path))


def table_hdu(opened: FitsFile) -> Any:
    """Find the first binary or ASCII table of a file.

    Parameters
    ----------
    opened
        The file.

    Raises
    ------
    ReadFileError
        If it has none.
    """
    from astropy.io.fits import BinTableHDU, TableHDU

    found = opened.find(lambda hdu: isinstance(hdu, (BinTableHDU, TableHDU)))
    if found is None:
        raise ReadFileError(f"{opened.path!r} has no HDU with a table.")
    return found


def prepared(table: Any) -> Any:
    """Return a shallow copy of a table that astropy writes to FITS without loss.

    Parameters
    ----------
    table
        Any table; unchanged.

    Raises
    ------
    WriteFileError
        If metadata has no JSON form.
    """
    from astropy.table import Column, MaskedColumn

    from butler_core.formatters.plain_data import to_json

    copied = table.copy(copy_data=False)
    for column in list(copied.columns.values()):
        if isinstance(column, MaskedColumn) and column.dtype.kind not in "iu":
            # FITS marks missing floats by NaN, texts by "": a mask of their own tells them apart.
            column.info.serialize_method["fits"] = "data_mask"
        if isinstance(column, Column) and column.dtype.kind == "U":
            # As UTF-8 bytes: astropy alone would refuse what is not ASCII.
            copied.replace_column(column.info.name, _recoded(column, "encode"))
    copied.meta = {META_CARD: to_json(dict(table.meta))}
    return copied


def hdu_of(table: Any) -> Any:
    """Make the HDU of a table, for files that have other HDUs too.

    Parameters
    ----------
    table
        Plain columns only: no times or coordinates.
    """
    from astropy.io import fits

    return fits.table_to_hdu(prepared(table))


def table_of(hdu: Any, columns: Any = None, path: str = "") -> Any:
    """Make a table of an HDU; NaN and empty texts stay as they are.

    Parameters
    ----------
    hdu
        A binary or ASCII table HDU.
    columns
        A name, several, or None for all.
    path
        Name of the file, for messages.

    Returns
    -------
    astropy.table.Table
        With metadata; texts are `str`.
    """
    import json

    from astropy.table import Column, Table
    from astropy.units import Quantity

    is_ours = META_CARD in hdu.header
    table = Table.read(
        hdu,
        format="fits",
        mask_invalid=False,
        unit_parse_strict="silent",
        astropy_native=is_ours,  # Times as written; of other files plain columns.
    )
    table = select_columns(name_flags(table), columns, path)
    for name in table.colnames:
        column = table[name]
        kind = column.dtype.kind if isinstance(column, (Column, Quantity)) else "O"
        if kind == "S":
            table.replace_column(name, _recoded(column, "decode"))
        elif kind != "O":
            # A copy: a column of the HDU is a view of the file's memory map, big-endian.
            table.replace_column(name, column.astype(column.dtype.newbyteorder("=")))
    # The name of the HDU belongs to the file, and the card stands for all metadata.
    table.meta.pop("EXTNAME", None)
    if is_ours:
        table.meta = json.loads(table.meta[META_CARD])
    return table


def _recoded(column: Any, direction: str) -> Any:
    """Copy of a text column as UTF-8 bytes (``"encode"``) or as `str` (``"decode"``)."""
    import numpy as np

    masked = hasattr(column, "mask")
    recoded = getattr(np.char, direction)(np.asarray(np.ma.getdata(column)), "utf-8")
    made = type(column)(recoded, **({"mask": column.mask} if masked else {}))
    for attribute in ("name", "unit", "format", "description", "meta"):
        setattr(made.info, attribute, getattr(column.info, attribute))
    if masked:
        made.info.serialize_method = column.info.serialize_method
    return made


def table_of_no_rows(hdu: Any) -> Any:
    """Make a table with the columns of an HDU and no rows; reads no data.

    Parameters
    ----------
    hdu
        A binary or ASCII table HDU.
    """
    from astropy.io import fits

    empty = type(hdu).from_columns(fits.ColDefs(hdu.columns), nrows=0, header=hdu.header.copy())
    return table_of(empty)
