"""Reads tables of data IDs for ``--data-id-table``. Looks nothing up."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from butler_core.dimensions.data_coordinate import typed_value
from butler_core.dimensions.universe import DimensionUniverse
from pipetask.errors import PipetaskError

_MAX_FAULTS = 5


def read_data_id_table(path: Path, universe: DimensionUniverse) -> dict[str, list[Any]]:
    """Read a table whose columns are dimensions, in any format that astropy reads.

    Returns
    -------
    dict
        Values by dimension, all of the dimension's type.

    Raises
    ------
    PipetaskError
        If there is no such file, it is no table, or a value cannot be one of
        its dimension.
    UnknownDimensionError
        If a column is no dimension.
    """
    import numpy as np

    table = _read(path)
    columns: dict[str, list[Any]] = {}
    faults: list[str] = []
    for name in table.colnames:
        element = universe[name]
        columns[name] = []
        for number, value in enumerate(table[name], start=1):
            if np.ma.is_masked(value):
                faults.append(f"row {number} has no {name}")
                continue
            plain = value.item() if hasattr(value, "item") else value
            columns[name].append(typed_value(element, plain, faults))
    if faults:
        more = f"; and {len(faults) - _MAX_FAULTS} more" if len(faults) > _MAX_FAULTS else ""
        raise PipetaskError(
            f"--data-id-table {str(path)!r}: {'; '.join(faults[:_MAX_FAULTS])}{more}"
        )
    return columns


def _read(path: Path) -> Any:
    from astropy.io.registry import IORegistryError
    from astropy.table import Table

    if not path.is_file():
        raise PipetaskError(f"--data-id-table: there is no file {str(path)!r}")
    try:
        return Table.read(path)
    except (IORegistryError, OSError, ValueError) as error:
        said = str(error).partition("\n")[0]
        raise PipetaskError(
            f"--data-id-table: {str(path)!r} cannot be read as a table; astropy tells the format "
            f"by the ending of the name, such as .csv, .ecsv or .fits ({said})"
        ) from error
