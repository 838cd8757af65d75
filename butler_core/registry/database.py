"""The engine, its transactions, and columns in and out.

Runs statements. Knows no table and no meaning.
"""

from __future__ import annotations

import itertools
import sqlite3
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import sqlalchemy as sa

from butler_core.errors import (
    DatabaseBusyError,
    ReadOnlyRepositoryError,
    RepositoryError,
    RepositoryNotFoundError,
)
from butler_core.registry import sqlite_file

Columns = dict[str, list[Any]]

#: Rows per executemany, so that memory stays bounded while a batch stays worth its call.
_CHUNK = 20_000

_STAGE_NUMBER = itertools.count()


class Database:
    """A connection pool to one SQLite file.

    Statements outside `transaction` commit by themselves; inside, all of one
    thread's statements share one connection. Transactions nest as savepoints.
    """

    def __init__(self, engine: sa.Engine, *, is_writeable: bool, place: str) -> None:
        self._engine = engine
        self._local = threading.local()
        #: How many transactions were undone; whoever remembers what it read looks here.
        self.rollbacks = 0
        self.is_writeable = is_writeable
        #: Where the database is, for messages.
        self.place = place

    @classmethod
    def open_sqlite(cls, path: Path, *, writeable: bool) -> Database:
        """Open an existing file.

        Raises
        ------
        RepositoryNotFoundError
            If there is no such file.
        """
        if not path.is_file():
            raise RepositoryNotFoundError(f"the registry's database {str(path)!r} does not exist")
        engine = sa.create_engine(
            "sqlite://",
            creator=lambda: sqlite_file.connect(path, writeable=writeable),
            poolclass=sa.pool.QueuePool,
            pool_size=8,
            max_overflow=24,
        )
        return cls(engine, is_writeable=writeable, place=str(path))

    @property
    def dialect(self) -> sa.Dialect:
        """The SQL dialect that statements are compiled for."""
        return self._engine.dialect

    def close(self) -> None:
        """Close all connections; SQLite then folds its write-ahead log into the file."""
        self._engine.dispose()

    # --------------------------------------------------------- transactions
    @contextmanager
    def transaction(self) -> Iterator[sa.Connection]:
        """Commit all that happens inside, or nothing of it.

        Raises
        ------
        ReadOnlyRepositoryError
            If the repository is open for reading only.
        DatabaseBusyError
            If another process holds the database for too long.
        """
        if not self.is_writeable:
            raise ReadOnlyRepositoryError(
                f"{self.place!r} is open for reading only; open the repository with writeable=True"
            )
        outer = self._current()
        with _plain_errors(self.place):
            if outer is not None:
                try:
                    with outer.begin_nested():
                        yield outer
                except BaseException:
                    self.rollbacks += 1
                    raise
                return
            with self._engine.connect() as connection:
                # The driver is in autocommit mode: a transaction begins where we say so.
                connection.exec_driver_sql("BEGIN IMMEDIATE")
                self._local.connection = connection
                try:
                    yield connection
                    connection.commit()
                except BaseException:
                    self.rollbacks += 1
                    connection.rollback()
                    raise
                finally:
                    self._local.connection = None

    @contextmanager
    def connection(self) -> Iterator[sa.Connection]:
        """Yield the transaction's connection, or one for reading."""
        outer = self._current()
        with _plain_errors(self.place):
            if outer is not None:
                yield outer
                return
            with self._engine.connect() as connection:
                yield connection

    @property
    def in_transaction(self) -> bool:
        """Whether this thread is inside `transaction`."""
        return self._current() is not None

    def _current(self) -> sa.Connection | None:
        return getattr(self._local, "connection", None)

    # ------------------------------------------------------------ statements
    def execute(self, statement: sa.Executable, parameters: Any = None) -> int:
        """Run one statement in a transaction and return the number of rows it touched."""
        with self.transaction() as connection:
            return int(connection.execute(statement, parameters).rowcount)

    def fetch_rows(self, select: sa.Select[Any] | sa.CompoundSelect[Any]) -> list[tuple[Any, ...]]:
        """Return all rows of a query as plain tuples."""
        with self.connection() as connection:
            result = connection.execute(select)
            assert result.cursor is not None  # a select has one
            rows: list[tuple[Any, ...]] = list(result.cursor.fetchall())
            result.close()
        processors = self._result_processors(select)
        if rows and any(processors):
            columns = [
                values if process is None else [process(value) for value in values]
                for process, values in zip(processors, zip(*rows, strict=True), strict=True)
            ]
            return list(zip(*columns, strict=True))
        return rows

    def fetch_columns(self, select: sa.Select[Any] | sa.CompoundSelect[Any]) -> Columns:
        """Return all rows of a query as one list per column, by column name."""
        names = [column.name for column in select.selected_columns]
        rows = self.fetch_rows(select)
        if not rows:
            return {name: [] for name in names}
        return dict(zip(names, map(list, zip(*rows, strict=True)), strict=True))

    def fetch_scalar(self, select: sa.Select[Any]) -> Any:
        """Return the first column of the first row, or None if there is no row."""
        with self.connection() as connection:
            return connection.execute(select).scalar()

    def _result_processors(self, select: Any) -> list[Any]:
        dialect = self._engine.dialect
        return [
            column.type.dialect_impl(dialect).result_processor(dialect, None)
            for column in select.selected_columns
        ]

    # --------------------------------------------------------------- columns
    def insert_columns(
        self,
        table: sa.Table,
        columns: Mapping[str, Sequence[Any]],
        *,
        on_conflict: Literal["raise", "skip", "replace"] = "raise",
    ) -> None:
        """Insert many rows given as columns, in one transaction.

        Raises
        ------
        sqlalchemy.exc.IntegrityError
            If a constraint is broken and ``on_conflict`` is ``raise``.
        """
        if not columns or not len(next(iter(columns.values()))):
            return
        text = self._insert_text(table, list(columns), on_conflict)
        rows = zip(*self._bound(table, columns), strict=True)
        with self.transaction() as connection:
            while chunk := list(itertools.islice(rows, _CHUNK)):
                connection.exec_driver_sql(text, chunk)

    def _insert_text(self, table: sa.Table, names: Sequence[str], on_conflict: str) -> str:
        quote = self._engine.dialect.identifier_preparer.quote
        listed = ", ".join(quote(name) for name in names)
        marks = ", ".join("?" for _ in names)
        text = f"INSERT INTO {quote(table.name)} ({listed}) VALUES ({marks})"  # noqa: S608 - quoted identifiers
        if on_conflict == "raise":
            return text
        key = ", ".join(quote(column.name) for column in table.primary_key)
        if on_conflict == "skip":
            return f"{text} ON CONFLICT DO NOTHING"
        others = [name for name in names if name not in table.primary_key.columns]
        changes = ", ".join(f"{quote(name)} = excluded.{quote(name)}" for name in others)
        action = f"DO UPDATE SET {changes}" if changes else "DO NOTHING"
        return f"{text} ON CONFLICT ({key}) {action}"

    @contextmanager
    def staged(
        self, columns: Mapping[str, Sequence[Any]], like: Mapping[str, sa.ColumnElement[Any]]
    ) -> Iterator[sa.Table]:
        """Lend a temporary table of rows to join against.

        Parameters
        ----------
        columns
            The rows, as columns of equal length.
        like
            For each name, a column whose type it is to have.
        """
        name = f"staged_{next(_STAGE_NUMBER)}"
        table = sa.Table(
            name,
            sa.MetaData(),
            *(sa.Column(column, like[column].type) for column in columns),
            prefixes=["TEMPORARY"],
        )
        with self.connection() as connection:
            held = self._current()
            if held is None:
                connection.exec_driver_sql("BEGIN")  # temporary tables lock nobody out
            self._local.connection = connection
            try:
                connection.execute(sa.schema.CreateTable(table))
                text = self._insert_text(table, list(columns), "raise")
                if rows := list(zip(*self._bound(table, columns), strict=True)):
                    connection.exec_driver_sql(text, rows)
                yield table
            finally:
                self._local.connection = held
                if held is None:
                    connection.rollback()  # which takes the temporary table with it
                else:
                    connection.execute(sa.schema.DropTable(table, if_exists=True))

    def _bound(self, table: sa.Table, columns: Mapping[str, Sequence[Any]]) -> list[Sequence[Any]]:
        """Return the columns' values as the driver takes them."""
        dialect = self._engine.dialect
        values: list[Sequence[Any]] = []
        for name, column in columns.items():
            process = table.c[name].type.dialect_impl(dialect).bind_processor(dialect)
            values.append(column if process is None else [process(value) for value in column])
        return values

    # ----------------------------------------------------------------- tables
    def create_tables(
        self, metadata: sa.MetaData, tables: Sequence[sa.Table] | None = None
    ) -> None:
        """Create the tables that do not exist yet."""
        with self.transaction() as connection:
            metadata.create_all(connection, tables=tables)

    def has_table(self, name: str) -> bool:
        """Return whether there is a table of this name."""
        with self.connection() as connection:
            return sa.inspect(connection).has_table(name)

    def refresh_statistics(self) -> None:
        """Let the query planner look at the tables again, as it must after bulk changes."""
        with self.connection() as connection:
            connection.exec_driver_sql("PRAGMA analysis_limit=1000")
            connection.exec_driver_sql("ANALYZE")


@contextmanager
def _plain_errors(place: str) -> Iterator[None]:
    """Turn what the driver says of locks, disks and files into the errors we promise."""
    try:
        yield
    except sa.exc.OperationalError as error:
        text = str(error.orig)
        if "locked" in text or "busy" in text:
            raise DatabaseBusyError(
                f"another process kept {place!r} locked for longer than "
                f"{sqlite_file.BUSY_TIMEOUT_MS // 1000} s; try again when it is done"
            ) from error
        if "readonly" in text or "read-only" in text:
            raise ReadOnlyRepositoryError(f"{place!r} cannot be written: {text}") from error
        raise RepositoryError(f"the registry in {place!r} cannot be used: {text}") from error
    except sqlite3.DatabaseError as error:
        raise RepositoryError(f"the registry in {place!r} cannot be used: {error}") from error
    except sa.exc.DatabaseError as error:
        if isinstance(error, sa.exc.IntegrityError):
            raise
        raise RepositoryError(f"the registry in {place!r} cannot be used: {error.orig}") from error
