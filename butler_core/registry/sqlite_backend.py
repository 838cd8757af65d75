"""A registry in a SQLite file."""

from __future__ import annotations

import itertools
import sqlite3
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa

from butler_core.errors import (
    DatabaseBusyError,
    ReadOnlyRepositoryError,
    RepositoryError,
    RepositoryNotFoundError,
)
from butler_core.registry import sqlite_file
from butler_core.registry.backend import BoundColumns, OnConflict
from butler_core.registry.insert_text import insert_text
from butler_core.registry.row_spool import Rows
from butler_core.registry.schema import GROUP_SHIFT

#: Rows per executemany, so that memory stays bounded while a batch stays worth its call.
_CHUNK = 20_000


class SqliteBackend:
    """One file; see `butler_core.registry.backend.Backend`.

    Raises
    ------
    RepositoryNotFoundError
        If there is no such file.
    """

    driver_error: type[Exception] = sqlite3.DatabaseError
    # A transaction that reads first and writes later could find the file locked half-way.
    begin_writing = "BEGIN IMMEDIATE"

    def __init__(self, path: Path, *, writeable: bool) -> None:
        if not path.is_file():
            raise RepositoryNotFoundError(f"the registry's database {str(path)!r} does not exist")
        self.place = str(path)
        self.engine = sa.create_engine(
            "sqlite://",
            creator=lambda: sqlite_file.connect(path, writeable=writeable),
            poolclass=sa.pool.QueuePool,
            pool_size=8,
            max_overflow=24,
        )

    def insert(
        self,
        connection: sa.Connection,
        table: sa.Table,
        columns: BoundColumns,
        on_conflict: OnConflict,
    ) -> None:
        """Insert rows by executemany."""
        text = insert_text(self.engine.dialect, table, list(columns), "?", on_conflict)
        rows = zip(*columns.values(), strict=True)
        driver = connection.connection.driver_connection
        assert isinstance(driver, sqlite3.Connection)
        while chunk := list(itertools.islice(rows, _CHUNK)):
            driver.executemany(text, chunk)

    def must_lend_in_transaction(self, count: int) -> bool:  # noqa: ARG002 - of another kind, few need none
        """Return True: a temporary table goes with its transaction."""
        return True

    @contextmanager
    def lend(
        self, connection: sa.Connection, table: sa.Table, columns: BoundColumns
    ) -> Iterator[sa.FromClause]:
        """Lend a temporary table; it locks nobody out."""
        connection.execute(sa.schema.CreateTable(table))
        try:
            if len(next(iter(columns.values()))):
                self.insert(connection, table, columns, "raise")
            yield table
        finally:
            connection.execute(sa.schema.DropTable(table, if_exists=True))

    def give_keys(
        self, connection: sa.Connection, groups: sa.Table, group_id: int, count: int
    ) -> list[int]:
        """Count on in the group's row."""
        quote = self.engine.dialect.identifier_preparer.quote
        text = (
            f"UPDATE {quote(groups.name)} SET n_keys_given = n_keys_given + ? "  # noqa: S608 - quoted
            "WHERE group_id = ? RETURNING n_keys_given"
        )
        driver = connection.connection.driver_connection
        assert isinstance(driver, sqlite3.Connection)
        (n_given,) = driver.execute(text, (count, group_id)).fetchone()
        end = (group_id << GROUP_SHIFT) + n_given + 1
        return list(range(end - count, end))

    def lock(self, connection: sa.Connection, table: sa.Table) -> None:
        """Do nothing: a transaction that writes has the whole file to itself."""

    def refresh_statistics(self, connection: sa.Connection, grown: Mapping[str, int]) -> None:  # noqa: ARG002 - all of them cost little
        """Look at a thousand rows of each index."""
        connection.exec_driver_sql("PRAGMA analysis_limit=1000")
        connection.exec_driver_sql("ANALYZE")

    def stream(
        self, connection: sa.Connection, select: sa.Executable, size: int
    ) -> Generator[Rows, None, None]:
        """Step through the statement."""
        result = connection.execute(select)
        assert result.cursor is not None  # a select has one
        try:
            while rows := result.cursor.fetchmany(size):
                yield list(rows)
        finally:
            result.close()

    def cursors_block_writers(self, connection: sa.Connection) -> bool:
        """Return whether there is no write-ahead log."""
        return connection.exec_driver_sql("PRAGMA journal_mode").scalar() != "wal"

    def explain(self, error: BaseException) -> RepositoryError:
        """Tell locks from read-only files and from the rest."""
        text, place = str(error), self.place
        if isinstance(error, sqlite3.OperationalError):
            if "locked" in text or "busy" in text:
                return DatabaseBusyError(
                    f"another process kept {place!r} locked for longer than "
                    f"{sqlite_file.BUSY_TIMEOUT_MS // 1000} s; try again when it is done"
                )
            if "readonly" in text or "read-only" in text:
                return ReadOnlyRepositoryError(f"{place!r} cannot be written: {text}")
        return RepositoryError(f"the registry in {place!r} cannot be used: {text}")
