"""Counts what goes to a database and back, and times the least that one answer can take."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from statistics import median
from typing import Any

import sqlalchemy as sa

from butler_core import Butler

#: Messages of PostgreSQL's protocol for which the client waits.
_AWAITED = ("Query", "Sync")

#: Those that run a statement.
_RUN = ("Query", "Execute")


@dataclass
class Sent:
    """What was sent; filled in when it is done."""

    statements: list[str] = field(default_factory=list)
    #: How often the client waited for the server, transactions' ends included; PostgreSQL's alone.
    n_trips: int | None = None


def cost(
    setting: Any, butler: Butler, calls: Sequence[Callable[[], Any]], *, each_ms: float
) -> dict[str, Any]:
    """Say what a call sends, and how its time compares with the shortest answer's.

    Parameters
    ----------
    calls
        Calls like those that were timed; each is made once.
    each_ms
        What such a call takes [ms].
    """
    with watched(butler, has_server=setting.server is not None) as sent:
        calls[0]()
    if not sent.statements:
        raise RuntimeError("nothing of what was sent to the database was written down")
    found: dict[str, Any] = {"n_statements": len(sent.statements)}
    if setting.server is not None:
        found["n_trips"] = sent.n_trips
        found["select_1_ms"] = round_trip_ms(setting.server, calls)
        found["round_trips"] = each_ms / found["select_1_ms"]
    return found


@contextmanager
def watched(butler: Butler, *, has_server: bool) -> Iterator[Sent]:
    """Lend a note of what is sent to the database."""
    sent = Sent()
    database = butler.repository.registry.database
    follow = _traced if has_server else _followed
    database._kept.close()  # what asks next takes a connection from the pool, where it is noted
    with follow(database._engine, sent):
        yield sent
        database._kept.close()


@contextmanager
def _followed(engine: sa.Engine, sent: Sent) -> Iterator[None]:
    """Let SQLite say what it runs."""
    with _noted(
        engine,
        lambda connection, *_: connection.set_trace_callback(sent.statements.append),
        lambda connection, *_: connection.set_trace_callback(None),
    ):
        yield


@contextmanager
def _traced(engine: sa.Engine, sent: Sent) -> Iterator[None]:
    """Let PostgreSQL's driver write down every message."""
    with tempfile.TemporaryFile("w+") as stream:
        with _noted(
            engine,
            lambda connection, *_: connection.pgconn.trace(stream.fileno()),
            lambda connection, *_: connection.pgconn.untrace(),
        ):
            yield
        stream.seek(0)
        messages = [line.rstrip("\n").split("\t") for line in stream]
    kinds = [m[3] for m in messages if len(m) > 3 and m[1] == "F"]
    sent.statements += [kind for kind in kinds if kind in _RUN]
    sent.n_trips = sum(kind in _AWAITED for kind in kinds)


@contextmanager
def _noted(engine: sa.Engine, begin: Any, end: Any) -> Iterator[None]:
    """Do something to each connection that is taken from the pool, and when it is given back."""
    sa.event.listen(engine, "checkout", begin)
    sa.event.listen(engine, "checkin", end)
    try:
        yield
    finally:
        sa.event.remove(engine, "checkout", begin)
        sa.event.remove(engine, "checkin", end)


def round_trip_ms(url: str, calls: Iterable[Callable[[], Any]]) -> float:
    """Return the median time of ``SELECT 1`` through the bare driver [ms].

    Each is timed after one of some calls, so that the server has been idle for as long as it is
    between calls: one ``SELECT 1`` right after another is answered several times faster.
    """
    import psycopg

    times = []
    with psycopg.connect(url, autocommit=True) as connection:
        for call in calls:
            call()
            begin = time.perf_counter()
            connection.execute("SELECT 1").fetchall()
            times.append(time.perf_counter() - begin)
    return 1000 * median(times)
