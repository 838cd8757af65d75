"""The ``.qg`` file: a DuckDB database with the same tables, whatever the pipeline.

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
file     dataset, path, formatter, storage_class, size, checksum: where the
         files of inputs are that exist; empty unless that was asked for, and
         not there in files of older programs
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

#: Tables that a file need not have.
MORE_TABLES = {
    "file": {
        "dataset": "BIGINT",
        "path": "VARCHAR",
        "formatter": "VARCHAR",
        "storage_class": "VARCHAR",
        "size": "BIGINT",
        "checksum": "VARCHAR",
    }
}

#: Entries that the header has at least.
HEADER = (
    "format_version",
    "output_run",
    "input_collections",
    "universe",
    "dataset_types",
    "dimension_groups",
    "pipeline",
    "digest",
)

_BLOCK_BYTES = 16384
#: DuckDB's own format, so that every version from the oldest supported on reads the file.
_STORAGE = "v1.3.0"
_CATALOG = "graph"


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
    connection.execute(
        f"ATTACH '{name}' AS graph_file (BLOCK_SIZE {_BLOCK_BYTES}, STORAGE_VERSION '{_STORAGE}')"
    )
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


def make_tables(connection: duckdb.DuckDBPyConnection, file: str) -> None:
    """Make the tables of an attached new file; only ``data_id`` depends on the graph."""
    for table, columns in {**TABLES, **MORE_TABLES}.items():
        if table != "data_id":
            listed = ", ".join(f"{name} {type_}" for name, type_ in columns.items())
            connection.execute(f"CREATE TABLE {file}.{table} ({listed})")


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
        connection = _attached(path)
    except duckdb.Error as error:
        raise GraphFileError(
            f"{str(path)!r} cannot be opened as a quantum graph; it is truncated, altered, or "
            f"something else ({_first_line(error)})"
        ) from error
    try:
        _check_tables(connection, path)
        _name_tables(connection)
        _check_header(connection, path)
    except duckdb.Error as error:
        connection.close()
        raise GraphFileError(f"{str(path)!r} is damaged: {_first_line(error)}") from error
    except GraphFileError:
        connection.close()
        raise
    return connection


def _attached(path: Path) -> duckdb.DuckDBPyConnection:
    """Return a database of its own that has the file and nothing else within its reach.

    Opened by its path, a file would be looked for among those that this process
    has open, and an old one found where it was replaced.
    """
    import duckdb

    connection = duckdb.connect(":memory:", config={"autoload_known_extensions": "false"})
    try:
        name = str(path).replace("'", "''")
        connection.execute(f"ATTACH '{name}' AS {_CATALOG} (READ_ONLY, TYPE duckdb)")
        connection.execute("SET enable_external_access = false")
        connection.execute("SET lock_configuration = true")
    except duckdb.Error:
        connection.close()
        raise
    return connection


def _check_tables(connection: duckdb.DuckDBPyConnection, path: Path) -> None:
    rows = connection.execute(
        "SELECT schema_name, table_name, column_name, data_type FROM duckdb_columns() "
        "WHERE NOT internal AND database_name = ?",
        [_CATALOG],
    ).fetchall()
    found: dict[str, dict[str, str]] = {}
    for schema, table, column, type_ in rows:
        found.setdefault(table if schema == "main" else f"{schema}.{table}", {})[column] = type_
    due = {**TABLES, **{name: MORE_TABLES[name] for name in MORE_TABLES.keys() & found.keys()}}
    wrong = [
        table for table, columns in due.items() if columns.items() - found.get(table, {}).items()
    ]
    # A view could stand for anything.
    strange = connection.execute("SELECT 1 FROM duckdb_views() WHERE NOT internal").fetchall()
    if wrong or strange or found.keys() - due.keys():
        raise GraphFileError(
            f"{str(path)!r} is not a quantum graph of ours: it lacks, or has other than, the "
            "tables "
            f"{', '.join(TABLES)}"
        )


def _name_tables(connection: duckdb.DuckDBPyConnection) -> None:
    """Let the tables go by their bare names, outside the file.

    Rule: the file's own schema is never searched, so that no function which it
    defines can stand in for one of DuckDB's.
    """
    rows = connection.execute(
        "SELECT table_name FROM duckdb_tables() WHERE database_name = ?", [_CATALOG]
    ).fetchall()
    for (table,) in rows:
        connection.execute(f"CREATE VIEW {table} AS SELECT * FROM {_CATALOG}.main.{table}")  # noqa: S608 - names checked before


def _check_header(connection: duckdb.DuckDBPyConnection, path: Path) -> None:
    header = dict(connection.execute("SELECT name, value FROM header").fetchall())
    version = str(header.get("format_version"))
    if not version.isdecimal() or int(version) > FORMAT_VERSION:
        raise GraphFileError(
            f"{str(path)!r} has version {version!r} of the graph format; this program reads up to "
            f"{FORMAT_VERSION}. Use the program that wrote it, or a newer one"
        )
    missing = [name for name in HEADER if name not in header]
    if missing:
        raise GraphFileError(
            f"{str(path)!r} is damaged: its header lacks {', '.join(map(repr, missing))}"
        )


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0]
