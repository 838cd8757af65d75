"""Builds and reads the peer's quantum graphs."""

from __future__ import annotations

from typing import Any

import graph_commands
from actor import Setting
from clock import clock, median_ms

from peer.repositories import opened, place_of


def by_command(setting: Setting, *, pipeline: str, n_exposures: int) -> dict[str, Any]:
    """Build the graph of a pipeline by command line."""
    place = place_of(setting, "repository")
    return graph_commands.build_timed(
        setting, place, "peer", pipeline=pipeline, n_exposures=n_exposures
    )


def kept(setting: Setting, *, pipeline: str, n_exposures: int) -> dict[str, Any]:
    """Build a graph for others to read."""
    return by_command(setting, pipeline=pipeline, n_exposures=n_exposures)


def dense(setting: Setting, *, size: int) -> dict[str, Any]:
    """Build a graph in which each of so many quanta reads what each of so many others writes."""
    from lsst.pipe.base import Pipeline
    from lsst.pipe.base.all_dimensions_quantum_graph_builder import AllDimensionsQuantumGraphBuilder

    butler = opened(setting, "repository")
    pipeline = Pipeline.from_uri(str(graph_commands.PIPELINES / "dense.yaml"))
    with clock() as taken:
        builder = AllDimensionsQuantumGraphBuilder(
            pipeline.to_graph(), butler, input_collections=["start/all"], output_run="u/bench"
        )
        components = builder.finish(attach_datastore_records=False)
        components.write(str(setting.folder / "graph.qg"))
    graph = components.assemble()
    return taken.facts(
        n=len(graph), n_quanta=len(graph), n_edges=graph.bipartite_xgraph.number_of_edges(),
        size=size,
    )  # fmt: skip


def thin_load(setting: Setting, *, repeats: int) -> dict[str, Any]:
    """Load as little of a graph as the peer can, several times: its quanta, not their datasets."""
    path = str(setting.needs["graph"] / "graph.qg")
    n_quanta = _load(path)
    with clock() as taken:
        each_ms = median_ms([lambda: _load(path)] * repeats)
    return taken.facts(n=repeats, n_quanta=n_quanta, header_ms=each_ms, quantum_ms=each_ms)


def _load(path: str) -> int:
    from lsst.pipe.base.quantum_graph import PredictedQuantumGraph

    with PredictedQuantumGraph.open(path) as reader:
        reader.read_thin_graph()
        return len(reader.finish())
