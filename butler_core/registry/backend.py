"""What differs between the kinds of database that a registry may be in."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import sqlalchemy as sa

from butler_core.errors import RepositoryError
from butler_core.registry.row_spool import Rows

#: What to do with a row whose key is stored already.
OnConflict = Literal["raise", "skip", "replace"]

#: The column in which rows of one dataset share its key.
KEY = "dataset_key"

#: Values by column name, as the driver takes them.
BoundColumns = Mapping[str, Sequence[Any]]


@dataclass(frozen=True, slots=True)
class BoundRow:
    """A row to be stored under a new key."""

    table: sa.Table
    #: Columns other than the key, `KEY`.
    names: tuple[str, ...]
    #: Their values, as the driver takes them.
    values: tuple[Any, ...]


class Backend(Protocol):
    """One database, of some kind."""

    #: Connections in autocommit mode: a transaction begins where `Database` says so.
    engine: sa.Engine
    #: Where the database is, for messages; never with a password.
    place: str
    #: What the driver raises.
    driver_error: type[Exception]
    #: The statement that begins a transaction that will write.
    begin_writing: str

    def hold(self, connection: sa.Connection, text: str) -> None:
        """Run a statement that answers nothing, now or together with the next one."""
        ...

    def insert(
        self,
        connection: sa.Connection,
        table: sa.Table,
        columns: BoundColumns,
        on_conflict: OnConflict,
    ) -> None:
        """Insert rows in bulk; there is at least one."""
        ...

    def lend(
        self, connection: sa.Connection, table: sa.Table, columns: BoundColumns
    ) -> AbstractContextManager[sa.FromClause]:
        """Lend rows to the statements of one connection, to join against.

        Parameters
        ----------
        table
            Names and types of the columns, and a name that is not in use.
        """
        ...

    def must_lend_in_transaction(self, count: int) -> bool:
        """Return whether rows so many can be lent inside a transaction only."""
        ...

    def give_keys(
        self, connection: sa.Connection, groups: sa.Table, group_id: int, count: int
    ) -> list[int]:
        """Return keys for new datasets of a dimension group: rising, and never given before.

        Parameters
        ----------
        groups
            The table of dimension groups.
        """
        ...

    def insert_keyed(
        self,
        connection: sa.Connection,
        groups: sa.Table,
        group_id: int,
        rows: Sequence[BoundRow],
    ) -> int:
        """Insert one row into each of several tables under a new key, which is returned."""
        ...

    def forget_keys(self) -> None:
        """Give no key any more that was set aside: its transaction may be the one undone."""
        ...

    def lock(self, connection: sa.Connection, table: sa.Table) -> None:
        """Wait until no other transaction changes a table, and keep others from it."""
        ...

    def lock_out_writers(self, connection: sa.Connection, tables: Sequence[sa.Table]) -> None:
        """Wait until nobody else's transaction has written to tables, and let none begin to."""
        ...

    def faults(self, connection: sa.Connection) -> list[str]:
        """Return what is wrong with the database's own file, if we can look at it."""
        ...

    def refresh_statistics(self, connection: sa.Connection, grown: Mapping[str, int]) -> None:
        """Let the query planner look at tables again, given by how many rows each has grown."""
        ...

    def stream(
        self, connection: sa.Connection, select: sa.Executable, size: int
    ) -> Generator[Rows, None, None]:
        """Give the rows of a query, so many at a time; processed for Python or not."""
        ...

    def cursors_block_writers(self, connection: sa.Connection) -> bool:
        """Return whether an open cursor keeps others from writing."""
        ...

    def explain(self, error: BaseException) -> RepositoryError:
        """Return what the driver says of locks, disks and servers as an error that we promise."""
        ...
