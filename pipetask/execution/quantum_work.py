"""What travels to a worker, and what comes back. Plain values; no database, no open file."""

from __future__ import annotations

import enum
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from butler_core.datasets.dataset_ref import DatasetRef
from butler_core.datastore.file_record import FileRecord
from butler_core.dimensions.data_coordinate import DataCoordinate
from pipetask.provenance.journal import NOTES, QUANTUM, Entry


@dataclass(frozen=True, slots=True)
class TaskSetup:
    """A task as a worker needs it to make the object."""

    label: str
    #: Dotted name of its class.
    class_name: str
    #: YAML of its configuration.
    config: str
    #: Datasets for its constructor, by connection name.
    init_inputs: Mapping[str, InputDataset] = field(default_factory=dict)
    #: Digests of its configuration and of its code; empty where the code cannot be traced.
    config_digest: str = ""
    code_digest: str = ""
    #: Threads that numerical libraries may use for one quantum; None for as many as they like.
    n_threads: int | None = None
    #: Longest time for one quantum [s]; None for any.
    timeout_s: float | None = None


@dataclass(frozen=True, slots=True)
class RunSetup:
    """What is the same for all quanta of a run; sent to each worker once."""

    #: Tells it from others, as a worker may serve several runs one after another.
    key: str
    #: Directory of the repository.
    root: str
    #: Content of the repository's ``butler.yaml``.
    config: Mapping[str, Any]
    tasks: Mapping[str, TaskSetup]
    log_level: int
    #: Whether to start the debugger where a task fails; for one worker in this process.
    debugger: bool = False
    #: Folder of this machine in which workers leave traces; see `worker_traces`.
    traces: str | None = None
    #: Whether the memory of any task is bounded.
    is_memory_bounded: bool = False
    #: Digests of the source files, and versions, that the code of each task is made of.
    code: Mapping[str, Mapping[str, Mapping[str, str]]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class InputDataset:
    """A dataset to read, and where it is."""

    ref: DatasetRef
    record: FileRecord


@dataclass(frozen=True, slots=True)
class InputConnectionWork:
    """The datasets of one input connection."""

    name: str
    datasets: tuple[InputDataset, ...]
    #: Storage class that the task sees.
    storage_class: str
    component: str | None
    is_multiple: bool
    is_deferred: bool
    minimum: int
    is_prerequisite: bool


@dataclass(frozen=True, slots=True)
class OutputDataset:
    """A dataset to write, and where."""

    ref: DatasetRef
    #: Relative to the datastore's root, without extension.
    path: str


@dataclass(frozen=True, slots=True)
class OutputConnectionWork:
    """The datasets of one output connection."""

    name: str
    datasets: tuple[OutputDataset, ...]
    storage_class: str
    is_multiple: bool


@dataclass(frozen=True, slots=True)
class QuantumWork:
    """One quantum, whole."""

    number: int
    id: uuid.UUID
    task_label: str
    data_id: DataCoordinate
    inputs: tuple[InputConnectionWork, ...]
    outputs: tuple[OutputConnectionWork, ...]
    #: Where its metadata goes as a file of its own, because a task of the graph reads it.
    metadata_file: OutputDataset | None = None
    #: As above, for its log.
    log_file: OutputDataset | None = None
    #: Number of this attempt, from 1.
    attempt: int = 1


class Outcome(enum.Enum):
    """How a quantum ended."""

    SUCCEEDED = "succeeded"
    #: There was nothing to do; no failure.
    NO_WORK = "no-work"
    FAILED = "failed"
    #: Not started, because something it needs failed.
    BLOCKED = "blocked"
    #: Not started, because the run was stopped.
    CANCELLED = "cancelled"
    #: Its worker died, more than once.
    LOST = "lost"


class Fault(enum.Enum):
    """What kind of failure a quantum's was."""

    #: The task raised an exception, or returned what cannot be stored.
    ERROR = "error"
    #: It had too little memory.
    MEMORY = "memory"
    TIMEOUT = "timeout"
    #: Its worker died.
    DEATH = "death"
    #: The datastore could not be written; not the task's fault.
    STORE = "store"


@dataclass(frozen=True, slots=True)
class QuantumResult:
    """How one attempt at a quantum went."""

    number: int
    task_label: str
    #: Values of its required dimensions.
    data_id: Mapping[str, Any]
    outcome: Outcome
    #: Files written, by the id of their dataset.
    records: Mapping[uuid.UUID, FileRecord] = field(default_factory=dict)
    #: Why it failed; None if it did not.
    fault: Fault | None = None
    #: Exception's type and message, in one line, if it failed.
    error: str = ""
    elapsed_s: float = 0.0
    #: Largest resident memory while it ran [MiB]; None where that cannot be measured.
    peak_memory_mib: float | None = None
    #: What the journal keeps of it, as JSON; see `quantum_record`.
    record: bytes = b"{}"
    #: What is kept as ``TASK_metadata``, as JSON.
    metadata: bytes = b"{}"
    #: What is kept as ``TASK_log``, as JSON.
    log: bytes = b"[]"
    #: Warnings and errors that it logged: logger, level, message; the first few.
    warnings: tuple[tuple[str, int, str], ...] = ()

    @property
    def entries(self) -> tuple[Entry, Entry]:
        """All that the journal keeps."""
        notes = b'{"metadata":%b,"log":%b}' % (self.metadata, self.log)
        return Entry(QUANTUM, self.record), Entry(NOTES, notes)
