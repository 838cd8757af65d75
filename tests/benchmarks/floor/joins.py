"""The bare joins behind a quantum graph.

From tables of images (exposures times detectors) and visits, DuckDB makes the quanta of the tasks
isr, calibrate and visit_summary, numbers them, makes and numbers the datasets that they read and
write, metadata and logs included, joins both into edges, and writes all three tables to a file.
There is no search of collections, no condition, no dataset of which some might be missing, no id
of a quantum or dataset but its number, no header and no check: what a builder does beyond is the
difference.
"""

from __future__ import annotations

from typing import Any

import duckdb
import world
from actor import Setting
from clock import clock

_SOURCE = "source.duckdb"
#: Task, and the columns that identify a quantum of it.
_TASKS = {
    "isr": ("exposure", "detector"),
    "calibrate": ("visit", "detector"),
    "visit_summary": ("visit",),
}
#: Dataset type, and its columns.
_TYPES = {
    "raw": ("exposure", "detector"),
    "post_isr": ("exposure", "detector"),
    "calibrated": ("visit", "detector"),
    "sources": ("visit", "detector"),
    "visit_summary": ("visit",),
}
#: Task and dataset type of each connection.
_CONNECTIONS = (
    ("isr", "raw"),
    ("isr", "post_isr"),
    ("calibrate", "post_isr"),
    ("calibrate", "calibrated"),
    ("calibrate", "sources"),
    ("visit_summary", "calibrated"),
    ("visit_summary", "visit_summary"),
)
_OF_EVERY_TASK = ("metadata", "log")


def tables(setting: Setting, *, n_exposures: int) -> None:
    """Make the tables to join: images and visits."""
    with duckdb.connect(str(setting.folder / _SOURCE)) as connection:
        connection.execute(
            "CREATE TABLE raw AS SELECT exposure, detector FROM "
            f"range(1, {n_exposures} + 1) e(exposure), range({world.N_DETECTORS}) d(detector)"
        )
        connection.execute(
            "CREATE TABLE visit_definition AS SELECT exposure, exposure AS visit FROM "
            f"range(1, {n_exposures} + 1) e(exposure)"
        )


def quanta_and_edges(setting: Setting) -> dict[str, Any]:
    """Join quanta and edges and write them to a file."""
    source = setting.needs["tables"] / _SOURCE
    with clock() as taken, duckdb.connect(str(setting.folder / "graph.duckdb")) as connection:
        connection.execute(f"ATTACH '{source}' AS source (READ_ONLY)")
        for statement in _statements():
            connection.execute(statement)
    with duckdb.connect(str(setting.folder / "graph.duckdb"), read_only=True) as connection:
        n_quanta, n_edges = (
            connection.execute(f"SELECT count(*) FROM {name}").fetchall()[0][0]
            for name in ("quantum", "edge")
        )
    return taken.facts(n=n_quanta, n_quanta=n_quanta, n_edges=n_edges)


def _statements() -> list[str]:
    """Return the statements that make the tables quantum, dataset and edge."""
    image = (
        "CREATE TEMPORARY TABLE image AS SELECT exposure, visit, detector "
        "FROM source.raw JOIN source.visit_definition USING (exposure)"
    )
    quanta, datasets = [], []
    for number, (task, columns) in enumerate(_TASKS.items()):
        quanta.append(_rows(number, task, columns))
    for number, (name, columns) in enumerate(_TYPES.items()):
        datasets.append(_rows(number, name, columns))
    for number, (task, columns) in enumerate(_TASKS.items()):
        datasets += [
            _rows(len(_TYPES) + 2 * number + i, f"{task}_{kind}", columns)
            for i, kind in enumerate(_OF_EVERY_TASK)
        ]
    connections = [
        *_CONNECTIONS,
        *((task, f"{task}_{kind}") for task in _TASKS for kind in _OF_EVERY_TASK),
    ]
    joins = [_join(i, task, name) for i, (task, name) in enumerate(connections)]
    edges = f"{' UNION ALL '.join(joins)} ORDER BY quantum, connection, dataset"
    return [
        image,
        _numbered("quantum", quanta),
        _numbered("dataset", datasets),
        f"CREATE TABLE edge AS {edges}",
    ]


def _rows(number: int, name: str, columns: tuple[str, ...]) -> str:
    every = ("exposure", "visit", "detector")
    chosen = ", ".join(name if name in columns else f"NULL AS {name}" for name in every)
    return f"SELECT DISTINCT {number} AS kind, '{name}' AS name, {chosen} FROM image"


def _numbered(table: str, parts: list[str]) -> str:
    return (
        f"CREATE TABLE {table} AS SELECT row_number() OVER (ORDER BY kind, exposure, visit, "
        f"detector) - 1 AS {table}, * FROM ({' UNION ALL '.join(parts)}) ORDER BY {table}"
    )


def _join(number: int, task: str, name: str) -> str:
    kind = name.removeprefix(f"{task}_")
    columns = _TASKS[task] if kind in _OF_EVERY_TASK else _TYPES[name]
    if "exposure" in columns and "exposure" not in _TASKS[task]:
        joined = (
            "source.visit_definition v ON v.visit = q.visit JOIN dataset d "
            "ON d.exposure = v.exposure AND d.detector = q.detector"
        )
    else:
        shared = [column for column in columns if column in _TASKS[task]]
        joined = "dataset d ON " + " AND ".join(f"d.{c} = q.{c}" for c in shared)
    return (
        f"SELECT q.quantum, {number} AS connection, d.dataset FROM quantum q JOIN {joined} "
        f"WHERE q.name = '{task}' AND d.name = '{name}'"
    )
