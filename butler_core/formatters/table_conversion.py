"""Tables from one Python type to another, through `astropy.table.Table`.

pandas and pyarrow are used only where an object of theirs is given or asked
for. Reads and writes no file.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from butler_core.errors import ParameterError, WriteFileError, near_misses


def as_table(obj: Any) -> Any:
    """Make an astropy table of anything that holds columns.

    Parameters
    ----------
    obj
        An astropy table, a structured array, a mapping of names to columns, a
        pandas data frame or a pyarrow table.

    Returns
    -------
    astropy.table.Table
        The object itself where it is a table.

    Raises
    ------
    WriteFileError
        If it is none of these.
    """
    import numpy as np
    from astropy.table import Table

    if isinstance(obj, Table):
        return obj
    if isinstance(obj, np.ndarray) and obj.dtype.names is not None:
        return Table(obj)
    if isinstance(obj, Mapping):
        return Table(dict(obj))
    package = type(obj).__module__.split(".")[0]
    if package == "pandas":
        return Table.from_pandas(obj)
    if package == "pyarrow":
        return arrow_to_table(obj)
    raise WriteFileError(
        f"a {type(obj).__name__} is no table; give an astropy Table, a structured array, a dict of "
        "columns, a pandas data frame or a pyarrow table."
    )


def select_columns(table: Any, columns: str | Sequence[str] | None, path: str) -> Any:
    """Return the columns that were asked for, in that order.

    Parameters
    ----------
    table
        The table.
    columns
        A name, several, or None for all.
    path
        Name of the file, for messages.

    Raises
    ------
    ParameterError
        If a column is not there.
    """
    if columns is None:
        return table
    return table[check_columns(columns, table.colnames, path)]


def check_columns(columns: str | Sequence[str], present: Sequence[str], path: str) -> list[str]:
    """Return the names asked for as a list, each of which must be present.

    Parameters
    ----------
    columns
        A name, or several.
    present
        Names of the columns there are.
    path
        Name of the file, for messages.

    Raises
    ------
    ParameterError
        If a column is not there; all such are named.
    """
    wanted = [columns] if isinstance(columns, str) else list(columns)
    absent = [name for name in wanted if name not in present]
    if absent:
        raise ParameterError(
            f"no column {', '.join(map(repr, absent))} in {path!r}, which has "
            f"{', '.join(present)}.{near_misses(absent[0], present)}"
        )
    return list(dict.fromkeys(wanted))


def table_schema(table: Any) -> dict[str, dict[str, Any]]:
    """Describe a table's columns.

    Parameters
    ----------
    table
        An astropy table; its rows do not matter.

    Returns
    -------
    dict
        ``dtype``, ``shape`` (of one row's value), ``unit`` and ``description``
        by column name; the latter two are None where there is none.
    """
    from astropy.table import Column
    from astropy.units import Quantity

    typed = (Column, Quantity)
    schema: dict[str, dict[str, Any]] = {}
    for name in table.colnames:
        column = table[name]
        unit = getattr(column, "unit", None)
        schema[name] = {
            "dtype": str(column.dtype.name) if isinstance(column, typed) else "object",
            "shape": tuple(column.shape[1:]),
            "unit": None if unit is None else str(unit),
            "description": column.info.description,
        }
    return schema


def table_to_structured(table: Any) -> Any:
    """Make a structured array of a table; masked values become the fill value.

    Parameters
    ----------
    table
        An astropy table.
    """
    filled = table.filled() if table.has_masked_values else table
    array = filled.as_array()
    return array.data if hasattr(array, "mask") else array


def table_to_columns(table: Any) -> dict[str, Any]:
    """Make a dict of arrays of a table; a column with a mask stays masked.

    Parameters
    ----------
    table
        An astropy table.
    """
    import numpy as np

    return {
        name: np.ma.MaskedArray(table[name])
        if hasattr(table[name], "mask") and np.any(table[name].mask)
        else np.asarray(table[name])
        for name in table.colnames
    }


def structured_to_columns(array: Any) -> dict[str, Any]:
    """Make a dict of arrays of a structured array.

    Parameters
    ----------
    array
        With named fields.
    """
    return {name: array[name] for name in array.dtype.names or ()}


def columns_to_structured(columns: Mapping[str, Any]) -> Any:
    """Make a structured array of a mapping of names to columns.

    Parameters
    ----------
    columns
        Arrays of one length.
    """
    return table_to_structured(as_table(columns))


def table_to_pandas(table: Any) -> Any:
    """Make a pandas data frame of a table.

    Parameters
    ----------
    table
        An astropy table without multidimensional columns.
    """
    return table.to_pandas(index=False)


def pandas_to_structured(frame: Any) -> Any:
    """Make a structured array of a pandas data frame, its index left out.

    Parameters
    ----------
    frame
        The data frame.
    """
    return frame.to_records(index=False)


def pandas_to_columns(frame: Any) -> dict[str, Any]:
    """Make a dict of arrays of a pandas data frame, its index left out.

    Parameters
    ----------
    frame
        The data frame.
    """
    return {str(name): frame[name].to_numpy() for name in frame.columns}


def arrow_to_table(table: Any) -> Any:
    """Make an astropy table of a pyarrow table.

    Parameters
    ----------
    table
        The pyarrow table.
    """
    from astropy.table import Table

    return Table({name: table[name].to_numpy() for name in table.column_names})


def arrow_to_pandas(table: Any) -> Any:
    """Make a pandas data frame of a pyarrow table.

    Parameters
    ----------
    table
        The pyarrow table.
    """
    return table.to_pandas()


def table_to_arrow(table: Any) -> Any:
    """Make a pyarrow table of an astropy table.

    Parameters
    ----------
    table
        An astropy table.
    """
    import pyarrow as pa

    return pa.table({name: pa.array(list(table[name])) for name in table.colnames})
