"""The collections that a graph from a file goes with."""

from __future__ import annotations

import json

from butler_core.repository.repository import Repository
from pipetask.cli.graph_session import chain_children
from pipetask.execution.output_collections import CollectionPlan
from pipetask.quantum_graph.graph import QuantumGraph


def plan_of_loaded(
    repository: Repository, graph: QuantumGraph, output: str | None = None
) -> CollectionPlan:
    """Return the run that a graph was made for, and its chain, or another.

    What has come into the chain since then stays in it, behind the run.
    """
    header, run = graph.header, graph.output_run
    chain = output or header.get("output") or None
    tail = json.loads(header.get("chain_tail", "[]"))
    before = json.loads(header.get("chain_before", "[]"))
    now = chain_children(repository, chain)
    new = [name for name in now if name not in (run, *before, *tail)]
    return CollectionPlan((), run, chain, (*new, *tail))
