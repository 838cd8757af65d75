"""Finds the earlier runs whose quanta may not have to run again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from butler_core.datasets.collection import CollectionType
from butler_core.errors import near_misses
from butler_core.repository.repository import Repository
from pipetask.errors import PipetaskError
from pipetask.pipeline_graph import ResolvedPipelineGraph
from pipetask.provenance.known_graph import known_graphs
from pipetask.quantum_graph.reuse_request import ReuseRequest


def reuse_request(
    repository: Repository,
    collections: Sequence[str],
    pipeline: ResolvedPipelineGraph,
    options: Mapping[str, Any],
) -> ReuseRequest:
    """Return what ``--reuse`` and ``--redo`` ask for.

    Parameters
    ----------
    collections
        Where inputs are searched, in order; the runs among them that have graphs count.

    Raises
    ------
    PipetaskError
        If ``--redo`` names a task that the pipeline does not have.
    """
    labels = [node.label for node in pipeline.tasks]
    unknown = [label for label in options["redo"] if label not in labels]
    if unknown:
        raise PipetaskError(
            f"--redo {unknown[0]!r}: the pipeline has no such task; it has {', '.join(labels)}."
            f"{near_misses(unknown[0], labels)}"
        )
    root = options.get("journal") or repository.datastore.root
    found = repository.registry.collections.flatten(collections)
    runs = [collection.name for collection in found if collection.type is CollectionType.RUN]
    return ReuseRequest(tuple(known_graphs(root, runs)), frozenset(options["redo"]))
