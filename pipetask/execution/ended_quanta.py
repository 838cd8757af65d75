"""Quanta of a batch that have ended: their files are made durable, and what they did is told."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from butler_core.datastore.file_datastore import FileDatastore
from pipetask.execution.attempt import Attempt
from pipetask.execution.output_files import OutputFiles, sync_together
from pipetask.execution.quantum_work import QuantumResult
from pipetask.execution.worker_traces import WorkerTraces

#: So much work may wait for its files to be synced [s]: a worker that dies loses no more than that
#: beside the quantum it is at.
_MOST_WAITING_S = 0.01


class EndedQuanta:
    """Takes quanta as they end.

    Syncing the files of several short quanta together takes a fraction of the time, since the disk
    flushes once for many; those of a long one are synced at once.

    Parameters
    ----------
    are_put_off
        Whether quanta may wait for others.
    """

    def __init__(self, traces: WorkerTraces | None, *, are_put_off: bool) -> None:
        self._traces = traces
        self._are_put_off = are_put_off
        self._waiting: list[Attempt] = []
        self._waiting_s = 0.0
        #: Of all that are settled.
        self.results: list[QuantumResult] = []

    def files(self, datastore: FileDatastore) -> OutputFiles:
        """Return what the next quantum writes with."""
        return OutputFiles(datastore, are_put_off=self._are_put_off)

    def add(self, attempt: Attempt) -> None:
        """Take a quantum that has ended, however it did."""
        self._waiting.append(attempt)
        self._waiting_s += attempt.elapsed_s
        if not self._are_put_off or self._waiting_s >= _MOST_WAITING_S:
            self.settle()

    def settle(self) -> None:
        """Make the files of all that wait durable, give them their names, keep what is told."""
        if not self._waiting:
            return
        faults = sync_together([path for each in self._waiting for path in each.files.waiting])
        for attempt in self._waiting:
            self.results.append(self._settled(attempt, faults))
        self._waiting.clear()
        self._waiting_s = 0.0

    def _settled(self, attempt: Attempt, faults: Mapping[Path, OSError]) -> QuantumResult:
        if self._traces is not None:
            self._traces.settle(attempt.number)
        attempt.publish(faults)
        result = attempt.result()
        if self._traces is not None:
            self._traces.keep(result.entries)
        return result
