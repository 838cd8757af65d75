"""The one writer: turns files that workers wrote into datasets, in batches."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from typing import Any

from butler_core.datasets.dataset_ref import DatasetRef
from butler_core.datastore.file_record import FileRecord
from butler_core.datastore.syncing import sync_directories
from butler_core.repository.repository import Repository
from butler_core.repository.writing import ensure_run
from pipetask.execution.note_archive import Note, write_archive

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
    """

    def __init__(self, repository: Repository, run: str) -> None:
        self._repository = repository
        self._run = run
        self._files: list[tuple[DatasetRef, FileRecord]] = []
        self._notes: list[Note] = []
        #: Number of datasets committed.
        self.n_registered = 0

    def add(self, ref: DatasetRef, record: FileRecord) -> None:
        """Take note of a file that a worker wrote."""
        self._files.append((ref, record))

    def add_note(self, note: Note) -> None:
        """Take note of metadata or a log that is not in a file yet."""
        self._notes.append(note)

    @property
    def is_due(self) -> bool:
        """Whether there is enough for a commit."""
        return len(self._files) + len(self._notes) >= _BATCH

    def commit(self) -> None:
        """Register everything collected so far, in one transaction."""
        if not self._files and not self._notes:
            return
        files = list(self._files)
        files += self._archive()
        root = self._repository.datastore.root
        directories = {(root / record.path.partition("#")[0]).parent for _, record in files}
        sync_directories(directories, root)
        with self._repository.transaction():
            for members in _by_type(files).values():
                self._register(members)
        self.n_registered += len(files)
        self._files.clear()
        self._notes.clear()

    def _archive(self) -> list[tuple[DatasetRef, FileRecord]]:
        if not self._notes:
            return []
        # The first note's id is new in every batch, so no archive takes another's name.
        path = f"{self._run}/notes/{self._notes[0].ref.id}.zip"
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
