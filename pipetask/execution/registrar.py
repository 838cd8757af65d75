"""The one writer: turns files that workers wrote into datasets, in batches."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from typing import Any

from butler_core.datasets.dataset_ref import DatasetRef
from butler_core.datastore.file_record import FileRecord
from butler_core.datastore.syncing import sync_directories
from butler_core.failpoints import reach
from butler_core.repository.repository import Repository
from butler_core.repository.writing import ensure_run
from pipetask.execution.lease import Lease
from pipetask.execution.note_archive import Note, write_archive
from pipetask.execution.quantum_work import Outcome, QuantumResult
from pipetask.provenance.journal import ARCHIVE, COMMIT, Journal
from pipetask.quantum_graph.graph_quantum import GraphQuantum

#: Datasets per transaction.
_BATCH = 2000


class Registrar:
    """Collects what quanta wrote and commits it now and then.

    A dataset is visible only when its bytes and its name are on the disk and
    its row is committed.

    Parameters
    ----------
    run
        Name of the RUN collection that everything goes to.
    journal
        Has all that is committed here; it is put on the disk first.
    lease
        Must still be ours whenever something is committed.
    """

    def __init__(self, repository: Repository, run: str, journal: Journal, lease: Lease) -> None:
        self._repository = repository
        self._run = run
        self._journal = journal
        self._lease = lease
        self._files: list[tuple[DatasetRef, FileRecord]] = []
        self._notes: list[Note] = []
        #: Number of datasets committed.
        self.n_registered = 0

    def add(self, quantum: GraphQuantum, result: QuantumResult) -> None:
        """Take note of what an attempt at a quantum left, once nothing will change it."""
        for refs in quantum.outputs.values():
            for ref in refs:
                if ref.id in result.records:
                    self._files.append((ref, result.records[ref.id]))
        for name, content in (("_metadata", result.metadata), ("_log", result.log)):
            if name == "_metadata" and result.outcome is Outcome.FAILED:
                continue
            for ref in quantum.outputs.get(name, ()):
                if ref.id not in result.records:
                    self._notes.append(Note(ref, content))

    @property
    def is_due(self) -> bool:
        """Whether there is enough for a commit."""
        return len(self._files) + len(self._notes) >= _BATCH

    def commit(self) -> None:
        """Register everything collected so far, in one transaction.

        Can be called again if it fails.

        Raises
        ------
        RunHeldError
            If another process has taken the run over.
        JournalError
            If the disk refuses the journal.
        """
        if not self._files and not self._notes:
            return
        self._lease.require()
        self._journal.sync()
        files = self._files + self._archive()
        reach("commit.archived")
        root = self._repository.datastore.root
        directories = {(root / record.path.partition("#")[0]).parent for _, record in files}
        sync_directories(directories, root)
        reach("commit.directories")
        with self._repository.transaction():
            for members in _by_type(files).values():
                self._register(members)
            reach("commit.inserted")
        reach("commit.committed")
        self.n_registered += len(files)
        self._files.clear()
        self._notes.clear()
        self._journal.note(COMMIT, {"n_datasets": self.n_registered})
        reach("commit.marked")

    def _archive(self) -> list[tuple[DatasetRef, FileRecord]]:
        if not self._notes:
            return []
        # The first note's id is new in every batch, so no archive takes another's name.
        path = f"{self._run}/notes/{self._notes[0].ref.id}.zip"
        self._journal.note(ARCHIVE, {"path": path})
        return list(write_archive(self._repository.datastore.root, path, self._notes).items())

    def _register(self, members: list[tuple[DatasetRef, FileRecord]]) -> None:
        registry = self._repository.registry
        run = ensure_run(self._repository, self._run)
        dataset_type = members[0][0].dataset_type
        registered = registry.dataset_types.get(dataset_type.name)
        names = dataset_type.dimensions.required
        columns: dict[str, list[Any]] = {n: [ref.data_id[n] for ref, _ in members] for n in names}
        ids = [ref.id.bytes for ref, _ in members]
        keys = registry.datasets.insert(registered, run, columns, ids=ids).keys
        registry.files.insert(keys, [record for _, record in members])


def _by_type(
    files: Iterable[tuple[DatasetRef, FileRecord]],
) -> dict[str, list[tuple[DatasetRef, FileRecord]]]:
    groups: dict[str, list[tuple[DatasetRef, FileRecord]]] = {}
    seen: set[uuid.UUID] = set()
    for ref, record in files:
        if ref.id not in seen:
            seen.add(ref.id)
            groups.setdefault(ref.dataset_type.name, []).append((ref, record))
    return groups
