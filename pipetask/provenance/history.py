"""The history of a graph's quanta, when all of it is committed: a DuckDB file of three tables.

======== ==============================================================
table    columns
======== ==============================================================
header   name, value
attempt  number, id, task, data_id, attempt, outcome, fault, error,
         traceback, log_tail, started, elapsed_s, cpu_s, peak_memory_mib,
         host, pid, config_digest, code_digest
output   number, attempt, id, path, size, checksum
======== ==============================================================

An attempt's ``number`` is that of its quantum in the graph; ``data_id`` is JSON.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING

from butler_core.datastore.syncing import sync_directory, sync_file
from butler_core.failpoints import reach
from pipetask.errors import JournalError
from pipetask.provenance.journal import RUN, attempts_in, read_journal
from pipetask.provenance.run_folder import RunFolder

if TYPE_CHECKING:
    import duckdb

#: Columns of an attempt, with their types.
ATTEMPT = {
    "number": "BIGINT",
    "id": "VARCHAR",
    "task": "VARCHAR",
    "data_id": "JSON",
    "attempt": "INTEGER",
    "outcome": "VARCHAR",
    "fault": "VARCHAR",
    "error": "VARCHAR",
    "traceback": "VARCHAR",
    "log_tail": "VARCHAR",
    "started": "TIMESTAMP",
    "elapsed_s": "DOUBLE",
    "cpu_s": "DOUBLE",
    "peak_memory_mib": "DOUBLE",
    "host": "VARCHAR",
    "pid": "INTEGER",
    "config_digest": "VARCHAR",
    "code_digest": "VARCHAR",
}
#: Attempts of a journal that are taken in at once, so that memory does not grow with the run.
_PIECE = 10_000
#: Length of an attempt's record for which there is always room [bytes].
_LONG = 1 << 24

_SCHEMA = f"""
CREATE TABLE IF NOT EXISTS {{file}}.header (name VARCHAR, value VARCHAR);
CREATE TABLE IF NOT EXISTS {{file}}.attempt (
    {", ".join(f"{name} {type_}" for name, type_ in ATTEMPT.items())}
);
CREATE TABLE IF NOT EXISTS {{file}}.output (
    number BIGINT, attempt INTEGER, id VARCHAR, path VARCHAR, size BIGINT, checksum VARCHAR
);
"""


def seal(folder: RunFolder, graph_id: str) -> None:
    """Take the journals of a graph into its history, and remove them.

    All that they tell of must be committed. Interrupted at any moment, it can
    be called again.

    Raises
    ------
    JournalError
        If the history cannot be written; the journals stay.
    """
    import duckdb

    journals = folder.journals(graph_id)
    if not journals:
        return
    reach("seal.begin")
    history = folder.history(graph_id)
    temporary = history.with_name(f".{history.name}.tmp")
    try:
        temporary.unlink(missing_ok=True)
        with database() as connection:
            _write(connection, temporary, history if history.exists() else None, journals)
        sync_file(temporary)
        temporary.replace(history)
        sync_directory(history.parent)
    except (duckdb.Error, OSError) as error:
        raise JournalError(
            f"cannot write {str(history)!r}: {str(error).splitlines()[0]}; the journals beside it "
            "keep what it would say"
        ) from error
    reach("seal.written")
    for journal in journals:
        journal.unlink()
    reach("seal.removed")


@contextmanager
def database() -> Iterator[duckdb.DuckDBPyConnection]:
    """Lend an empty database in memory, to which files are attached."""
    import duckdb

    connection = duckdb.connect(":memory:", config={"autoload_known_extensions": "false"})
    try:
        connection.execute("SET enable_progress_bar = false")
        yield connection
    finally:
        connection.close()


def _write(
    connection: duckdb.DuckDBPyConnection,
    target: Path,
    earlier: Path | None,
    journals: Iterable[Path],
) -> None:
    connection.execute(f"ATTACH {text_of(target)} AS made (BLOCK_SIZE 16384)")
    connection.execute(_SCHEMA.format(file="made"))
    if earlier is not None:
        connection.execute(f"ATTACH {text_of(earlier)} AS earlier (READ_ONLY)")
        for table in ("header", "attempt", "output"):
            connection.execute(f"INSERT INTO made.{table} SELECT * FROM earlier.{table}")  # noqa: S608 - fixed names
    for journal in journals:
        _take_in(connection, journal)
    connection.execute("DETACH made")


def _take_in(connection: duckdb.DuckDBPyConnection, journal: Path) -> None:
    """Add a journal's attempts, but for those that are there already."""
    records = (record.text for record, _ in attempts_in(read_journal(journal)))
    while piece := list(islice(records, _PIECE)):
        _note(connection, piece)
        connection.execute(
            "CREATE OR REPLACE TEMP TABLE fresh AS SELECT * FROM noted n WHERE NOT EXISTS "
            "(SELECT 1 FROM made.attempt a WHERE (a.number, a.attempt, a.started) = "
            "(n.number, n.attempt, n.started)) "
            "QUALIFY row_number() OVER (PARTITION BY number, attempt, started) = 1"
        )
        connection.execute(f"INSERT INTO made.attempt SELECT {', '.join(ATTEMPT)} FROM fresh")  # noqa: S608 - fixed names
        connection.execute(
            "INSERT INTO made.output SELECT number, attempt, o->>0, o->>1, (o->>4)::BIGINT, o->>5 "
            "FROM (SELECT number, attempt, unnest(outputs) AS o FROM fresh)"
        )
    for entry in read_journal(journal):
        if entry.kind == RUN:
            head = entry.document
            rows = [(n, v if isinstance(v, str) else json.dumps(v)) for n, v in head.items()]
            connection.executemany(
                "INSERT INTO made.header SELECT ?, ? EXCEPT SELECT name, value FROM made.header",
                rows,
            )


def make_noted(connection: duckdb.DuckDBPyConnection, journals: Iterable[Path]) -> None:
    """Make the table ``noted`` of the attempts in journals: `ATTEMPT`, and ``outputs``."""
    every = chain.from_iterable(attempts_in(read_journal(journal)) for journal in journals)
    _note(connection, (record.text for record, _ in every))


def _note(connection: duckdb.DuckDBPyConnection, records: Iterable[bytes]) -> None:
    """Make the table ``noted`` of records of attempts."""
    columns = {**ATTEMPT, "outputs": "JSON[]"}
    listed = ", ".join(f"{name}: '{type_}'" for name, type_ in columns.items())
    longest = _LONG
    with tempfile.NamedTemporaryFile(suffix=".ndjson") as stream:
        for text in records:
            stream.write(text + b"\n")
            longest = max(longest, len(text))
        stream.flush()
        source = (
            f"read_json({text_of(stream.name)}, format = 'newline_delimited', "
            f"columns = {{{listed}}}, maximum_object_size = {longest})"
        )
        connection.execute(f"CREATE OR REPLACE TEMP TABLE noted AS SELECT * FROM {source}")  # noqa: S608 - fixed names


def text_of(value: Path | str) -> str:
    """Return a path as an SQL literal."""
    return "'" + str(value).replace("'", "''") + "'"


def done_numbers(folder: RunFolder, graph_id: str) -> frozenset[int]:
    """Return the numbers of the quanta of a graph that are done, in its history or its journals."""
    done = "SELECT number FROM {} WHERE outcome IN ('succeeded', 'no-work')"
    with database() as connection:
        make_noted(connection, folder.journals(graph_id))
        rows = connection.execute(done.format("noted")).fetchall()
        history = folder.history(graph_id)
        if history.exists():
            connection.execute(f"ATTACH {text_of(history)} AS earlier (READ_ONLY)")
            rows += connection.execute(done.format("earlier.attempt")).fetchall()
    return frozenset(row[0] for row in rows)
