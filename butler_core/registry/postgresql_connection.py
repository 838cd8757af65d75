"""Connections to PostgreSQL that hold small statements back until the next one goes."""

from __future__ import annotations

from typing import Any, Self

import psycopg
from psycopg.adapt import Loader
from psycopg.pq import Format, TransactionStatus


class HoldingConnection(psycopg.Connection[Any]):
    """A connection on which statements without an answer wait for company.

    To begin a transaction, or to open and close a savepoint, costs the server
    nothing and the client a round trip; sent with the statement behind them
    they cost none.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.cursor_factory = _BinaryCursor
        self.adapters.register_loader("uuid", _RawUuidLoader)
        self._held: list[str] = []

    def hold(self, text: str) -> None:
        """Send a statement together with the next one."""
        self._held.append(text)

    def take_held(self) -> list[str]:
        """Return what was held back, for whoever sends it."""
        held, self._held = self._held, []
        return held

    def send_held(self) -> None:
        """Send what was held back, alone."""
        for text in self.take_held():
            psycopg.Cursor(self).execute(text)

    @property
    def is_in_transaction(self) -> bool:
        """Whether a transaction has begun, or will with the next statement."""
        return bool(self._held) or self.info.transaction_status is not TransactionStatus.IDLE

    def cursor(self, *args: Any, **options: Any) -> Any:
        """Return a cursor; one of the server's own sends what was held back first."""
        if args or options.get("name"):
            self.send_held()
        return super().cursor(*args, **options)

    def commit(self) -> None:
        """Commit; a savepoint that was not closed yet goes with its transaction."""
        self._held.clear()
        super().commit()

    def rollback(self) -> None:
        """Undo the transaction; what was held back had no effect yet."""
        self._held.clear()
        super().rollback()


class _BinaryCursor(psycopg.Cursor[Any]):
    """A cursor whose results come in binary form, which costs half the time to read."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.format = Format.BINARY

    def execute(self, query: Any, params: Any = None, **options: Any) -> Self:
        """Run a statement behind those that were held back for it."""
        connection = self.connection
        assert isinstance(connection, HoldingConnection)
        held = connection.take_held()
        if not held:
            return super().execute(query, params, **options)
        with connection.pipeline():
            for text in held:
                psycopg.Cursor(connection).execute(text)
            super().execute(query, params, **options)
        return self

    def executemany(self, *args: Any, **options: Any) -> None:
        """Run a statement with many parameters, behind what was held back."""
        self._send_held()
        super().executemany(*args, **options)

    def copy(self, *args: Any, **options: Any) -> Any:
        """Copy rows, behind what was held back."""
        self._send_held()
        return super().copy(*args, **options)

    def _send_held(self) -> None:
        assert isinstance(self.connection, HoldingConnection)
        self.connection.send_held()


class _RawUuidLoader(Loader):
    """Leaves UUIDs as the 16 bytes that they come as."""

    format = Format.BINARY

    def load(self, data: Any) -> bytes:
        return bytes(data)
