"""Tables as text: aligned columns, CSV, or JSON. Prints nothing.

The aligned form is that of ``astropy.table.Table.pformat``, which users of butlers know,
with no row or column ever left out.
"""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

#: A column is never narrower, as with astropy [characters].
_MIN_WIDTH = 3

#: Values by header, lists of equal length.
Columns = Mapping[str, Sequence[Any]]


@dataclass(frozen=True, slots=True)
class Sheet:
    """A table to be written."""

    columns: Columns
    #: Whether values stand at the left of their column.
    is_left_aligned: bool = False

    def __len__(self) -> int:
        return len(next(iter(self.columns.values()), ()))


def aligned_lines(sheet: Sheet) -> Iterator[str]:
    """Write a table as lines of aligned columns under a header; a list makes several lines.

    Yields
    ------
    str
        A line without its end.
    """
    columns = sheet.columns.values()
    if any(issubclass(kind, list | tuple) for values in columns for kind in set(map(type, values))):
        yield from _lines_of_several(sheet)
        return
    widths = [
        max(_MIN_WIDTH, len(header), max(map(len, map(str, values)), default=0))
        for header, values in sheet.columns.items()
    ]
    yield from _head(sheet, widths)
    sign = "-" if sheet.is_left_aligned else ""
    line = " ".join(f"%{sign}{width}s" for width in widths)
    yield from map(line.__mod__, zip(*columns, strict=True))


def _lines_of_several(sheet: Sheet) -> Iterator[str]:
    """Write a table some of whose cells have several lines."""
    cells = [[_cell(value) for value in values] for values in sheet.columns.values()]
    widths = [
        max([_MIN_WIDTH, len(header), *(len(line) for cell in column for line in cell)])
        for header, column in zip(sheet.columns, cells, strict=True)
    ]
    yield from _head(sheet, widths)
    pad = str.ljust if sheet.is_left_aligned else str.rjust
    for row in zip(*cells, strict=True):
        for i in range(max(len(cell) for cell in row)):
            texts = (cell[i] if i < len(cell) else "" for cell in row)
            yield " ".join(pad(text, width) for text, width in zip(texts, widths, strict=True))


def _head(sheet: Sheet, widths: Sequence[int]) -> Iterator[str]:
    yield " ".join(name.center(width) for name, width in zip(sheet.columns, widths, strict=True))
    yield " ".join("-" * width for width in widths)


def _cell(value: Any) -> list[str]:
    if isinstance(value, list | tuple):
        return [str(item) for item in value] or [""]
    return [str(value)]


def csv_lines(sheets: Iterable[Sheet], headers: Sequence[str]) -> Iterator[str]:
    """Write tables as one CSV with the headers given; what a table does not have stays empty.

    Yields
    ------
    str
        A line without its end; in a cell, items of a list stand between blanks.
    """
    yield _csv_line(headers)
    for sheet in sheets:
        columns = [sheet.columns.get(header) or [None] * len(sheet) for header in headers]
        for row in zip(*columns, strict=True):
            yield _csv_line([_csv_value(value) for value in row])


def _csv_value(value: Any) -> Any:
    return " ".join(map(str, value)) if isinstance(value, list | tuple) else value


def _csv_line(values: Sequence[Any]) -> str:
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="").writerow(values)
    return buffer.getvalue()


def json_lines(sheets: Iterable[Sheet]) -> Iterator[str]:
    """Write tables as one JSON array with an object for each row, one a line.

    Yields
    ------
    str
        A line without its end.
    """
    held: str | None = None
    yield "["
    for sheet in sheets:
        names = list(sheet.columns)
        for row in zip(*sheet.columns.values(), strict=True):
            if held is not None:
                yield f"{held},"
            held = json.dumps({n: _json_value(v) for n, v in zip(names, row, strict=True)})
    if held is not None:
        yield held
    yield "]"


def _json_value(value: Any) -> Any:
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, list | tuple):
        return [_json_value(item) for item in value]
    return str(value)
