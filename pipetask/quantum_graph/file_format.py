"""The ``.qg`` file: a DuckDB database with six tables, whatever the pipeline.

======== ==================================================================
table    columns
======== ==================================================================
header   name, value: format version, pipeline, universe, run, digest, ...
task     task, label, class_name, dimensions, config, connections
quantum  quantum, task, data_id, id
dataset  dataset, dataset_type, data_id, id, run (null for what will be made)
edge     quantum, connection, dataset
data_id  data_id, dimensions, and a column for each dimension and each
         record field that paths need
======== ==================================================================

Tasks, dataset types, connections and dimension groups are small integers;
their names are in the header and the task table. Rows are sorted by their
numbers, and every number follows the order of data IDs.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from butler_core.datastore.syncing import sync_directory, sync_file
from pipetask.errors import GraphFileError

if TYPE_CHECKING:
    import duckdb

FORMAT_VERSION = 1
SUFFIX = ".qg"

#: Columns that each table has at least, with their types.
TABLES = {
    "header": {"name": "VARCHAR", "value": "VARCHAR"},
    "task": {
        "task": "SMALLINT",
        "label": "VARCHAR",
        "class_name": "VARCHAR",
        "dimensions": "VARCHAR",
        "config": "VARCHAR",
        "connections": "VARCHAR",
    },
    "quantum": {"quantum": "BIGINT", "task": "SMALLINT", "data_id": "BIGINT", "id": "UUID"},
    "dataset": {
        "dataset": "BIGINT",
        "dataset_type": "SMALLINT",
        "data_id": "BIGINT",
        "id": "UUID",
        "run": "VARCHAR",
    },
    "edge": {"quantum": "BIGINT", "connection": "SMALLINT", "dataset": "BIGINT"},
    "data_id": {"data_id": "BIGINT", "dimensions": "SMALLINT"},
}

_BLOCK_BYTES = 16384


@contextmanager
def writing(connection: duckdb.DuckDBPyConnection, path: Path) -> Iterator[str]:
    """Lend the name of an attached new file; it gets its own name when the context ends well.

    Raises
    ------
    GraphFileError
        If the file cannot be written.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    temporary.unlink(missing_ok=True)
    if not path.parent.is_dir():
        raise GraphFileError(f"cannot write {str(path)!r}: its directory does not exist")
    name = str(temporary).replace("'", "''")
    connection.execute(f"ATTACH '{name}' AS graph_file (BLOCK_SIZE {_BLOCK_BYTES})")
    try:
        try:
            yield "graph_file"
            connection.execute("CHECKPOINT graph_file")
        finally:
            connection.execute("DETACH graph_file")
        sync_file(temporary)
        temporary.replace(path)
        sync_directory(path.parent)
    finally:
        temporary.unlink(missing_ok=True)
        Path(f"{temporary}.wal").unlink(missing_ok=True)


def open_checked(path: Path) -> duckdb.DuckDBPyConnection:
    """Open a graph file for reading, with nothing else within its reach.

    Raises
    ------
    GraphFileError
        If it is not there, not whole, not a graph, or of a newer version.
    """
    import duckdb

    if not path.is_file():
        raise GraphFileError(f"there is no quantum graph file {str(path)!r}")
    try:
        connection = duckdb.connect(
            str(path),
            read_only=True,
            config={"enable_external_access": "false", "autoload_known_extensions": "false"},
        )
        connection.execute("SET lock_configuration = true")
    except duckdb.Error as error:
        raise GraphFileError(
            f"{str(path)!r} cannot be opened as a quantum graph; it is truncated, altered, or "
            f"something else ({_first_line(error)})"
        ) from error
    try:
        _check_tables(connection, path)
    except duckdb.Error as error:
        connection.close()
        raise GraphFileError(f"{str(path)!r} is damaged: {_first_line(error)}") from error
    except GraphFileError:
        connection.close()
        raise
    return connection


def _check_tables(connection: duckdb.DuckDBPyConnection, path: Path) -> None:
    views = connection.execute("SELECT view_name FROM duckdb_views() WHERE NOT internal").fetchall()
    found: dict[str, dict[str, str]] = {}
    rows = connection.execute(
        "SELECT table_name, column_name, data_type FROM duckdb_columns() WHERE NOT internal"
    ).fetchall()
    for table, column, type_ in rows:
        found.setdefault(table, {})[column] = type_
    base = {
        row[0] for row in connection.execute("SELECT table_name FROM duckdb_tables()").fetchall()
    }
    wrong = [
        table
        for table, columns in TABLES.items()
        if table not in base or columns.items() - found.get(table, {}).items()
    ]
    if views or wrong or base - set(TABLES):
        raise GraphFileError(
            f"{str(path)!r} is not a quantum graph of ours: it lacks, or has other than, the tables "
            f"{', '.join(TABLES)}"
        )
    version = connection.execute(
        "SELECT value FROM header WHERE name = 'format_version'"
    ).fetchone()
    if version is None or int(version[0]) > FORMAT_VERSION:
        said = "no version" if version is None else f"version {version[0]}"
        raise GraphFileError(
            f"{str(path)!r} has {said} of the graph format; this program reads up to {FORMAT_VERSION}. "
            "Use the program that wrote it, or a newer one"
        )


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0]
