"""A connection for each thread, kept between statements: to fetch one costs as much as to ask.

Lends a thread its own. Rule: what runs on it ends before the caller goes on, or is the
thread's transaction; a cursor that stays open belongs on a connection of its own.
"""

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa


class KeptConnections:
    """The connections that the threads of this process keep."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine
        self._local = threading.local()
        self._all: weakref.WeakSet[sa.Connection] = weakref.WeakSet()
        #: Those of the process that this one was forked from, in which they live on.
        self._of_parent: list[sa.Connection] = []

    @contextmanager
    def mine(self) -> Iterator[sa.Connection]:
        """Lend this thread's connection; after an error it is not used again."""
        connection: sa.Connection | None = getattr(self._local, "connection", None)
        if connection is not None and self._local.process != os.getpid():
            self._of_parent.append(connection)
            connection = None
        if connection is None or connection.closed:
            connection = self._local.connection = self._engine.connect()
            self._local.process = os.getpid()
            self._all.add(connection)
        try:
            yield connection
        except BaseException:
            self._local.connection = None
            connection.close()
            raise

    def close(self) -> None:
        """Give all of them back."""
        for connection in list(self._all):
            connection.close()
        self._all.clear()
