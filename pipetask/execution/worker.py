"""What happens in a worker: quanta are run one after another. Touches no database."""

from __future__ import annotations

import logging
import pdb  # noqa: T100 - --pdb is what it is for
import threading
import time
import traceback
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from butler_core.datastore.file_datastore import FileDatastore
from butler_core.repository.repository import make_datastore
from pipetask.connections import PipelineTaskConnections
from pipetask.connections.kinds import Connection
from pipetask.errors import NoWorkFound, PipetaskError, TaskError
from pipetask.execution.log_capture import captured_log
from pipetask.execution.peak_memory import peak_memory_mib, reset_peak_memory
from pipetask.execution.quantum_context import (
    DatastoreContext,
    InputHandle,
    input_ref,
    write_output,
)
from pipetask.execution.quantum_work import (
    Outcome,
    QuantumResult,
    QuantumWork,
    RunSetup,
    TaskSetup,
)
from pipetask.pipeline_graph.import_tasks import import_task
from pipetask.task import PipelineTask, Struct

_LOG = logging.getLogger(__name__)


@dataclass
class _Worker:
    """A worker that knows its run; task objects and imports persist."""

    setup: RunSetup
    datastore: FileDatastore
    tasks: dict[str, tuple[PipelineTask, PipelineTaskConnections]] = field(default_factory=dict)

    def task(self, label: str) -> tuple[PipelineTask, PipelineTaskConnections]:
        """Return a task and its connections, made at the first quantum that needs them."""
        if label not in self.tasks:
            task = make_task(self.setup.tasks[label], self.datastore)
            self.tasks[label] = task, task.config.ConnectionsClass(config=task.config)
        return self.tasks[label]


_own = threading.local()


def install(setup: RunSetup) -> None:
    """Make this process, or this thread of it, ready for a run's quanta."""
    _own.worker = _Worker(setup, make_datastore(Path(setup.root), setup.config))


def make_task(setup: TaskSetup, datastore: FileDatastore) -> PipelineTask:
    """Import a task's class and make the object.

    Raises
    ------
    TaskError
        If its constructor fails.
    """
    task_class = import_task(setup.class_name)
    config = task_class.ConfigClass.from_yaml(setup.config)
    init_inputs = {
        name: InputHandle(datastore, dataset, None, dataset.ref.dataset_type.storage_class).get()
        for name, dataset in setup.init_inputs.items()
    }
    log = logging.getLogger(setup.label)
    try:
        return task_class(config=config, log=log, init_inputs=init_inputs)
    except PipetaskError:
        raise
    except Exception as error:
        raise TaskError(
            f"{setup.label!r} cannot be made: {setup.class_name} raised "
            f"{type(error).__name__}: {error}"
        ) from error


def run_batch(batch: Sequence[QuantumWork]) -> list[QuantumResult]:
    """Run quanta one after another and return how each went. Never raises for a task's failure."""
    return [_run_one(_own.worker, work) for work in batch]


def _run_one(worker: _Worker, work: QuantumWork) -> QuantumResult:
    begin = time.perf_counter()
    can_measure = _is_alone() and reset_peak_memory()
    mdc = {"LABEL": f"{work.task_label}:{work.data_id}", "RUN": _run_of(work)}
    error = trace = ""
    metadata: dict[str, Any] = {}
    context: DatastoreContext | None = None
    with captured_log(worker.setup.log_level, mdc) as log:
        try:
            task, connections = worker.task(work.task_label)
            context = DatastoreContext(worker.datastore, work, task.log)
            outcome = _attempt(task, connections, context)
            metadata = task.metadata.to_dict()
        except (Exception, SystemExit) as fault:  # noqa: BLE001 - a quantum's failure becomes its record
            outcome = Outcome.FAILED
            error = f"{type(fault).__name__}: {fault}"
            trace = traceback.format_exc()
            if worker.setup.debugger:
                pdb.post_mortem(fault.__traceback__)
            _LOG.error("%s %s failed: %s", work.task_label, work.data_id, error)
            if log:  # the traceback is for the log dataset, not for the terminal
                log[-1]["exc_info"] = trace
        except BaseException:
            if context is not None:
                worker.datastore.remove(context.written.values())
            raise
    written = dict(context.written) if context else {}
    if outcome is Outcome.FAILED:
        worker.datastore.remove(written.values())
        written = {}
    elapsed = time.perf_counter() - begin
    peak = peak_memory_mib() if can_measure else None
    notes = {**metadata, "quantum": {"elapsed_s": elapsed, "peak_memory_mib": peak}}
    if work.metadata_file is not None and outcome is not Outcome.FAILED:
        written[work.metadata_file.ref.id] = write_output(
            worker.datastore, notes, work.metadata_file
        )
    if work.log_file is not None:
        written[work.log_file.ref.id] = write_output(worker.datastore, log, work.log_file)
    return QuantumResult(
        work.number, work.task_label, work.data_id, outcome, written, notes, tuple(log),
        error, trace, elapsed, peak,
    )  # fmt: skip


def _is_alone() -> bool:
    """Return whether no other quantum runs in this process: other threads share its memory."""
    return threading.current_thread() is threading.main_thread()


def _run_of(work: QuantumWork) -> str:
    for connection in work.outputs:
        for dataset in connection.datasets:
            return dataset.ref.run
    return ""


def _attempt(
    task: PipelineTask, connections: PipelineTaskConnections, context: DatastoreContext
) -> Outcome:
    """Run one quantum; return whether there was anything to do."""
    task.metadata.clear()
    try:
        inputs, outputs = _refs(connections, context.work)
        task.run_quantum(context, inputs, outputs)
    except NoWorkFound as reason:
        _LOG.info("%s %s: nothing to do: %s", context.work.task_label, context.data_id, reason)
        return Outcome.NO_WORK
    return Outcome.SUCCEEDED


def _refs(connections: PipelineTaskConnections, work: QuantumWork) -> tuple[Struct, Struct]:
    """Return a quantum's references by connection, as `PipelineTask.run_quantum` takes them.

    The task's connections may adjust them, or refuse the quantum: by default
    where inputs are fewer than their minimum, because what came before found
    no work.
    """
    known = connections.all_connections
    inputs: dict[str, tuple[Connection, Collection[Any]]] = {
        c.name: (known[c.name], [input_ref(c, dataset) for dataset in c.datasets])
        for c in work.inputs
    }
    outputs: dict[str, tuple[Connection, Collection[Any]]] = {
        c.name: (known[c.name], [dataset.ref for dataset in c.datasets]) for c in work.outputs
    }
    fewer_inputs, fewer_outputs = connections.adjust_quantum(
        inputs, outputs, work.task_label, work.data_id
    )
    return _struct({**inputs, **fewer_inputs}), _struct({**outputs, **fewer_outputs})


def _struct(sides: Mapping[str, tuple[Connection, Collection[Any]]]) -> Struct:
    """Return a list of references where a connection is multiple, else one or None."""
    return Struct(
        **{
            name: list(refs) if connection.multiple else next(iter(refs), None)
            for name, (connection, refs) in sides.items()
        }
    )
