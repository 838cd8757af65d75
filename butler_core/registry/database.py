"""Transactions, statements, and columns in and out.

Runs statements. Knows no table and no meaning, and nothing of one kind of database.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, nullcontext
from typing import Any

import sqlalchemy as sa

from butler_core.errors import ReadOnlyRepositoryError
from butler_core.garbage import collection_paused
from butler_core.registry.backend import Backend, OnConflict
from butler_core.registry.binding import ValueBinder
from butler_core.registry.kept_connections import KeptConnections
from butler_core.registry.plain_errors import PlainErrors
from butler_core.registry.prepared_statement import PreparedStatement
from butler_core.registry.result_rows import as_columns, as_rows, result_processors
from butler_core.registry.row_spool import Rows, RowSpool

Columns = dict[str, list[Any]]
Select = sa.Select[Any] | sa.CompoundSelect[Any]

#: Rows of a page: so many are in memory at a time where an answer is gone through.
_PAGE = 20_000

#: Rows of the first page, where it is to come soon.
_FIRST_PAGE = 200

#: From so many new rows on, a table's statistics are worth refreshing.
_MANY = 1_000

_STAGE_NUMBER = itertools.count()
_INNER = "inner_transaction"


class Database:
    """A connection pool to one database.

    Statements outside `transaction` commit by themselves; inside, all of one
    thread's statements share one connection. Transactions nest as savepoints.
    """

    def __init__(self, backend: Backend, *, is_writeable: bool) -> None:
        self._backend = backend
        self._engine = backend.engine
        self._local = threading.local()
        self._kept = KeptConnections(backend.engine)
        self._plain_errors = PlainErrors(backend)
        #: How many transactions were undone; whoever remembers what it read looks here.
        self.rollbacks = 0
        self.is_writeable = is_writeable
        self._binder = ValueBinder(self._engine.dialect)
        #: By how many rows tables have grown since the query planner last looked at them.
        self._grown: dict[str, int] = {}

    @property
    def place(self) -> str:
        """Where the database is, for messages."""
        return self._backend.place

    @property
    def dialect(self) -> sa.Dialect:
        """The SQL dialect that statements are compiled for."""
        return self._engine.dialect

    def close(self) -> None:
        """Close all connections; SQLite then folds its write-ahead log into the file."""
        self._kept.close()
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
        with self._plain_errors:
            if outer is not None:
                with self._savepoint(outer):
                    yield outer
                return
            with self._kept.mine() as connection:
                # The driver is in autocommit mode: a transaction begins where we say so.
                driver = _driver(connection)
                self._backend.hold(connection, self._backend.begin_writing)
                self._local.connection = connection
                try:
                    yield connection
                    driver.commit()
                except BaseException:
                    self._count_rollback()
                    driver.rollback()
                    raise
                finally:
                    self._local.connection = None

    def _count_rollback(self) -> None:
        """Let all who remember know, before anyone else can write."""
        self.rollbacks += 1
        self._backend.forget_keys()

    @contextmanager
    def _savepoint(self, connection: sa.Connection) -> Iterator[None]:
        """Undo what happens inside if it fails, and nothing else of the transaction."""
        hold = self._backend.hold
        hold(connection, f"SAVEPOINT {_INNER}")  # hides an outer one of its name
        try:
            yield
        except BaseException:
            self._count_rollback()
            _driver(connection).execute(f"ROLLBACK TO SAVEPOINT {_INNER}")
            hold(connection, f"RELEASE SAVEPOINT {_INNER}")
            raise
        hold(connection, f"RELEASE SAVEPOINT {_INNER}")

    @contextmanager
    def _writing(self) -> Iterator[sa.Connection]:
        """Yield the transaction's connection as it is, or that of a transaction of its own."""
        outer = self._current()
        if outer is None or not self.is_writeable:
            with self.transaction() as connection:
                yield connection
            return
        with self._plain_errors:
            yield outer

    @contextmanager
    def connection(self) -> Iterator[sa.Connection]:
        """Yield the transaction's connection, or one for reading."""
        outer = self._current()
        with self._plain_errors:
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
        """Run one statement in a transaction and return the number of rows it touched.

        Raises
        ------
        sqlalchemy.exc.IntegrityError
            If a constraint is broken; an outer transaction can then only be undone.
        """
        with self._writing() as connection:
            return int(connection.execute(statement, parameters).rowcount)

    def fetch_rows(self, select: Select) -> Rows:
        """Return all rows of a query as plain tuples."""
        return as_rows(self._raw_rows(select), result_processors(self.dialect, select))

    def fetch_columns(self, select: Select) -> Columns:
        """Return all rows of a query as one list per column, by column name."""
        names = [column.name for column in select.selected_columns]
        processors = result_processors(self.dialect, select)
        with collection_paused():
            return as_columns(names, self._raw_rows(select), processors)

    def _raw_rows(self, select: Select) -> Rows:
        with self.connection() as connection:
            result = connection.execute(select)
            assert result.cursor is not None  # a select has one
            rows: Rows = list(result.cursor.fetchall())
            result.close()
        return rows

    def fetch_prepared(self, statement: PreparedStatement, values: Mapping[str, Any]) -> Rows:
        """Return all rows of a prepared query as plain tuples."""
        return as_rows(self._prepared_rows(statement, values), statement.result_processors)

    def fetch_prepared_columns(
        self, statement: PreparedStatement, values: Mapping[str, Any]
    ) -> Columns:
        """Return all rows of a prepared query as one list per column, by column name."""
        with collection_paused():
            # Rule: the rows have no name here. They go before the search for circles is on
            # again, which would look at each of them.
            return as_columns(
                statement.names,
                self._prepared_rows(statement, values),
                statement.result_processors,
            )

    def _prepared_rows(self, statement: PreparedStatement, values: Mapping[str, Any]) -> Rows:
        outer = self._current()
        lent = self._kept.mine() if outer is None else nullcontext(outer)
        with self._plain_errors, collection_paused(), lent as connection:
            cursor = _driver(connection).execute(statement.text, statement.parameters(values))
            rows: Rows = cursor.fetchall()
        return rows

    def fetch_scalar(self, select: sa.Select[Any]) -> Any:
        """Return the first column of the first row, or None if there is no row."""
        with self.connection() as connection:
            return connection.execute(select).scalar()

    def stream_pages(self, select: Select) -> Iterator[Rows]:
        """Give the rows of a query as the database finds them, page by page.

        Rule: a cursor is open between pages, so nothing slow and nobody else's
        code may run there; see `fetch_pages`.
        """
        processors = result_processors(self.dialect, select)
        with self.connection() as connection:
            for page in self._backend.stream(connection, select, _PAGE):
                yield as_rows(page, processors)

    def fetch_pages(self, select: Select) -> Iterator[Rows]:
        """Give the rows of a query page by page, in bounded memory, the first few soon.

        What comes after the first page waits in a temporary file, so that no
        cursor stays open while the caller works. Where an open cursor would
        keep others from writing, the first page waits for the last, too.
        """
        if self.in_transaction:
            yield from self.spool(select).pages()
            return
        processors = result_processors(self.dialect, select)
        with self.connection() as connection:
            if self._backend.cursors_block_writers(connection):
                yield from self.spool(select).pages()
                return
            with closing(self._backend.stream(connection, select, _FIRST_PAGE)) as pages:
                yield as_rows(next(pages, []), processors)
                rest = RowSpool(as_rows(page, processors) for page in pages)
        yield from rest.pages()

    def spool(self, select: Select) -> RowSpool:
        """Fetch the rows of a query at once, those of further pages into a temporary file."""
        processors = result_processors(self.dialect, select)
        with self.connection() as connection:
            pages = self._backend.stream(connection, select, _PAGE)
            return RowSpool(as_rows(page, processors) for page in pages)

    # --------------------------------------------------------------- columns
    def insert_columns(
        self,
        table: sa.Table,
        columns: Mapping[str, Sequence[Any]],
        *,
        on_conflict: OnConflict = "raise",
    ) -> None:
        """Insert many rows given as columns, in one transaction.

        Raises
        ------
        sqlalchemy.exc.IntegrityError
            If a constraint is broken and ``on_conflict`` is ``raise``; the
            transaction in which that happens can then only be undone.
        """
        if not columns or not len(next(iter(columns.values()))):
            return
        bound = self._binder.columns(table, columns)
        count = len(next(iter(bound.values())))
        if count >= _MANY:
            self._grown[table.name] = self._grown.get(table.name, 0) + count
        with self._writing() as connection:
            self._backend.insert(connection, table, bound, on_conflict)

    @contextmanager
    def staged(
        self, columns: Mapping[str, Sequence[Any]], like: Mapping[str, sa.ColumnElement[Any]]
    ) -> Iterator[sa.FromClause]:
        """Lend a table of rows to join against.

        Parameters
        ----------
        columns
            The rows, as columns of equal length.
        like
            For each name, a column whose type it is to have.
        """
        table = sa.Table(
            f"staged_{next(_STAGE_NUMBER)}",
            sa.MetaData(),
            *(sa.Column(column, like[column].type) for column in columns),
            prefixes=["TEMPORARY"],
        )
        bound = self._binder.columns(table, columns)
        count = len(next(iter(columns.values())))
        with self.connection() as connection:
            held = self._current()
            if held is not None or not self._backend.must_lend_in_transaction(count):
                with self._backend.lend(connection, table, bound) as lent:
                    yield lent
                return
            _driver(connection).execute("BEGIN")
            self._local.connection = connection
            try:
                with self._backend.lend(connection, table, bound) as lent:
                    yield lent
            finally:
                self._local.connection = None
                _driver(connection).rollback()

    # ----------------------------------------------------------------- tables
    def create_tables(
        self, metadata: sa.MetaData, tables: Sequence[sa.Table] | None = None
    ) -> None:
        """Create the tables that do not exist yet."""
        with self._writing() as connection:
            metadata.create_all(connection, tables=tables)

    def drop_tables(self, metadata: sa.MetaData) -> None:
        """Drop those of the tables that there are."""
        with self._writing() as connection:
            metadata.drop_all(connection)

    def has_table(self, name: str) -> bool:
        """Return whether there is a table of this name."""
        with self.connection() as connection:
            return sa.inspect(connection).has_table(name)

    def lock(self, table: sa.Table) -> None:
        """Wait until no other transaction has locked a table, until this one ends."""
        with self._writing() as connection:
            self._backend.lock(connection, table)

    def lock_out_writers(self, tables: Sequence[sa.Table]) -> None:
        """Wait until nobody else has uncommitted rows in tables, and let none write to them."""
        with self._writing() as connection:
            self._backend.lock_out_writers(connection, tables)

    def faults(self) -> list[str]:
        """Return what is wrong with the database's own file; nothing of a server's."""
        with self.connection() as connection:
            return self._backend.faults(connection)

    def give_keys(self, groups: sa.Table, group_id: int, count: int) -> list[int]:
        """Return keys for new datasets of a dimension group: rising, and never given before."""
        with self._writing() as connection:
            return self._backend.give_keys(connection, groups, group_id, count)

    def insert_keyed(
        self,
        groups: sa.Table,
        group_id: int,
        rows: Sequence[tuple[sa.Table, Mapping[str, Any]]],
    ) -> int:
        """Insert one row into each of several tables under a new key, which is returned.

        Parameters
        ----------
        rows
            Tables with the values of all columns but the key.

        Raises
        ------
        sqlalchemy.exc.IntegrityError
            If a constraint is broken; the transaction can then only be undone.
        """
        bound = [self._binder.row(table, values) for table, values in rows]
        with self._writing() as connection:
            return self._backend.insert_keyed(connection, groups, group_id, bound)

    def refresh_statistics(self) -> None:
        """Let the query planner look at tables that have grown, as it must after bulk changes."""
        grown, self._grown = self._grown, {}
        if grown:
            with self.connection() as connection:
                self._backend.refresh_statistics(connection, grown)


def _driver(connection: sa.Connection) -> Any:
    """Return the driver's own connection: a statement whose text is known costs least there."""
    return connection.connection.driver_connection
