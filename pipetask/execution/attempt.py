"""One attempt at a quantum, from its begin to its result."""

from __future__ import annotations

import time
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from butler_core.errors import WriteFileError
from pipetask.execution.bounded_log import shortened
from pipetask.execution.log_capture import CapturedLog, captured_log
from pipetask.execution.output_files import OutputFiles
from pipetask.execution.peak_memory import peak_memory_mib, reset_peak_memory
from pipetask.execution.quantum_record import dumped, failure_facts, record_of
from pipetask.execution.quantum_work import (
    Fault,
    Outcome,
    OutputDataset,
    QuantumResult,
    QuantumWork,
    TaskSetup,
)

#: Characters of a message that go to the terminal, the journal and the report.
_LONGEST_ERROR = 2000


class Attempt:
    """What is known of a quantum while it runs, and what is said of it afterwards.

    Parameters
    ----------
    setup
        The quantum's task.
    files
        What the task writes with.
    """

    def __init__(self, work: QuantumWork, setup: TaskSetup, files: OutputFiles) -> None:
        self._work = work
        self.files = files
        self._own_files = OutputFiles(files.datastore)
        self._setup = setup
        self._started = datetime.now(UTC)
        self._begin = time.perf_counter()
        self._cpu_begin = time.thread_time()
        self._can_measure = reset_peak_memory()
        #: How long it took, once it has ended [s].
        self.elapsed_s = 0.0
        self.outcome = Outcome.FAILED
        #: What the task noted.
        self.metadata: dict[str, Any] = {}
        self._fault: Fault | None = None
        self._error = self._trace = ""
        #: Whether metadata and log could not be written as files, and are not to be tried again.
        self._is_final = False

    @contextmanager
    def captured(self, level: int) -> Iterator[CapturedLog]:
        """Keep what is logged inside."""
        mdc = {"LABEL": f"{self._work.task_label}:{self._work.data_id}", "RUN": self._run}
        with captured_log(level, mdc) as self._log:
            yield self._log

    @property
    def _run(self) -> str:
        for connection in self._work.outputs:
            for dataset in connection.datasets:
                return dataset.ref.run
        return ""

    @property
    def number(self) -> int:
        """The quantum's number."""
        return self._work.number

    def fail(self, error: BaseException) -> None:
        """Note what the task raised."""
        self.outcome = Outcome.FAILED
        self._fault = _fault_of(error)
        self._error = shortened(_told(error), _LONGEST_ERROR)
        self._trace = shortened(traceback.format_exc())

    def end(self) -> None:
        """Measure what the quantum took, now that it has ended."""
        self.elapsed_s = time.perf_counter() - self._begin
        self._peak_mib = peak_memory_mib() if self._can_measure else None
        self._facts = {
            "started": self._started.replace(tzinfo=None).isoformat() + "Z",
            "elapsed_s": round(self.elapsed_s, 6),
            "cpu_s": round(time.thread_time() - self._cpu_begin, 6),
            "peak_memory_mib": self._peak_mib,
        }
        if self.outcome is Outcome.FAILED:
            self.files.discard()

    def publish(self, faults: Mapping[Path, OSError]) -> None:
        """Give files their names that were put off; see `OutputFiles.publish`."""
        try:
            self.files.publish(faults)
        except WriteFileError as error:
            self.fail(error)
            self.files.discard()

    def result(self) -> QuantumResult:
        """Return how it went; what a failure wrote is removed."""
        if self._fault is not None and not self._is_final:
            self._log.add_failure(self._error, self._trace)
        records = self._log.kept.records()
        facts, written = dict(self._facts), dict(self.files.records)
        work, setup = self._work, self._setup
        if self._fault is not None:
            facts |= failure_facts(self._fault, self._error, self._trace, records)
        record = record_of(work, setup, self.outcome, written, **facts)
        notes = {**self.metadata, "quantum": record}
        if not self._is_final:
            try:
                if work.metadata_file is not None and self._fault is None:
                    self._write(notes, work.metadata_file, record)
                if work.log_file is not None:
                    self._write(records, work.log_file, record)
            except WriteFileError as error:
                self._is_final = True
                self.fail(error)
                self._own_files.discard()
                self.files.discard()
                return self.result()
        return QuantumResult(
            work.number, work.task_label, work.data_id, self.outcome,
            written | self._own_files.records, self._fault, self._error, self.elapsed_s,
            self._peak_mib, dumped(record), dumped(notes), dumped(records),
            tuple(self._log.warnings),
        )  # fmt: skip

    def _write(self, obj: Any, dataset: OutputDataset, record: dict[str, Any]) -> None:
        """Write metadata or a log as a file of its own."""
        made = self._own_files.write(obj, dataset)
        record["outputs"].append([
            str(dataset.ref.id), made.path, made.formatter, made.storage_class, made.size,
            made.checksum,
        ])  # fmt: skip


def _told(error: BaseException) -> str:
    """Return type and message of an exception, even of one that cannot say it."""
    return "".join(
        traceback.TracebackException.from_exception(error).format_exception_only()
    ).strip()


def _fault_of(error: BaseException) -> Fault:
    if isinstance(error, MemoryError):
        return Fault.MEMORY
    is_store = isinstance(error, WriteFileError) and error.errno is not None
    return Fault.STORE if is_store else Fault.ERROR
