"""Takes up what an interrupted run has done: from its journals into the registry."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from pathlib import Path

from butler_core.datasets.dataset_ref import DatasetRef
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
    """Return what the last attempt at each quantum left, by the quantum's number.

    Journals of several processes come in no order, and their clocks may differ, so that one
    which was done counts before all that failed.
    """
    found: dict[int, tuple[tuple[bool, str], QuantumResult]] = {}
    for record, result in results_in(entries):
        rank = (result.outcome in _DONE, str(record.get("started", "")))
        if result.number not in found or rank >= found[result.number][0]:
            found[result.number] = rank, result
    return {number: result for number, (_, result) in found.items()}


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
            result = known[quantum.number]
            # The log of a failure does not tell of what was done after it.
            names = ("_metadata",) if result.outcome in _DONE else ("_metadata", "_log")
            own = (ref for name in names for ref in quantum.outputs.get(name, ()))
            if any(ref.id.bytes in there for ref in own):
                continue
            if not _is_whole(repository, result):
                _LOG.warning("files of quantum %d are gone; it will run again", quantum.number)
                continue
            logs = quantum.outputs.get("_log", ())
            _forget(repository, (ref for ref in logs if ref.id.bytes in there), result)
            registrar.add(quantum, result)
        registrar.commit()
        reach("replay.committed")


_CHUNK = 500
_DONE = (Outcome.SUCCEEDED, Outcome.NO_WORK)
_LEAVES_SOMETHING = (*_DONE, Outcome.FAILED)


def _forget(repository: Repository, logs: Iterable[DatasetRef], result: QuantumResult) -> None:
    """Remove the log that an earlier, failed attempt at a quantum left; its file may be new."""
    registry, written = repository.registry, {record.path for record in result.records.values()}
    keys = list(registry.datasets.keys_of(logs).values())
    if keys:
        with repository.transaction() as journal:
            old = registry.files.delete(keys)
            journal.condemn(record for record in old if record.path not in written)
            registry.datasets.delete(keys)


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
