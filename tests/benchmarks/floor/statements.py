"""The best single statement for the first dataset of each data ID, through the bare driver."""

from __future__ import annotations

from collections import Counter
from typing import Any

import world
from actor import Setting
from clock import clock

#: The datasets of the chain with the position of their run, and all that a table of them shows.
_JOINED = """
    dataset_{group} d
    JOIN collection_chain h ON h.child_id = d.run_id
    JOIN collection p ON p.collection_id = h.parent_id AND p.name = '{chain}'
    JOIN dataset_type t ON t.dataset_type_id = d.dataset_type_id AND t.name = 'raw'
"""
_SHOWN = 'r.name, c.id, c.instrument, c.detector, c.exposure, f.band, e.day_obs, e."group", f.name'
_RECORDS = """
    JOIN collection r ON r.collection_id = c.run_id
    JOIN exposure e ON e.instrument = c.instrument AND e.id = c.exposure
    JOIN physical_filter f ON f.instrument = e.instrument AND f.name = e.physical_filter
"""
#: Ways to say it; the bare columns beside min() are SQLite's own.
_WAYS = {
    "window": """
        SELECT {shown} FROM (
            SELECT d.*, row_number() OVER (
                PARTITION BY d.instrument, d.detector, d.exposure ORDER BY h.position
            ) AS place FROM {joined}
        ) c {records} WHERE c.place = 1
    """,
    "anti-join": """
        SELECT {shown} FROM (SELECT d.*, h.position, h.parent_id FROM {joined}) c {records}
        WHERE NOT EXISTS (
            SELECT 1 FROM collection_chain k JOIN dataset_{group} b ON b.run_id = k.child_id
            WHERE k.parent_id = c.parent_id AND k.position < c.position
            AND b.dataset_type_id = c.dataset_type_id AND b.instrument = c.instrument
            AND b.detector = c.detector AND b.exposure = c.exposure
        )
    """,
    "minimum": """
        SELECT {shown} FROM (
            SELECT d.id, d.run_id, d.instrument, d.detector, d.exposure, min(h.position)
            FROM {joined} GROUP BY d.instrument, d.detector, d.exposure
        ) c {records}
    """,
}


def find_first(setting: Setting, *, n_refs: int) -> dict[str, Any]:
    """Run each statement once and report the best."""
    connection, names = _connect(setting)
    group = connection.execute(
        "SELECT group_id FROM dataset_type WHERE name = 'raw'"
    ).fetchone()[0]  # fmt: skip
    parts = {"shown": _SHOWN, "records": _RECORDS, "group": group}
    parts["joined"] = _JOINED.format(group=group, chain=world.CHAIN)
    best: dict[str, Any] = {}
    for name in names:
        statement = _WAYS[name].format(**parts)
        with clock() as taken:
            rows = connection.execute(statement).fetchall()
        runs = Counter(row[0] for row in rows)
        text = " ".join(f"{run}:{count}" for run, count in sorted(runs.items()))
        found = taken.facts(n=n_refs, runs=text, statement=name)
        best = min(best or found, found, key=lambda one: one["seconds"])
    return best


def _connect(setting: Setting) -> tuple[Any, list[str]]:
    if setting.server is not None:
        import psycopg

        connection = psycopg.connect(setting.server, autocommit=True)
        connection.execute(f'SET search_path TO "{setting.schemas["chain"]}"')
        return connection, ["window", "anti-join"]
    import sqlite3

    path = setting.needs["chain"] / "repository" / "gen3.sqlite3"
    connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    for setting_ in ("cache_size=-65536", "temp_store=MEMORY", "mmap_size=1073741824"):
        connection.execute(f"PRAGMA {setting_}")
    return connection, list(_WAYS)
