"""Builds a quantum graph: stage after stage over the tables of one workspace."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from butler_core.datasets.collection import Collection
from pipetask.errors import EmptyGraphError, NothingToDoError
from pipetask.quantum_graph.freeze import Freezer
from pipetask.quantum_graph.graph import QuantumGraph
from pipetask.quantum_graph.id_spaces import IdSpaces
from pipetask.quantum_graph.join import RowJoiner
from pipetask.quantum_graph.losses import Loss
from pipetask.quantum_graph.parts import Part, find_parts
from pipetask.quantum_graph.prune import Pruner
from pipetask.quantum_graph.request import BuildRequest
from pipetask.quantum_graph.reuse_request import ReasonGroup
from pipetask.quantum_graph.where import Condition, read_condition
from pipetask.quantum_graph.workspace import StageReport, Workspace

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class BuildReport:
    """How a graph came about."""

    stages: tuple[StageReport, ...]
    #: Quanta left out because their outputs exist, by task label.
    n_done: Mapping[str, int]
    #: Quanta left out because inputs are missing, by task label.
    n_pruned: Mapping[str, int]
    #: What was lost on the way, and to which constraint.
    losses: tuple[Loss, ...] = ()
    #: Why quanta run that earlier runs might have spared.
    reasons: tuple[ReasonGroup, ...] = ()


def build_quantum_graph(
    request: BuildRequest, path: Path, facts: Mapping[str, str] | None = None
) -> tuple[QuantumGraph, BuildReport]:
    """Build the graph that a request describes, into a file.

    Parameters
    ----------
    path
        The file to make; it is complete or not there.
    facts
        Further entries of its header.

    Returns
    -------
    tuple
        The graph, open, and the story of its building.

    Raises
    ------
    EmptyGraphError
        If no quantum is left; the message says why.
    DatasetNotFoundError
        If a prerequisite is missing.
    DatasetExistsError
        If the output run holds what would be written.
    """
    registry = request.repository.registry
    condition = read_condition(request.where, request.bind, request.data_id, registry.universe)
    collections = registry.collections.flatten(request.input_collections)
    with tempfile.TemporaryDirectory(prefix="qg-build-") as folder:
        workspace = Workspace(
            Path(folder), memory_limit_mb=request.memory_limit_mb, n_threads=request.n_threads
        )
        try:
            parts = find_parts(request, condition)
            losses = _join_rows(workspace, request, condition, collections, parts)
            spaces = IdSpaces(workspace, registry, condition, _path_fields(request), parts)
            pruner = Pruner(workspace, request, condition, spaces, collections)
            pruner.prune()
            _refuse_empty(workspace, request, pruner, collections)
            Freezer(workspace, request, spaces, pruner).freeze(path, dict(facts or {}))
        finally:
            workspace.close()
        losses += pruner.losses
        reasons = tuple(pruner.reuse.reasons) if pruner.reuse is not None else ()
        report = BuildReport(
            tuple(workspace.reports), pruner.done, pruner.pruned, tuple(losses), reasons
        )
    return QuantumGraph.open(path), report


def _join_rows(
    workspace: Workspace,
    request: BuildRequest,
    condition: Condition,
    collections: list[Collection],
    parts: Sequence[Part],
) -> list[Loss]:
    """Make the rows of all parts; some may have none, which is said.

    Returns
    -------
    list
        What of the inputs is in no row.

    Raises
    ------
    EmptyGraphError
        If none has any.
    """
    empty = []
    losses: list[Loss] = []
    for part in parts:
        joiner = RowJoiner(workspace, request, condition, collections, part)
        try:
            joiner.join_rows()
            losses += joiner.losses()
        except EmptyGraphError as error:
            empty.append((part, error))
    if len(empty) == len(parts):
        raise empty[0][1]
    for part, reason in empty:
        _LOG.warning("nothing to do for %s: %s", ", ".join(sorted(part.labels)), reason)
    return losses


def _path_fields(request: BuildRequest) -> list[str]:
    """Return the record fields that the paths of outputs need."""
    fields: dict[str, None] = {}
    instrument = request.data_id.get("instrument")
    for name in request.pipeline.outputs:
        dataset_type = request.pipeline.dataset_types[name]
        template = request.repository.datastore.template_for(dataset_type, instrument)
        fields.update((f, None) for f in template.fields if "." in f)
    return list(fields)


def _refuse_empty(
    workspace: Workspace, request: BuildRequest, pruner: Pruner, collections: list[Collection]
) -> None:
    left = sum(workspace.count(f"quanta_{node.label}") for node in request.pipeline.tasks)
    if left:
        return
    done = ", ".join(f"{count} {label}" for label, count in pruner.done.items() if count)
    lacking = ", ".join(f"{count} {label}" for label, count in pruner.pruned.items() if count)
    if done and not lacking:
        raise NothingToDoError(f"nothing to do: all quanta are done already ({done})")
    where = ", ".join(c.name for c in collections[:6])
    said = f"these lack inputs: {lacking}" if lacking else "no task has any"
    before = f" (and {done} are done already)" if done else ""
    raise EmptyGraphError(f"the graph has no quanta: {said}{before}; inputs were sought in {where}")
