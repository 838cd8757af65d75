"""What happens in a worker: quanta are run one after another. Touches no database."""

from __future__ import annotations

import logging
import pdb  # noqa: T100 - --pdb is what it is for
import threading
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from butler_core.datastore.file_datastore import FileDatastore
from butler_core.failpoints import reach
from butler_core.repository.own_datastore import make_datastore
from pipetask.connections import PipelineTaskConnections
from pipetask.connections.kinds import Connection
from pipetask.errors import NoWorkFound, PipetaskError, TaskError
from pipetask.execution.attempt import Attempt
from pipetask.execution.ended_quanta import EndedQuanta
from pipetask.execution.memory_limit import memory_limited
from pipetask.execution.output_files import OutputFiles
from pipetask.execution.quantum_context import DatastoreContext, InputHandle, input_ref
from pipetask.execution.quantum_work import (
    Outcome,
    QuantumResult,
    QuantumWork,
    RunSetup,
    TaskSetup,
)
from pipetask.execution.worker_traces import WorkerTraces
from pipetask.pipeline_graph.import_tasks import import_task
from pipetask.task import PipelineTask, Struct

_LOG = logging.getLogger(__name__)


@dataclass
class _Worker:
    """A worker that knows its run; task objects and imports persist."""

    setup: RunSetup
    datastore: FileDatastore
    traces: WorkerTraces | None = None
    tasks: dict[str, tuple[PipelineTask, PipelineTaskConnections]] = field(default_factory=dict)

    def task(self, label: str) -> tuple[PipelineTask, PipelineTaskConnections]:
        """Return a task and its connections, made at the first quantum that needs them."""
        if label not in self.tasks:
            setup = self.setup.tasks[label]
            task = make_task(setup, self.datastore)
            if setup.n_threads is not None:
                _limit_threads(setup.n_threads)
            self.tasks[label] = task, task.config.ConnectionsClass(config=task.config)
        return self.tasks[label]


#: Runs that this process serves, by their keys; each of its threads has a worker of its own.
_setups: dict[str, RunSetup] = {}
_own = threading.local()


def install(setup: RunSetup) -> None:
    """Make this process ready for a run's quanta."""
    _setups[setup.key] = setup


def forget(key: str) -> None:
    """Forget a run."""
    _setups.pop(key, None)
    if getattr(_own, "worker", None) is not None and _own.worker.setup.key == key:
        del _own.worker


def _worker(key: str) -> _Worker:
    found: _Worker | None = getattr(_own, "worker", None)
    if found is None or found.setup.key != key:
        setup = _setups[key]
        traces = WorkerTraces(setup.traces) if setup.traces else None
        found = _Worker(setup, make_datastore(Path(setup.root), setup.config), traces)
        _own.worker = found
    return found


def _limit_threads(number: int) -> None:
    """Let the numerical libraries that are loaded by now use so many threads."""
    from threadpoolctl import threadpool_limits

    threadpool_limits(limits=number)


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


def run_batch(
    key: str, batch: Sequence[QuantumWork], memory_mb: float | None = None
) -> list[QuantumResult]:
    """Run quanta one after another and return how each went. Never raises for a task's failure.

    Parameters
    ----------
    key
        That of a run that was installed.
    memory_mb
        Address space that this process may have; for a process that runs nothing else.
    """
    worker = _worker(key)
    if worker.traces is not None:
        worker.traces.begin_batch()
    # Threads that sync files take address space, in which memory is bounded, and keep it.
    are_put_off = len(batch) > 1 and not worker.setup.is_memory_bounded
    ended = EndedQuanta(worker.traces, are_put_off=are_put_off)
    with memory_limited(memory_mb if worker.traces is not None else None):
        try:
            for work in batch:
                ended.add(_run_one(worker, work, ended.files(worker.datastore)))
        finally:
            ended.settle()
    return ended.results


def _run_one(worker: _Worker, work: QuantumWork, files: OutputFiles) -> Attempt:
    traces, setup = worker.traces, worker.setup.tasks[work.task_label]
    if traces is not None:
        traces.begin(work.number, setup.timeout_s)
    reach("worker.begin")
    attempt = Attempt(work, setup, files)
    with attempt.captured(worker.setup.log_level) as log:
        try:
            task, connections = worker.task(work.task_label)
            context = DatastoreContext(worker.datastore, work, task.log, files)
            attempt.outcome = _run(task, connections, context)
            attempt.metadata = task.metadata.to_dict()
        except (Exception, SystemExit) as fault:  # noqa: BLE001 - a quantum's failure becomes its record
            attempt.fail(fault)
            if worker.setup.debugger:
                pdb.post_mortem(fault.__traceback__)
        except BaseException:
            files.discard()
            raise
        if traces is not None and (said := traces.end()):
            log.add_text("stdout", said)
    attempt.end()
    reach("worker.ran")
    return attempt


def _run(
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
