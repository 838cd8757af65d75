"""Builds our quantum graphs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import graph_commands
import world
import yaml
from actor import Setting
from clock import clock

from butler_core import Butler
from ours.repositories import opened, place_of
from pipetask import Pipeline
from pipetask.pipeline_graph import build_pipeline_graph, resolve
from pipetask.quantum_graph import BuildRequest, QuantumGraph, build_quantum_graph

#: Name of the file that a preparation leaves.
GRAPH = "graph.qg"


def by_command(setting: Setting, *, pipeline: str, n_exposures: int) -> dict[str, Any]:
    """Build the graph of a pipeline by command line."""
    place = place_of(setting, "repository")
    return graph_commands.build_timed(
        setting, place, "ours", pipeline=pipeline, n_exposures=n_exposures
    )


def within(
    setting: Setting, *, pipeline: str, n_exposures: int, memory_limit_mb: int
) -> dict[str, Any]:
    """Build the same in this process, with a bound on its memory."""
    with opened(setting, "repository") as butler, clock() as taken:
        graph = _build(
            butler,
            Pipeline.from_file(graph_commands.PIPELINES / f"{pipeline}.yaml"),
            setting.folder / GRAPH,
            where=graph_commands.condition(pipeline, n_exposures),
            memory_limit_mb=memory_limit_mb,
        )
    return taken.facts(**_counts(graph))


def dense(setting: Setting, *, size: int) -> dict[str, Any]:
    """Build a graph in which each of so many quanta reads what each of so many others writes."""
    with opened(setting, "repository") as butler, clock() as taken:
        graph = _build(
            butler,
            Pipeline.from_file(graph_commands.PIPELINES / "dense.yaml"),
            setting.folder / GRAPH,
            inputs=("start/all",),
        )
    return taken.facts(**_counts(graph), size=size)


def kept(setting: Setting, *, pipeline: str, n_exposures: int) -> dict[str, Any]:
    """Build a graph for others to read."""
    with opened(setting, "repository") as butler:
        graph = _build(
            butler,
            Pipeline.from_file(graph_commands.PIPELINES / f"{pipeline}.yaml"),
            setting.folder / GRAPH,
            where=graph_commands.condition(pipeline, n_exposures),
        )
        return _counts(graph)


def kept_links(setting: Setting, *, n_tasks: int) -> dict[str, Any]:
    """Build the graph of a row of tasks with ten connections each, for others to read."""
    tasks = {
        f"link{i}": {
            "class": "survey_tasks.LinkTask",
            "config": {"connections.before": f"link{i}", "connections.after": f"link{i + 1}"},
        }
        for i in range(n_tasks)
    }
    file = setting.folder / "links.yaml"
    file.write_text(yaml.safe_dump({"description": "A row of tasks.", "tasks": tasks}))
    with opened(setting, "repository") as butler:
        graph = _build(
            butler, Pipeline.from_file(file), setting.folder / GRAPH, inputs=("link/all",)
        )
        return _counts(graph)


def _build(
    butler: Butler,
    pipeline: Pipeline,
    path: Path,
    *,
    inputs: tuple[str, ...] = (world.RAW_RUN,),
    **request: Any,
) -> QuantumGraph:
    registry = butler.repository.registry

    def find(name: str) -> Any:
        found = registry.dataset_types.find(name)
        return None if found is None else found.dataset_type

    resolved = resolve(build_pipeline_graph(pipeline), registry.universe, find)
    wanted = BuildRequest(butler.repository, resolved, inputs, "u/bench", **request)
    graph, _ = build_quantum_graph(wanted, path)
    return graph


def _counts(graph: QuantumGraph) -> dict[str, int]:
    with graph:
        counts = graph.counts()
    return {"n": counts["quantum"], "n_quanta": counts["quantum"], "n_edges": counts["edge"]}
