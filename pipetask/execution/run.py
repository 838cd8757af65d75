"""The loop: takes quanta from the schedule, hands them to an engine, registers what comes back."""

from __future__ import annotations

import functools
import logging
import time
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from dataclasses import dataclass, field

from butler_core.repository.repository import Repository
from pipetask.execution.engines.engine import Engine, make_engine
from pipetask.execution.interrupts import Interrupts, first_interrupt_held
from pipetask.execution.made_before import refuse_made
from pipetask.execution.note_archive import Note
from pipetask.execution.quantum_work import Outcome, QuantumResult, QuantumWork, RunSetup
from pipetask.execution.registrar import Registrar
from pipetask.execution.schedule import Schedule, State
from pipetask.execution.summary import RunSummary
from pipetask.execution.work_source import WorkSource
from pipetask.execution.worker import install, run_batch
from pipetask.quantum_graph.graph import QuantumGraph

_LOG = logging.getLogger(__name__)

#: What one trip to a worker should take [s], so that the trip itself does not matter.
_BATCH_S = 0.2
#: Longest time between commits [s].
_COMMIT_S = 2.0
#: A quantum whose worker died this often is given up.
_MAX_DEATHS = 2


@dataclass(frozen=True)
class RunOptions:
    """How quanta are run."""

    n_workers: int = 1
    #: Name of the engine; chosen by the number of workers if None.
    engine: str | None = None
    #: Whether to start nothing more after the first failure.
    fail_fast: bool = False
    #: Longest time for one quantum [s]; needs workers in other processes.
    timeout_s: float | None = None
    #: Address space that a worker process may have [MB].
    memory_mb: float | None = None
    #: Numbers of the quanta to run; all if None.
    chosen: frozenset[int] | None = None
    #: Called with each result.
    on_result: Callable[[QuantumResult], None] | None = field(default=None, compare=False)


def run_graph(
    repository: Repository, graph: QuantumGraph, setup: RunSetup, options: RunOptions
) -> RunSummary:
    """Run all quanta of a graph and register what they write.

    Parameters
    ----------
    setup
        What `prepare_run` returned.

    Returns
    -------
    RunSummary
        What became of each quantum. A failed quantum is no error here.

    Raises
    ------
    DatasetExistsError
        If the run has done some of the quanta.
    KeyboardInterrupt
        At the second interrupt; the first lets what runs end, and cancels the rest.
    """
    refuse_made(repository, graph, options.chosen)
    engine = make_engine(options.engine, options.n_workers, options.memory_mb)
    loop = _Loop(repository, graph, setup, options, engine)
    killed = True
    try:
        loop.run()
        killed = False
    finally:
        engine.close(kill=killed)
    return loop.summary


class _Loop:
    def __init__(
        self,
        repository: Repository,
        graph: QuantumGraph,
        setup: RunSetup,
        options: RunOptions,
        engine: Engine,
    ) -> None:
        self._options = options
        self._engine = engine
        self._prepare = functools.partial(install, setup)
        before, after = graph.dependencies()
        self._schedule = Schedule(graph.task_numbers(), before, after, chosen=options.chosen)
        self._labels = [task.label for task in graph.tasks]
        self._tasks = graph.task_numbers()
        self._source = WorkSource(repository, graph, is_part=options.chosen is not None)
        self._registrar = Registrar(repository, graph.output_run)
        self._flying: dict[Future[list[QuantumResult]], list[QuantumWork]] = {}
        #: When each batch was sent [s, monotonic].
        self._sent: dict[Future[list[QuantumResult]], float] = {}
        self._mean_s: dict[str, float] = {}
        self._warm: Executor | None = None
        self._deaths: dict[int, int] = {}
        #: Quanta one of which killed its worker; they run alone.
        self._suspects: list[int] = []
        self._last_commit = time.monotonic()
        self.summary = RunSummary(graph.output_run, tuple(self._labels))

    def run(self) -> None:
        begin = time.monotonic()
        try:
            with first_interrupt_held() as interrupts:
                self._go_on(interrupts)
        finally:
            self._registrar.commit()
            self.summary.n_datasets = self._registrar.n_registered
            self.summary.elapsed_s = time.monotonic() - begin
        for number in self._schedule.numbers(State.CANCELLED):
            self.summary.count(self._label(number), Outcome.CANCELLED)

    def _go_on(self, interrupts: Interrupts) -> None:
        while self._flying or self._suspects or not self._schedule.is_finished:
            if interrupts.came and not self._schedule.is_cancelled:
                self._cancel()
            self._submit()
            done, _ = wait(self._flying, return_when=FIRST_COMPLETED, timeout=self._patience())
            for future in done:
                if future in self._flying:  # a death takes others down with it
                    self._take_back(future)
            self._stop_late()
            if self._registrar.is_due or time.monotonic() - self._last_commit > _COMMIT_S:
                self._commit()

    def _commit(self) -> None:
        self._registrar.commit()
        self._last_commit = time.monotonic()

    def _label(self, number: int) -> str:
        return self._labels[int(self._tasks[number])]

    # ---------------------------------------------------------------- sending
    def _submit(self) -> None:
        if self._suspects:
            if not self._flying:
                self._send([self._source.work(self._suspects[0])])
            return
        while len(self._flying) < self._room() and self._schedule.n_ready:
            task = self._schedule.next_task()
            numbers = self._schedule.take(self._batch_size(self._labels[task]))
            self._send([self._source.work(number) for number in numbers])

    def _room(self) -> int:
        """Return how many batches may be under way: one more than workers keeps all busy."""
        n_workers = self._engine.n_workers
        if n_workers == 1 or self._options.timeout_s is not None:
            return n_workers  # what waits in a queue would seem to run late
        return n_workers + 1

    def _batch_size(self, label: str) -> int:
        mean = self._mean_s.get(label)
        if mean is None or self._options.timeout_s is not None:
            return 1
        fair = self._schedule.n_ready // (2 * self._engine.n_workers)
        return max(1, min(self._engine.max_batch, int(_BATCH_S / max(mean, 1e-4)), fair))

    def _send(self, batch: list[QuantumWork]) -> None:
        executor = self._engine.executor(self._prepare)
        if executor is not self._warm and self._options.timeout_s is not None:
            # The start of a worker is no part of a quantum's time.
            wait([executor.submit(time.sleep, 0.1) for _ in range(self._engine.n_workers)])
            self._warm = executor
        future = executor.submit(run_batch, batch)
        self._flying[future] = batch
        self._sent[future] = time.monotonic()

    # -------------------------------------------------------------- receiving
    def _take_back(self, future: Future[list[QuantumResult]]) -> None:
        batch = self._flying.pop(future)
        error = future.exception()
        if error is None:
            if self._suspects and self._suspects[0] == batch[0].number:
                self._suspects.pop(0)
            for work, result in zip(batch, future.result(), strict=True):
                self._record(work, result)
        elif _is_worker_death(error):
            self._worker_died(batch)
        else:
            raise error

    def _record(self, work: QuantumWork, result: QuantumResult) -> None:
        quantum = self._source.quantum(work.number)
        for refs in quantum.outputs.values():
            for ref in refs:
                if ref.id in result.records:
                    self._registrar.add(ref, result.records[ref.id])
                    self._source.made(quantum, ref, result.records[ref.id])
        self._keep_notes(work, result)
        mean = self._mean_s.get(work.task_label, result.elapsed_s)
        self._mean_s[work.task_label] = 0.8 * mean + 0.2 * result.elapsed_s
        self._source.ended(work.number)
        self.summary.add(result)
        if result.outcome is Outcome.FAILED:
            self._failed(work.number)
        else:
            self._schedule.finish(work.number)
        if self._options.on_result is not None:
            self._options.on_result(result)

    def _keep_notes(self, work: QuantumWork, result: QuantumResult) -> None:
        outputs = self._source.quantum(work.number).outputs
        if work.metadata_file is None and result.outcome is not Outcome.FAILED:
            self._registrar.add_note(Note(outputs["_metadata"][0], result.metadata))
        if work.log_file is None and outputs.get("_log"):
            self._registrar.add_note(Note(outputs["_log"][0], result.log))

    def _failed(self, number: int) -> None:
        for other in self._schedule.fail(number):
            self.summary.count(self._label(other), Outcome.BLOCKED)
        if self._options.fail_fast:
            self._cancel()

    def _cancel(self) -> None:
        self._schedule.cancel()

    # --------------------------------------------------------------- timeouts
    def _patience(self) -> float:
        """Return how long to wait for something to happen [s]."""
        return _COMMIT_S if self._options.timeout_s is None else min(_COMMIT_S, 0.2)

    def _stop_late(self) -> None:
        """End quanta that take too long; what ran beside them is run again."""
        limit = self._options.timeout_s
        if limit is None:
            return
        now = time.monotonic()
        late = [f for f in self._flying if not f.done() and now - self._sent[f] > limit]
        if not late:
            return
        self._engine.replace()
        for future in list(self._flying):
            if future not in late and future.done() and future.exception() is None:
                self._take_back(future)
                continue
            for work in self._flying.pop(future):
                if work.number in self._suspects:
                    self._suspects.remove(work.number)
                if future in late:
                    self._end_badly(
                        work, Outcome.FAILED, f"it took longer than {limit} s (--timeout)"
                    )
                else:
                    self._schedule.requeue(work.number)

    # ----------------------------------------------------------------- deaths
    def _worker_died(self, batch: list[QuantumWork]) -> None:
        """Find out, one by one, which of the quanta under way kills its worker."""
        lost = [*batch]
        for other in list(self._flying):
            if other.done() and other.exception() is None:
                continue
            lost += self._flying.pop(other)
        alone = len(lost) == 1
        for work in lost:
            self._deaths[work.number] = self._deaths.get(work.number, 0) + (1 if alone else 0)
        self._engine.replace()
        if alone and self._deaths[lost[0].number] >= _MAX_DEATHS:
            self._give_up(lost[0])
            return
        waiting = [work.number for work in lost if work.number not in self._suspects]
        self._suspects += waiting
        _LOG.warning("a worker died; %d quanta are run again, one by one", len(lost))

    def _give_up(self, work: QuantumWork) -> None:
        if work.number in self._suspects:
            self._suspects.remove(work.number)
        error = "its worker process died (killed, out of memory, or a crash in compiled code)"
        self._end_badly(work, Outcome.LOST, error)

    def _end_badly(self, work: QuantumWork, outcome: Outcome, error: str) -> None:
        """Record a quantum of which nothing came back."""
        result = QuantumResult(work.number, work.task_label, work.data_id, outcome, error=error)
        _LOG.error("%s %s %s: %s", work.task_label, work.data_id, outcome.value, error)
        self._source.ended(work.number)
        self.summary.add(result)
        self._failed(work.number)
        if self._options.on_result is not None:
            self._options.on_result(result)


def _is_worker_death(error: BaseException) -> bool:
    from pipetask.execution.engines.loky_pool import BrokenProcessPool

    return isinstance(error, BrokenProcessPool)
