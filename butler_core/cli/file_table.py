"""Reads the table of ``butler ingest-files``, and says all that is wrong with it.

The first column has the files; the others, the values of their data IDs. Registers nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from butler_core.errors import ConfigError, DataIdError, IngestError, near_misses

if TYPE_CHECKING:
    from astropy.table import Table

    from butler_core.datasets.dataset_type import DatasetType
    from butler_core.dimensions.dimension import DimensionElement
    from butler_core.dimensions.universe import DimensionUniverse

_FAULTS_SHOWN = 20


@dataclass(frozen=True, slots=True)
class FileTable:
    """Files and their data IDs, as columns of equal length."""

    paths: list[Path]
    #: Values of the dataset type's required dimensions.
    columns: dict[str, list[Any]]


def read_file_table(
    file: str, dataset_type: DatasetType, fixed: Mapping[str, Any], prefix: str | None
) -> FileTable:
    """Read a table of files, in any form that astropy knows by itself.

    Parameters
    ----------
    fixed
        Values of dimensions that hold for all files; they win over columns.
    prefix
        Where relative paths start; the working directory if None.

    Raises
    ------
    IngestError
        If the table cannot be read, lacks a dimension, holds a value that cannot be, or names
        files that are not there; all faults are listed.
    """
    table = _read(file)
    names = list(table.colnames)
    _check_names(file, names[1:], dataset_type, fixed)
    count = len(table)
    columns: dict[str, list[Any]] = {}
    faults: list[str] = []
    for name in dataset_type.dimensions.required:
        element = dataset_type.dimensions.universe[name]
        values = [fixed[name]] * count if name in fixed else table[name].tolist()
        columns[name] = [_typed(element, value, row, faults) for row, value in enumerate(values)]
    start = Path(prefix) if prefix else Path()
    paths = [start / str(text).removeprefix("file://") for text in table[names[0]].tolist()]
    faults += [f"there is no file {str(path)!r}" for path in paths if not path.is_file()]
    if faults:
        raise IngestError(f"{file!r} cannot be ingested; nothing was:\n{_listed(faults)}")
    return FileTable(paths, columns)


def _read(file: str) -> Table:
    if not Path(file).is_file():
        raise IngestError(f"there is no table file {file!r}")
    from astropy.io.registry import IORegistryError
    from astropy.table import Table

    try:
        table = Table.read(file)
    except IORegistryError:
        table = _read_text(file)
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise IngestError(f"{file!r} cannot be read as a table: {error}") from error
    if len(table.colnames) == 0 or len(table) == 0:
        raise IngestError(f"the table in {file!r} has no rows")
    return table


def _read_text(file: str) -> Table:
    """Read a text table whose name does not say its form."""
    from astropy.io import ascii as text_tables

    try:
        return text_tables.read(file)
    except (text_tables.InconsistentTableError, OSError, ValueError) as error:
        raise IngestError(f"{file!r} cannot be read as a table (ECSV, CSV, FITS, ...)") from error


def _check_names(
    file: str, names: Sequence[str], dataset_type: DatasetType, fixed: Mapping[str, Any]
) -> None:
    group = dataset_type.dimensions
    unknown = [name for name in names if name not in group.universe]
    if unknown:
        hints = "".join(near_misses(name, group.names) for name in unknown)
        raise IngestError(
            f"{file!r} has columns that are no dimensions: {', '.join(map(repr, unknown))}.{hints} "
            "Its first column must have the files, the others the values of dimensions."
        )
    missing = [name for name in group.required if name not in names and name not in fixed]
    if missing:
        raise IngestError(
            f"{file!r} has no column {', '.join(map(repr, missing))}, which data IDs of "
            f"{dataset_type.name!r} need; it has {', '.join(map(repr, names)) or 'files only'}. "
            f"A value that all files share can be given as --data-id {missing[0]}=VALUE."
        )


def _typed(element: DimensionElement, value: Any, row: int, faults: list[str]) -> Any:
    """Return a value as its dimension has it, or note a fault."""
    if value is None:
        faults.append(f"row {row + 1} has no {element.name}")
        return None
    assert element.key is not None
    if element.key.type != "int":
        return str(value)
    if isinstance(value, int) or re.fullmatch(r"\s*-?\d+\s*", str(value)):
        return int(value)
    faults.append(f"row {row + 1}: {element.name} must be a whole number, not {value!r}")
    return None


def _listed(faults: list[str]) -> str:
    lines = [f"  {fault}" for fault in faults[:_FAULTS_SHOWN]]
    if len(faults) > _FAULTS_SHOWN:
        lines.append(f"  ... and {len(faults) - _FAULTS_SHOWN} more")
    return "\n".join(lines)


def parse_data_id(pairs: Sequence[str], universe: DimensionUniverse) -> dict[str, Any]:
    """Read ``dimension=value`` texts.

    Raises
    ------
    ConfigError
        If one is not of that form.
    UnknownDimensionError
        If there is no such dimension.
    DataIdError
        If a value is not of the dimension's type.
    """
    values: dict[str, Any] = {}
    for pair in pairs:
        name, equals, text = pair.partition("=")
        if not equals:
            raise ConfigError(f"--data-id {pair!r} is not of the form DIMENSION=VALUE")
        element = universe[name.strip()]
        faults: list[str] = []
        values[element.name] = _typed(element, text.strip(), 0, faults)
        if faults:
            raise DataIdError(f"--data-id {pair!r}: {element.name} must be a whole number")
    return values
