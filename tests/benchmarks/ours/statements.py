"""Counts the statements that go to a database, and times the least that one can take."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa
from clock import median_ms

from butler_core import Butler

_N_TRIPS = 500


@contextmanager
def count_statements(butler: Butler) -> Iterator[list[str]]:
    """Lend a list that fills with the statements sent."""
    sent: list[str] = []
    engine = butler.repository.registry.database._engine

    def note(_: Any, __: Any, statement: str, *___: Any) -> None:
        sent.append(statement)

    sa.event.listen(engine, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        sa.event.remove(engine, "before_cursor_execute", note)


def round_trip_ms(url: str) -> float:
    """Return the median time of ``SELECT 1`` through the bare driver [ms]."""
    import psycopg

    with psycopg.connect(url, autocommit=True) as connection:
        return median_ms([_asker(connection)] * _N_TRIPS)


def _asker(connection: Any) -> Callable[[], Any]:
    return lambda: connection.execute("SELECT 1").fetchall()
