"""A small graph in a file."""

from __future__ import annotations

from pathlib import Path

from graph_building import build_graph
from graph_specs import UNITS, Connection, Task, simple
from graph_world import insert_datasets, insert_records
from graph_world_data import CHAIN, filled_world

from butler_core import Butler

TASKS = [
    simple("isr", "ED", ["raw:ED"]),
    simple("calibrate", "VD", ["isrOut:ED"]),
    Task("summary", UNITS["V"], {"x": Connection("calibrateOut", UNITS["VD"])},
         outputs={"out": Connection("visitSum", UNITS["V"], multiple=False)}),
]  # fmt: skip


def write_graph(folder: Path) -> Path:
    """Build the graph of `TASKS` in a repository of its own and return its file."""
    with Butler.create(folder / "repo") as butler:
        world = filled_world(1)
        insert_records(butler, world)
        insert_datasets(butler, world)
        graph, _ = build_graph(butler, TASKS, [CHAIN], folder / "a.qg")
        graph.close()
    return folder / "a.qg"
