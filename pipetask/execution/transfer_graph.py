"""Registers what was run without a registry."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from butler_core.datastore.file_record import FileRecord
from butler_core.repository.repository import Repository
from butler_core.repository.writing import ensure_run
from pipetask.errors import RunError
from pipetask.execution.output_collections import CollectionPlan, make_collections
from pipetask.execution.prepare import register_dataset_types, require_registered
from pipetask.execution.recovery import recover_graph
from pipetask.execution.run import HeldRun, keep_graph
from pipetask.pipeline_graph import ResolvedPipelineGraph
from pipetask.provenance.journal import INIT, read_journal
from pipetask.quantum_graph.graph import QuantumGraph


def transfer_graph(
    repository: Repository,
    graph: QuantumGraph,
    pipeline: ResolvedPipelineGraph,
    plan: CollectionPlan,
    run: HeldRun,
    *,
    with_types: bool,
) -> int:
    """Register all that the journals of a graph tell of; return how many datasets.

    Parameters
    ----------
    plan
        The graph's run, and the chain that it goes into.
    with_types
        Whether to register dataset types that are new.

    Raises
    ------
    RunError
        If there are no journals, or dataset types are not registered.
    """
    journals = run.folder.journals(graph.id)
    if not journals and not run.folder.history(graph.id).exists():
        raise RunError(
            f"nothing to transfer: {str(run.folder.path)!r} has no journal of this graph; run it "
            "with `pipetask run-qbb` first"
        )
    with repository.transaction():
        if with_types:
            register_dataset_types(repository, pipeline)
        require_registered(repository, pipeline)
        make_collections(repository, plan)
        count = _register_init(repository, graph, journals)
    if not journals:
        return count
    keep_graph(run.folder, graph)
    return count + recover_graph(repository, run.folder, graph.output_run, run.lease, graph.id)


def _register_init(
    repository: Repository,
    graph: QuantumGraph,
    journals: Iterable[Path],
) -> int:
    """Register configurations, versions and init outputs that are not registered yet."""
    registry = repository.registry
    run = ensure_run(repository, graph.output_run)
    documents: dict[str, dict[str, Any]] = {
        entry.document["id"]: entry.document
        for journal in journals
        for entry in read_journal(journal)
        if entry.kind == INIT
    }
    there = registry.datasets.find_ids([uuid.UUID(id_).bytes for id_ in documents])
    count = 0
    for id_, document in documents.items():
        own = uuid.UUID(id_)
        if own.bytes in there:
            continue
        registered = registry.dataset_types.get(document["type"])
        keys = registry.datasets.insert(registered, run, {}, ids=[own.bytes]).keys
        registry.files.insert(keys, [FileRecord(*document["file"])])
        count += 1
    return count
