"""Tables as ECSV: text that people read, with units and metadata on top.

Slow and large beside FITS and Parquet; for small tables.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from butler_core.errors import ReadFileError, WriteFileError
from butler_core.formatters.formatter import ReadRequest
from butler_core.formatters.opening import read_text
from butler_core.formatters.table_conversion import as_table, select_columns, table_schema


@dataclass(frozen=True)
class EcsvFormatter:
    """Reads and writes `astropy.table.Table` objects."""

    extension: ClassVar[str] = ".ecsv"
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
        from astropy.table import MaskedColumn

        table = as_table(obj).copy(copy_data=False)
        for column in table.columns.values():
            if isinstance(column, MaskedColumn) and column.dtype.kind == "U":
                # ECSV marks a missing text by "": a mask of its own tells the two apart.
                column.info.serialize_method["ecsv"] = "data_mask"
        stream = io.StringIO()
        try:
            table.write(stream, format="ascii.ecsv")
        except (ValueError, TypeError) as error:
            raise WriteFileError(f"the table has no ECSV form: {error}.") from error
        lines = stream.getvalue().split("\n")
        path.write_bytes("\n".join(_without_seeming_comments(lines)).encode())

    def read(self, request: ReadRequest) -> Any:
        """Read a table, or its columns' names, number of rows or schema.

        Parameters
        ----------
        request
            Honours the parameter ``columns`` (a name or a list of names).
        """
        from astropy.io.ascii import InconsistentTableError
        from astropy.table import Table

        columns = request.take_parameters("columns").get("columns")
        text = read_text(request)
        try:
            table = Table.read(text.splitlines(), format="ascii.ecsv")
        except (ValueError, InconsistentTableError, TypeError, KeyError) as error:
            raise ReadFileError(f"{request.path!r} is no ECSV table: {error}.") from error
        _unmask_empty_texts(table, text)
        table = select_columns(table, columns, request.path)
        if request.component == "columns":
            return table.colnames
        if request.component == "rowcount":
            return len(table)
        if request.component == "schema":
            return table_schema(table)
        if request.component is not None:
            raise request.unknown_component(("columns", "rowcount", "schema"))
        return request.storage_class.check(table)


def _without_seeming_comments(lines: Iterable[str]) -> Iterator[str]:
    """Quote texts that begin a row with ``#``: a reader would skip the row as a comment."""
    is_header, is_inside = True, False
    for line in lines:
        is_header = is_header and line.startswith("# ")
        if line.startswith("#") and not is_header and not is_inside:
            first, space, rest = line.partition(" ")
            yield f'"{first}"{space}{rest}'
        else:
            yield line
        # A text that goes on in the next line has an odd number of quotation marks in this one.
        is_inside ^= not is_header and line.count('"') % 2 == 1


def _unmask_empty_texts(table: Any, text: str) -> None:
    """Make empty texts of what astropy takes for missing ones, unless a mask was written."""
    from astropy.table import Column, MaskedColumn

    for name in table.colnames:
        column = table[name]
        if (
            isinstance(column, MaskedColumn)
            and column.dtype.kind == "U"
            and f"{name}.mask" not in text
        ):
            filled = Column(column.filled(""))
            for attribute in ("name", "unit", "format", "description", "meta"):
                setattr(filled.info, attribute, getattr(column.info, attribute))
            table.replace_column(name, filled)
