"""A registry in a schema of a PostgreSQL database."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import psycopg
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from butler_core.errors import (
    DatabaseBusyError,
    DatabaseUnreachableError,
    ReadOnlyRepositoryError,
    RepositoryError,
)
from butler_core.registry.backend import KEY, BoundColumns, BoundRow, OnConflict
from butler_core.registry.insert_text import (
    conflict_clause,
    insert_head,
    insert_text,
    keyed_insert_text,
)
from butler_core.registry.postgresql_connection import HoldingConnection
from butler_core.registry.row_spool import Rows
from butler_core.registry.schema import key_sequence

#: How long a statement waits for another transaction [ms].
LOCK_TIMEOUT_MS = 180_000

#: Settings of every connection. Our statements are many and short, or sort much: compiling them
#: to machine code costs more than it gives, and 4 MB to sort in are few.
_SETTINGS = {"lock_timeout": LOCK_TIMEOUT_MS, "jit": "off", "work_mem": "64MB"}

#: Up to so many rows go as values of one statement; a COPY takes three round trips.
_FEW_INSERTED = 8

#: Up to so many rows are lent as arrays; a temporary table costs changes to the catalogue.
_FEW_LENT = 2_000

#: Classes of errors that mean that there is no connection (any more), as SQL numbers them.
_LOST = ("08", "57")

_COPY_TYPES: tuple[tuple[type[Any], str], ...] = (
    (sa.Boolean, "bool"),
    (sa.SmallInteger, "int2"),
    (sa.BigInteger, "int8"),
    (sa.Integer, "int4"),
    (sa.Float, "float8"),
    (sa.LargeBinary, "bytea"),
    (sa.Uuid, "uuid"),
    (sa.String, "text"),
)


class PostgresqlBackend:
    """One schema of one database; see `butler_core.registry.backend.Backend`.

    Parameters
    ----------
    options
        Parameters of the connection, as libpq names them.
    schema
        Where the tables are; the connection looks nowhere else.
    """

    driver_error: type[Exception] = psycopg.Error
    begin_writing = "BEGIN"

    def __init__(self, options: dict[str, str], schema: str, place: str) -> None:
        self.place = place
        self._schema = schema
        settings = " ".join(f"-c {name}={value}" for name, value in _SETTINGS.items())
        settings += f' -c search_path="{schema}"'
        self._options: dict[str, Any] = {**options, "options": settings, "autocommit": True}
        self.engine = sa.create_engine(
            "postgresql+psycopg://",
            creator=self._connect,
            poolclass=sa.pool.QueuePool,
            pool_size=8,
            max_overflow=24,
        )

    def _connect(self) -> HoldingConnection:
        return HoldingConnection.connect(**self._options)

    def hold(self, connection: sa.Connection, text: str) -> None:
        """Run a statement together with the next one."""
        _raw(connection).hold(text)

    # -------------------------------------------------------------- inserting
    def insert(
        self,
        connection: sa.Connection,
        table: sa.Table,
        columns: BoundColumns,
        on_conflict: OnConflict,
    ) -> None:
        """Insert few rows as values, many by COPY."""
        names, dialect = tuple(columns), self.engine.dialect
        count = len(next(iter(columns.values())))
        if count <= _FEW_INSERTED:
            text = insert_text(dialect, table, names, "%s", on_conflict, n_rows=count)
            rows = zip(*columns.values(), strict=True)
            _raw(connection).execute(text, tuple(value for row in rows for value in row))
        elif on_conflict == "raise":
            self._copy(connection, table, table.name, columns)
        else:
            quote = dialect.identifier_preparer.quote
            listed = ", ".join(map(quote, names))
            connection.exec_driver_sql(
                "CREATE TEMPORARY TABLE copied ON COMMIT DROP AS "  # noqa: S608 - quoted identifiers
                f"SELECT {listed} FROM {quote(table.name)} LIMIT 0"
            )
            self._copy(connection, table, "copied", columns)
            end = conflict_clause(dialect, table, names, on_conflict)
            head = insert_head(dialect, table, names)
            connection.exec_driver_sql(f"{head} SELECT {listed} FROM copied{end}")  # noqa: S608 - as above
            connection.exec_driver_sql("DROP TABLE copied")

    def _copy(
        self, connection: sa.Connection, table: sa.Table, target: str, columns: BoundColumns
    ) -> None:
        quote = self.engine.dialect.identifier_preparer.quote
        listed = ", ".join(map(quote, columns))
        text = f"COPY {quote(target)} ({listed}) FROM STDIN (FORMAT BINARY)"
        with _raw(connection).cursor() as cursor, cursor.copy(text) as copy:
            copy.set_types([self._copy_type(table.c[name].type) for name in columns])
            for row in zip(*columns.values(), strict=True):
                copy.write_row(row)

    def _copy_type(self, type_: sa.types.TypeEngine[Any]) -> str:
        found = type_.dialect_impl(self.engine.dialect)
        if isinstance(found, sa.types.TypeDecorator):
            found = found.load_dialect_impl(self.engine.dialect)
        return next(name for kind, name in _COPY_TYPES if isinstance(found, kind))

    # ---------------------------------------------------------------- lending
    def must_lend_in_transaction(self, count: int) -> bool:
        """Return whether a temporary table is needed, which goes with its transaction."""
        return count > _FEW_LENT

    @contextmanager
    def lend(
        self, connection: sa.Connection, table: sa.Table, columns: BoundColumns
    ) -> Iterator[sa.FromClause]:
        """Lend few rows as arrays, many in a temporary table."""
        if not self.must_lend_in_transaction(len(next(iter(columns.values())))):
            arrays = [
                sa.literal(list(values), postgresql.ARRAY(_bound_type(table.c[name].type)))
                for name, values in columns.items()
            ]
            named = [sa.column(column.name, column.type) for column in table.c]
            rows = sa.func.unnest(*arrays).table_valued(*named, name=table.name)
            yield rows.render_derived()
            return
        connection.execute(sa.schema.CreateTable(table))
        try:
            self._copy(connection, table, table.name, columns)
            connection.exec_driver_sql(f"ANALYZE {table.name}")
            yield table
        finally:
            if not _has_failed(connection):
                connection.execute(sa.schema.DropTable(table, if_exists=True))

    # ------------------------------------------------------------------ others
    def give_keys(
        self,
        connection: sa.Connection,
        groups: sa.Table,  # noqa: ARG002 - a sequence makes nobody wait
        group_id: int,
        count: int,
    ) -> list[int]:
        """Draw from the group's sequence, which makes no transaction wait for another."""
        text = "SELECT nextval(%s::regclass) FROM generate_series(1, %s)"
        found = _raw(connection).execute(text, (key_sequence(group_id), count))
        return sorted(row[0] for row in found)

    def insert_keyed(
        self,
        connection: sa.Connection,
        groups: sa.Table,  # noqa: ARG002 - a sequence makes nobody wait
        group_id: int,
        rows: Sequence[BoundRow],
    ) -> int:
        """Draw from the group's sequence and insert all rows in one statement."""
        targets = ((row.table, row.names) for row in rows)
        text = keyed_insert_text(self.engine.dialect, KEY, *targets)
        values = (key_sequence(group_id), *(value for row in rows for value in row.values))
        (key,) = _raw(connection).execute(text, values).fetchone() or (None,)
        assert isinstance(key, int)  # the statement returns a row, or raises
        return key

    def forget_keys(self) -> None:
        """Do nothing: a sequence is not undone."""

    def lock(self, connection: sa.Connection, table: sa.Table) -> None:
        """Take an advisory lock, which no clean-up or statistics of the server waits for."""
        text = "SELECT pg_advisory_xact_lock(%s::regclass::oid::bigint)"
        name = self.engine.dialect.identifier_preparer.quote(table.name)
        connection.exec_driver_sql(text, (name,))

    def lock_out_writers(self, connection: sa.Connection, tables: Sequence[sa.Table]) -> None:
        """Lock the tables for all but readers."""
        quote = self.engine.dialect.identifier_preparer.quote
        listed = ", ".join(quote(table.name) for table in tables)
        connection.exec_driver_sql(f"LOCK TABLE {listed} IN SHARE ROW EXCLUSIVE MODE")

    def faults(self, connection: sa.Connection) -> list[str]:  # noqa: ARG002 - the server sees to it
        """Return nothing: the files are the server's."""
        return []

    def refresh_statistics(self, connection: sa.Connection, grown: Mapping[str, int]) -> None:
        """Analyse the tables that have grown by a tenth or more."""
        quote = self.engine.dialect.identifier_preparer.quote
        names = {quote(name): count for name, count in grown.items()}
        text = "SELECT oid::regclass::text, reltuples FROM pg_class WHERE oid = ANY(%s::regclass[])"
        known = _raw(connection).execute(text, (list(names),)).fetchall()
        stale = [name for name, rows in known if names[name] >= max(rows, 0) / 10]
        if stale:
            _raw(connection).execute(f"ANALYZE {', '.join(stale)}")

    def stream(
        self, connection: sa.Connection, select: sa.Executable, size: int
    ) -> Generator[Rows, None, None]:
        """Step through a cursor of the server."""
        in_transaction = _raw(connection).is_in_transaction
        if not in_transaction:
            _raw(connection).execute("BEGIN")
        try:
            options = {"stream_results": True, "max_row_buffer": size}
            with connection.execute(select, execution_options=options) as result:
                for rows in result.partitions(size):
                    yield [tuple(row) for row in rows]
        finally:
            if not in_transaction:
                _raw(connection).rollback()

    def cursors_block_writers(self, connection: sa.Connection) -> bool:  # noqa: ARG002 - in others they do
        """Return False: a reader has its own view of the tables."""
        return False

    def explain(self, error: BaseException) -> RepositoryError:
        """Tell locks from missing rights, lost servers and the rest."""
        place = self.place
        text = str(error).strip().partition("\n")[0]
        if isinstance(error, psycopg.errors.LockNotAvailable):
            return DatabaseBusyError(
                f"another process kept {place!r} locked for longer than "
                f"{LOCK_TIMEOUT_MS // 1000} s; try again when it is done"
            )
        if isinstance(error, psycopg.errors.DeadlockDetected | psycopg.errors.SerializationFailure):
            return DatabaseBusyError(
                f"another process changed the same things in {place!r} in another order; nothing "
                "was changed here: try again"
            )
        if isinstance(
            error, psycopg.errors.InsufficientPrivilege | psycopg.errors.ReadOnlySqlTransaction
        ):
            return ReadOnlyRepositoryError(f"{place!r} does not allow this: {text}")
        if isinstance(error, psycopg.OperationalError) and (error.sqlstate or "08")[:2] in _LOST:
            return DatabaseUnreachableError(f"cannot reach the registry in {place!r}: {text}")
        return RepositoryError(f"the registry in {place!r} cannot be used: {text}")


def _raw(connection: sa.Connection) -> HoldingConnection:
    raw = connection.connection.driver_connection
    assert isinstance(raw, HoldingConnection)
    return raw


def _has_failed(connection: sa.Connection) -> bool:
    """Return whether a transaction takes no more statements."""
    status = _raw(connection).info.transaction_status
    return status is psycopg.pq.TransactionStatus.INERROR


def _bound_type(type_: sa.types.TypeEngine[Any]) -> sa.types.TypeEngine[Any]:
    """Return the type of an array's items, whose values are bound already."""
    if isinstance(type_, sa.types.TypeDecorator):
        return postgresql.UUID(as_uuid=True)
    return type_
