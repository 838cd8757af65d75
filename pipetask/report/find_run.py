"""Finds what a report is asked of: a run, the runs of a chain, or a graph file."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from butler_core.datasets.collection import CollectionType
from butler_core.errors import UnknownCollectionError
from butler_core.repository.repository import Repository
from pipetask.errors import RunError
from pipetask.provenance.process_identity import is_gone
from pipetask.provenance.run_folder import RunFolder
from pipetask.quantum_graph.graph import QuantumGraph


@dataclass(frozen=True)
class KnownRun:
    """A run that has graphs."""

    name: str
    folder: RunFolder
    #: The oldest first.
    graph_ids: tuple[str, ...]

    #: Whether the registry does not know it, since `pipetask run-qbb` runs it.
    is_quantum_backed: bool = False

    @property
    def is_going_on(self) -> bool:
        """Whether a process is at work on it, as far as can be seen from here."""
        try:
            holder = json.loads(self.folder.lease.read_text(encoding="utf-8"))
        except (FileNotFoundError, ValueError):
            return False
        return is_gone(holder) is not True


def find_runs(repository: Repository, name: str, journal_folder: Path | None) -> list[KnownRun]:
    """Return the runs that a name stands for.

    Parameters
    ----------
    name
        A RUN collection, a chain, or a graph file.
    journal_folder
        Where journals are, if not with the runs' files.

    Raises
    ------
    RunError
        If none of them was made by `pipetask run`.
    """
    root = journal_folder or repository.datastore.root
    if name.endswith(".qg") and Path(name).is_file():
        with QuantumGraph.open(name) as graph:
            run, graph_id = graph.output_run, graph.id
        folder = RunFolder.of(root, run)
        if not folder.graph(graph_id).exists():
            raise RunError(f"the graph in {name!r} has not been run: run {run!r} does not have it")
        return [_known(repository, root, run, graph_id)]
    found = [_known(repository, root, run) for run in _runs(repository, name, root)]
    runs = [run for run in found if run.graph_ids]
    if not runs:
        raise RunError(f"{name!r} holds nothing that `pipetask run` has made")
    return runs


def _runs(repository: Repository, name: str, root: Path) -> list[str]:
    collections = repository.registry.collections
    try:
        found = collections.flatten([name])
    except UnknownCollectionError:
        # A run that was interrupted before it began has a folder, and perhaps no collection.
        if RunFolder.of(root, name).path.is_dir():
            return [name]
        raise
    return [c.name for c in found if c.type is CollectionType.RUN]


def _known(repository: Repository, root: Path, run: str, graph_id: str = "") -> KnownRun:
    """Return a run with one of its graphs, or all."""
    folder = RunFolder.of(root, run)
    graph_ids = (graph_id,) if graph_id else tuple(folder.graph_ids())
    if not graph_ids or repository.registry.collections.find([run]):
        return KnownRun(run, folder, graph_ids)
    with QuantumGraph.open(folder.graph(graph_ids[-1])) as graph:
        return KnownRun(run, folder, graph_ids, is_quantum_backed=graph.has_files)
