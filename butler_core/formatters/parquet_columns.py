"""Columns of astropy tables as DuckDB takes them, and back.

DuckDB reads numpy arrays of one axis, and takes NaN for NULL; so a mask
travels beside each column, and a column of several axes as many plain ones.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from butler_core.errors import WriteFileError

#: Values in one row of a column beyond which the SQL statement would be unwieldy.
MAX_VALUES_PER_ROW = 4096

#: Size of a double [byte].
_WIDEST_FLOAT_BYTES = 8


#: Types of Python objects that a column of objects may hold.
_OBJECT_TYPES = (str, bytes, bool, int, float, type(None))


def column_sources(table: Any) -> tuple[dict[str, Any], list[str]]:
    """Return arrays and the SQL expressions that make a table's columns of them.

    Parameters
    ----------
    table
        An astropy table of plain columns.

    Returns
    -------
    dict
        Arrays of one axis by name.
    list of str
        One ``expression AS "column"`` per column.

    Raises
    ------
    WriteFileError
        If a column's type has no Parquet form.
    """
    arrays: dict[str, Any] = {}
    selections = []
    for index, name in enumerate(table.colnames):
        expression = _column_source(table[name], f"c{index}", arrays)
        quoted = name.replace('"', '""')
        selections.append(f'{expression} AS "{quoted}"')
    return arrays, selections


def _column_source(column: Any, alias: str, arrays: dict[str, Any]) -> str:
    """Add a column's arrays; return the expression that makes the column of them."""
    import numpy as np

    width = int(np.prod(column.shape[1:]))
    if column.ndim == 1:
        return _array_source(column, alias, arrays)
    if not 1 <= width <= MAX_VALUES_PER_ROW:
        raise WriteFileError(
            f"column {column.name!r} has {width} values in each row; Parquet files are written "
            f"with 1 to {MAX_VALUES_PER_ROW}. Use a storage class that is stored as FITS "
            "('AstropyTable') for it."
        )
    flat = column.reshape(len(column), width)
    parts = [_array_source(flat[:, item], f"{alias}_{item}", arrays) for item in range(width)]
    return f"list_value({', '.join(parts)})"


def _array_source(column: Any, alias: str, arrays: dict[str, Any]) -> str:
    """Add an array of one axis and its mask; return the expression for its values."""
    import numpy as np

    mask = getattr(column, "mask", None)
    data = np.asarray(getattr(column, "data", column))
    if isinstance(column, np.ma.MaskedArray):
        data = np.asarray(np.ma.getdata(column))
    kind = data.dtype.kind
    is_mixed = kind == "O" and not all(isinstance(item, _OBJECT_TYPES) for item in data)
    if (
        is_mixed
        or kind not in "biufMOUS"
        or (kind == "f" and data.dtype.itemsize > _WIDEST_FLOAT_BYTES)
    ):
        raise WriteFileError(
            f"column {getattr(column, 'name', alias)!r} has the type {data.dtype}, which has no "
            "Parquet form; use integers, floats of 64 bits or less, texts, booleans or times."
        )
    if kind == "f" and data.dtype.itemsize == 2:
        data = data.astype(np.float32)
    if kind in "US":
        data = data.astype(object)
    arrays[alias] = np.ascontiguousarray(data, dtype=data.dtype.newbyteorder("="))
    expression = alias
    if kind == "f":
        # Rule: NaN is a value; only what is masked becomes NULL.
        sql_type = "FLOAT" if data.dtype.itemsize == 4 else "DOUBLE"
        expression = f"coalesce({alias}, 'nan'::{sql_type})"
    elif kind == "U":
        expression = f"{alias}::VARCHAR"
    elif kind == "S":
        expression = f"{alias}::BLOB"
    if mask is not None and np.any(mask):
        arrays[f"{alias}_mask"] = np.ascontiguousarray(mask, dtype=bool)
        expression = f"CASE WHEN {alias}_mask THEN NULL ELSE {expression} END"
    return expression


def column_of(fetched: Any, facts: Mapping[str, Any], sql_type: str, *, is_pandas: bool) -> Any:
    """Make a table's column of what DuckDB fetched.

    Parameters
    ----------
    fetched
        Array of one axis, masked where there are NULLs.
    facts
        What the file's metadata say of the column.
    sql_type
        DuckDB's type of the column.
    is_pandas
        Whether pandas wrote the file, which knows NaN only as NULL.

    Returns
    -------
    numpy.ndarray or numpy.ma.MaskedArray
        Texts as str, binary texts as bytes, lists of one length as further
        axes.
    """
    import numpy as np

    mask = np.ma.getmaskarray(fetched) if isinstance(fetched, np.ma.MaskedArray) else None
    data = np.ma.getdata(fetched)
    if mask is not None and not mask.any():
        mask = None
    if data.dtype.kind == "f" and mask is not None and is_pandas:
        data = data.copy()
        data[mask] = np.nan
        mask = None
    if data.dtype.kind == "O":
        data, mask = _of_objects(data, mask, facts, sql_type)
    return data if mask is None else np.ma.MaskedArray(data, mask)


def _of_objects(data: Any, mask: Any, facts: Mapping[str, Any], sql_type: str) -> tuple[Any, Any]:
    """Give an array of Python objects a proper type: lists, texts or bytes."""
    import numpy as np

    shape = _row_shape(facts)
    if shape is not None or sql_type.endswith("]"):
        return _of_lists(data, shape, mask, facts)
    if sql_type not in {"VARCHAR", "BLOB"}:
        return data, mask
    is_bytes = sql_type == "BLOB"
    empty: Any = b"" if is_bytes else ""
    nulls = _nulls(data, mask)
    filled = [
        empty if is_null else (bytes(item) if is_bytes else item)
        for item, is_null in zip(data, nulls, strict=True)
    ]
    array = np.array(filled, dtype=bytes if is_bytes else str)
    return array, nulls if nulls.any() else None


def _nulls(data: Any, mask: Any) -> Any:
    """Which items are NULL, by the mask or by being None."""
    import numpy as np

    none = np.fromiter((item is None for item in data), dtype=bool, count=len(data))
    return none if mask is None else none | mask


def _of_lists(
    data: Any, shape: tuple[int, ...] | None, mask: Any, facts: Mapping[str, Any]
) -> tuple[Any, Any]:
    """Stack lists of one length along further axes; lists of several lengths stay objects."""
    import numpy as np

    if len(data) == 0:
        kind = str(facts.get("subtype", "float64")).split("[")[0]
        return np.empty((0, *(shape or ())), dtype=kind), None
    if mask is not None or len({len(item) for item in data}) != 1:
        return data, mask
    rows = [
        np.ma.MaskedArray(item) if not isinstance(item, np.ma.MaskedArray) else item
        for item in data
    ]
    stacked = np.ma.stack(rows)
    if shape is not None:
        stacked = stacked.reshape((len(data), *shape))
    elements = stacked.data
    if elements.dtype.kind == "O" and all(isinstance(item, str) for item in elements.flat):
        elements = elements.astype(str)
    has_nulls = bool(np.ma.getmaskarray(stacked).any())
    return elements, np.ma.getmaskarray(stacked) if has_nulls else None


def _row_shape(facts: Mapping[str, Any]) -> tuple[int, ...] | None:
    """Shape of one row's value, of the ``subtype`` that astropy writes (``float64[2,3]``)."""
    subtype = str(facts.get("subtype", ""))
    if not subtype.endswith("]") or "null" in subtype:
        return None
    return tuple(json.loads("[" + subtype.split("[", 1)[1]))
