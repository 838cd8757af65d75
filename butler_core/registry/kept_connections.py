"""A connection for each thread, kept between statements: to fetch one costs as much as to ask.

Lends a thread its own. Rule: what runs on it ends before the caller goes on, or is the
thread's transaction; a cursor that stays open belongs on a connection of its own.
"""

from __future__ import annotations

import os
import threading
import weakref
from contextlib import AbstractContextManager

import sqlalchemy as sa

#: Of more threads than these the others borrow and give back, so that the pool lasts.
_MOST_KEPT = 8


class _Kept:
    """One thread's connection; after an error it is not used again."""

    def __init__(self, connection: sa.Connection) -> None:
        self.connection = connection
        self.process = os.getpid()

    def __enter__(self) -> sa.Connection:
        return self.connection

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        if error is not None:
            self.connection.close()


class KeptConnections:
    """The connections that the threads of this process keep."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine
        self._local = threading.local()
        self._all: weakref.WeakSet[_Kept] = weakref.WeakSet()
        #: Those of the process that this one was forked from, in which they live on.
        self._of_parent: list[_Kept] = []

    def mine(self) -> AbstractContextManager[sa.Connection]:
        """Lend this thread's connection."""
        kept: _Kept | None = getattr(self._local, "kept", None)
        if kept is None or kept.connection.closed or kept.process != os.getpid():
            return self._new(kept)
        return kept

    def _new(self, old: _Kept | None) -> AbstractContextManager[sa.Connection]:
        """Open a connection for this thread, to keep or, if there are many, to give back."""
        if old is not None:
            self._all.discard(old)
            if old.process != os.getpid():
                self._of_parent.append(old)
            self._local.kept = None
        connection = self._engine.connect()
        if len(self._all) >= _MOST_KEPT:
            return connection
        kept = self._local.kept = _Kept(connection)
        self._all.add(kept)
        return kept

    def close(self) -> None:
        """Give all of them back."""
        for kept in list(self._all):
            kept.connection.close()
        self._all.clear()
