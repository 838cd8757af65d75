"""Takes up what an interrupted run has done: from its journals into the registry."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from pathlib import Path

from butler_core.failpoints import reach
from butler_core.repository.repository import Repository
from pipetask.errors import RunError
from pipetask.execution.lease import Lease
from pipetask.execution.quantum_record import results_in
from pipetask.execution.quantum_work import Outcome, QuantumResult
from pipetask.execution.registrar import Registrar
from pipetask.provenance.history import seal
from pipetask.provenance.journal import ARCHIVE, Entry, Journal, read_journal
from pipetask.provenance.run_folder import RunFolder
from pipetask.quantum_graph.graph import QuantumGraph

_LOG = logging.getLogger(__name__)


def recover(repository: Repository, folder: RunFolder, run: str, lease: Lease) -> int:
    """Register what is in the journals of a run and not in the registry.

    Returns
    -------
    int
        How many datasets were registered.

    Raises
    ------
    RunError
        If a journal's graph is not there.
    """
    graph_ids = folder.unfinished()
    count = sum(recover_graph(repository, folder, run, lease, each) for each in graph_ids)
    if count:
        _LOG.warning(
            "run %s was interrupted; %d datasets that it had made are registered now", run, count
        )
    return count


def recover_graph(
    repository: Repository, folder: RunFolder, run: str, lease: Lease, graph_id: str
) -> int:
    """Register what the journals of one graph tell of, and take them into its history."""
    path = folder.graph(graph_id)
    if not path.is_file():
        raise RunError(
            f"run {run!r} was interrupted, and the graph of its journal {graph_id!r} is not there "
            f"({str(path)!r}); put it back, or remove the journal: what it tells of then runs again"
        )
    journals = folder.journals(graph_id)
    merged = Journal(folder.journal(graph_id))
    try:
        registrar = Registrar(repository, run, merged, lease)
        with QuantumGraph.open(path) as graph:
            found = last_results(entry for journal in journals for entry in read_journal(journal))
            _register(repository, graph, registrar, found.values())
        _remove_stray_archives(repository, journals)
    finally:
        merged.close()
    seal(folder, graph_id)
    return registrar.n_registered


def last_results(entries: Iterable[Entry]) -> dict[int, QuantumResult]:
    """Return what the last attempt at each quantum left, by the quantum's number."""
    return {result.number: result for _, result in results_in(entries)}


def _register(
    repository: Repository,
    graph: QuantumGraph,
    registrar: Registrar,
    results: Iterable[QuantumResult],
) -> None:
    known = {r.number: r for r in results if r.outcome in _LEAVES_SOMETHING}
    numbers = sorted(known)
    for start in range(0, len(numbers), _CHUNK):
        quanta = graph.quanta(numbers[start : start + _CHUNK])
        notes = [q.outputs[n][0] for q in quanta for n in ("_metadata", "_log") if q.outputs.get(n)]
        # Rows of one quantum are committed together, so one of them tells of all.
        there = repository.registry.datasets.find_ids([ref.id.bytes for ref in notes])
        for quantum in quanta:
            own = (ref for name in ("_metadata", "_log") for ref in quantum.outputs.get(name, ()))
            result = known[quantum.number]
            if any(ref.id.bytes in there for ref in own):
                continue
            if not _is_whole(repository, result):
                _LOG.warning("files of quantum %d are gone; it will run again", quantum.number)
                continue
            registrar.add(quantum, result)
        registrar.commit()
        reach("replay.committed")


_CHUNK = 500
_LEAVES_SOMETHING = (Outcome.SUCCEEDED, Outcome.NO_WORK, Outcome.FAILED)


def _is_whole(repository: Repository, result: QuantumResult) -> bool:
    """Return whether a quantum's files are there; a machine that failed may have lost some."""
    root = repository.datastore.root
    for record in result.records.values():
        path = root / record.path
        if not path.is_file() or path.stat().st_size != record.size:
            return False
    return True


def _remove_stray_archives(repository: Repository, journals: Iterable[Path]) -> None:
    """Remove archives that were written for a commit that never was."""
    for journal in journals:
        for entry in read_journal(journal):
            if entry.kind != ARCHIVE:
                continue
            path = entry.document["path"]
            if not repository.registry.files.is_needed(path):
                (repository.datastore.root / path).unlink(missing_ok=True)
