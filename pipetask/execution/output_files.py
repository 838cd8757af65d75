"""Writes a quantum's outputs as files: under temporary names first, synced, renamed."""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from typing import Any

from butler_core.datasets.dataset_type import DatasetType
from butler_core.datastore.file_datastore import FileDatastore
from butler_core.datastore.file_record import FileRecord
from butler_core.datastore.new_file import write_fault
from butler_core.datastore.pending_files import StagedFile
from butler_core.datastore.syncing import sync_file
from butler_core.failpoints import reach
from pipetask.execution.quantum_work import OutputDataset

#: Files that are synced at the same time: a disk that is asked for many together flushes once.
_N_TOGETHER = 8


class OutputFiles:
    """The files of one quantum.

    Parameters
    ----------
    are_put_off
        Whether files keep their temporary names, and need not be on the disk, until `publish`.
    """

    def __init__(self, datastore: FileDatastore, *, are_put_off: bool = False) -> None:
        self.datastore = datastore
        self._are_put_off = are_put_off
        self._staged: list[StagedFile] = []
        #: What was written, by dataset id.
        self.records: dict[uuid.UUID, FileRecord] = {}

    def write(
        self, obj: Any, dataset: OutputDataset, *, storage_class: str | None = None
    ) -> FileRecord:
        """Write an object to where a dataset goes.

        Parameters
        ----------
        storage_class
            Storage class of the object, if not the dataset type's.

        Raises
        ------
        WriteFileError
            If the system refuses; nothing of this object is left behind.
        """
        dataset_type: DatasetType = dataset.ref.dataset_type
        if storage_class is not None and storage_class != dataset_type.storage_class:
            obj = self.datastore.storage_class(storage_class).check(obj)
        staged = self.datastore.stage(
            obj, dataset_type, dataset.path, is_to_sync=not self._are_put_off
        )
        if self._are_put_off:
            self._staged.append(staged)
        else:
            _publish(staged)
        self.records[dataset.ref.id] = staged.record
        return staged.record

    @property
    def waiting(self) -> list[Path]:
        """Temporary names of the files that wait for `publish`."""
        return [staged.temporary for staged in self._staged]

    def publish(self, faults: Mapping[Path, OSError]) -> None:
        """Give files that were put off their names.

        Parameters
        ----------
        faults
            What `sync_together` returned.

        Raises
        ------
        WriteFileError
            If one could not be synced or renamed.
        """
        while self._staged:
            staged = self._staged[0]
            if staged.temporary in faults:
                raise write_fault(staged.target, faults[staged.temporary])
            try:
                reach("file.synced")
            except OSError as error:
                raise write_fault(staged.target, error) from error
            self._staged.pop(0)
            _publish(staged)

    def discard(self) -> None:
        """Remove all of them.

        A datastore that could not be written may not be changed now either; a restart replaces
        what is left.
        """
        with contextlib.suppress(OSError):
            for staged in self._staged:
                staged.discard()
            self.datastore.remove(self.records.values())
        self._staged.clear()
        self.records.clear()


def sync_together(paths: Sequence[Path]) -> dict[Path, OSError]:
    """Put the bytes of files on the disk; return which could not be, and why."""
    found = _pool().map(_synced, paths) if len(paths) > 1 else map(_synced, paths)
    return {path: error for path, error in zip(paths, found, strict=True) if error is not None}


def _publish(staged: StagedFile) -> None:
    try:
        staged.publish()
    except OSError as error:
        with contextlib.suppress(OSError):  # what hinders one may hinder the other
            staged.discard()
        raise write_fault(staged.target, error) from error


def _synced(path: Path) -> OSError | None:
    try:
        sync_file(path)
    except OSError as error:
        return error
    return None


@cache
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(_N_TOGETHER, thread_name_prefix="sync")
