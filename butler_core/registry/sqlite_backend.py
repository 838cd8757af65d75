"""A registry in a SQLite file."""

from __future__ import annotations

import itertools
import os
import sqlite3
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

from butler_core.errors import (
    DatabaseBusyError,
    ReadOnlyRepositoryError,
    RepositoryError,
    RepositoryNotFoundError,
)
from butler_core.registry import sqlite_file
from butler_core.registry.backend import KEY, BoundColumns, BoundRow, OnConflict
from butler_core.registry.insert_text import insert_text
from butler_core.registry.row_spool import Rows
from butler_core.registry.schema import GROUP_SHIFT

#: Rows per executemany, so that memory stays bounded while a batch stays worth its call.
_CHUNK = 20_000

#: Keys counted at once for datasets that come one by one: each then has a page less to write.
_SET_ASIDE = 64


@dataclass(slots=True)
class _Keys:
    """Keys from ``first`` to ``last`` that one process may give."""

    process: int
    first: int
    last: int


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
        #: Keys set aside for single datasets, by dimension group. Who writes has the file alone.
        self._keys: dict[int, _Keys] = {}
        self.engine = sa.create_engine(
            "sqlite://",
            creator=lambda: sqlite_file.connect(path, writeable=writeable),
            poolclass=sa.pool.QueuePool,
            pool_size=8,
            max_overflow=24,
        )

    def hold(self, connection: sa.Connection, text: str) -> None:
        """Run a statement now: there is no server to wait for."""
        _driver(connection).execute(text)

    def insert(
        self,
        connection: sa.Connection,
        table: sa.Table,
        columns: BoundColumns,
        on_conflict: OnConflict,
    ) -> None:
        """Insert rows by executemany."""
        text = insert_text(self.engine.dialect, table, tuple(columns), "?", on_conflict)
        rows = zip(*columns.values(), strict=True)
        driver = _driver(connection)
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
        end = _count_on(_driver(connection), groups, group_id, count) + 1
        return list(range(end - count, end))

    def insert_keyed(
        self,
        connection: sa.Connection,
        groups: sa.Table,
        group_id: int,
        rows: Sequence[BoundRow],
    ) -> int:
        """Take a key that was set aside, and insert one row after another."""
        driver = _driver(connection)
        kept = self._keys.get(group_id)
        if kept is None or kept.process != os.getpid() or kept.first > kept.last:
            last = _count_on(driver, groups, group_id, _SET_ASIDE)
            kept = self._keys[group_id] = _Keys(os.getpid(), last - _SET_ASIDE + 1, last)
        key = kept.first
        kept.first += 1
        for row in rows:
            text = insert_text(self.engine.dialect, row.table, (KEY, *row.names), "?", "raise")
            driver.execute(text, (key, *row.values))
        return key

    def forget_keys(self) -> None:
        """Count on anew next time; what was set aside stays unused."""
        self._keys.clear()

    def lock(self, connection: sa.Connection, table: sa.Table) -> None:
        """Do nothing: a transaction that writes has the whole file to itself."""

    def lock_out_writers(self, connection: sa.Connection, tables: Sequence[sa.Table]) -> None:
        """Do nothing, for the same reason."""

    def faults(self, connection: sa.Connection) -> list[str]:
        """Look at every page of the file; the contents of indexes are not compared."""
        found: list[str] = []
        try:
            for (text,) in _driver(connection).execute("PRAGMA quick_check"):
                found += [line for line in text.splitlines() if not line.startswith("***")]
        except sqlite3.OperationalError:
            raise
        except sqlite3.DatabaseError as error:
            found.append(str(error))  # behind what was found before it
        return [] if found == ["ok"] else found

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
            if "unable to open" in text and sqlite_file.is_on_read_only_disk(Path(place)):
                return ReadOnlyRepositoryError(
                    f"{place!r} cannot be written: its file system is read-only"
                )
        return RepositoryError(f"the registry in {place!r} cannot be used: {text}")


def _driver(connection: sa.Connection) -> sqlite3.Connection:
    driver = connection.connection.driver_connection
    assert isinstance(driver, sqlite3.Connection)
    return driver


def _count_on(driver: sqlite3.Connection, groups: sa.Table, group_id: int, count: int) -> int:
    """Take the next keys of a dimension group and return the last of them."""
    text = (
        f'UPDATE "{groups.name}" SET n_keys_given = n_keys_given + ? '  # noqa: S608 - quoted
        "WHERE group_id = ? RETURNING n_keys_given"
    )
    (n_given,) = driver.execute(text, (count, group_id)).fetchone()
    return int((group_id << GROUP_SHIFT) + n_given)
