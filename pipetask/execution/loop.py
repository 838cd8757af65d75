"""The loop: takes quanta from the schedule, hands them to an engine, notes what comes back."""

from __future__ import annotations

import functools
import logging
import time
from collections.abc import Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from pathlib import Path

from pipetask.errors import RunStoppedError
from pipetask.execution.batch_size import BatchSizes
from pipetask.execution.engines.engine import Engine
from pipetask.execution.fallen_workers import Fall, read_fall
from pipetask.execution.interrupts import Interrupts, first_interrupt_held
from pipetask.execution.lost_result import lost_result
from pipetask.execution.patience import Patience
from pipetask.execution.quantum_work import Fault, Outcome, QuantumResult, QuantumWork, RunSetup
from pipetask.execution.ranking import critical_path
from pipetask.execution.run_options import CRITICAL_PATH, RunOptions
from pipetask.execution.schedule import Cause, Schedule, Start, State
from pipetask.execution.sink import Sink
from pipetask.execution.summary import RunSummary
from pipetask.execution.task_rules import Capacity
from pipetask.execution.work_source import WorkSource
from pipetask.execution.worker import install, run_batch
from pipetask.provenance.journal import Journal
from pipetask.quantum_graph.graph import QuantumGraph

_LOG = logging.getLogger(__name__)

#: Longest time between commits, and between looks at the clock [s].
_COMMIT_S, _LOOK_S = 2.0, 0.5
#: How much longer than its time-out a quantum may take before its worker is ended from here [s].
_GRACE_S = 5.0
#: So often in a row the datastore may refuse a file, or a worker fall that was at nothing.
_MOST_TROUBLES, _MOST_BARREN = 4, 5

_CAUSES = {
    Fault.ERROR: Cause.ERROR,
    Fault.MEMORY: Cause.MEMORY,
    Fault.TIMEOUT: Cause.TIMEOUT,
    Fault.DEATH: Cause.DEATH,
}


class Loop:
    """One run of one graph, from the first quantum to the last commit."""

    def __init__(
        self,
        graph: QuantumGraph,
        source: WorkSource,
        setup: RunSetup,
        options: RunOptions,
        engine: Engine,
        registrar: Sink,
        journal: Journal,
    ) -> None:
        self._options = options
        self._engine = engine
        self._setup = setup
        self._prepare = functools.partial(install, setup)
        self._registrar = registrar
        self._journal = journal
        self._labels = [task.label for task in graph.tasks]
        self._tasks = graph.task_numbers()
        self._schedule = _schedule(graph, options, self._labels, self._tasks, engine)
        self._interrupts = Interrupts()
        self._patience = Patience(options.patience_s, lambda: self._interrupts.came)
        self._source = source
        self._sizes = BatchSizes(engine.n_workers, engine.max_batch)
        self._flying: dict[Future[list[QuantumResult]], list[QuantumWork]] = {}
        self._starts: dict[Future[list[QuantumResult]], tuple[Start, float]] = {}
        self._n_troubles = self._n_barren = 0
        #: Whether workers died, and may have left files half-written.
        self.has_lost_workers = False
        self._last_commit = time.monotonic()
        self._watcher = options.watcher
        self.summary = RunSummary(graph.output_run, tuple(self._labels))
        self.summary.are_failures_accepted = options.are_failures_accepted

    def run(self) -> None:
        """Run until nothing is left, or nothing may start; commit all that was done."""
        begin = time.monotonic()
        try:
            with first_interrupt_held(self._interrupts):
                self._go_on()
        finally:
            self._commit()
            self.summary.n_datasets = self._registrar.n_registered
            self.summary.elapsed_s = time.monotonic() - begin
            self._count_cancelled()

    def _count_cancelled(self) -> None:
        for number in self._schedule.numbers(State.CANCELLED):
            self.summary.count(self._label(number), Outcome.CANCELLED)

    def _go_on(self) -> None:
        while not self._schedule.is_finished:
            if self._interrupts.came:
                self._end_early()
            self._fill()
            if not self._flying:
                continue
            done, _ = wait(self._flying, return_when=FIRST_COMPLETED, timeout=_LOOK_S)
            for future in done:
                if future in self._flying:  # a death takes others down with it
                    self._take_back(future)
            self._end_late()
            if self._registrar.is_due or time.monotonic() - self._last_commit > _COMMIT_S:
                self._commit()

    def _end_early(self) -> None:
        """Start nothing more; wait for what runs, unless there is nobody to run it."""
        if not self._schedule.is_cancelled:
            self._schedule.cancel()
        if self._engine.has_workers:
            return
        self.has_lost_workers |= bool(self._flying)
        for future in list(self._flying):
            for number in self._forget(future)[1].quanta:
                self._schedule.requeue(number)

    def _commit(self) -> None:
        self._patience.call(self._registrar.commit, "register what was made")
        self._last_commit = time.monotonic()

    def _label(self, number: int) -> str:
        return self._labels[int(self._tasks[number])]

    # ---------------------------------------------------------------- sending
    def _fill(self) -> None:
        while len(self._flying) < self._engine.n_workers + self._engine.n_queued:
            task = self._schedule.next_task()
            if task is None:
                return
            size = self._sizes.of(self._labels[task], self._schedule.n_ready)
            start = self._schedule.take(min(size, self._source.most_together(task)))
            assert start is not None  # there is a next task
            if not self._send(start):
                return

    def _send(self, start: Start) -> bool:
        """Send quanta to a worker; return False if the workers have just died."""
        batch = self._patience.call(
            lambda: [self._source.work(n, self._schedule.n_failures(n) + 1) for n in start.quanta],
            "look up where inputs are",
        )
        executor = self._engine.executor(self._prepare)
        try:
            future = executor.submit(run_batch, self._setup.key, batch, start.memory_mb)
        except RuntimeError as error:
            if not self._engine.is_death(error):
                raise
            self.has_lost_workers = True
            for number in start.quanta:
                self._schedule.requeue(number)
            if not self._flying:  # else these will tell
                self._engine.replace()
            return False
        self._flying[future] = batch
        self._starts[future] = start, time.monotonic()
        self._watcher.started(self._labels[start.task], len(batch))
        return True

    # -------------------------------------------------------------- receiving
    def _take_back(self, future: Future[list[QuantumResult]]) -> None:
        error = future.exception()
        if error is None:
            self._forget(future)
            self._record(future.result())
        elif self._engine.is_death(error):
            self._fell(future, error)
        else:
            raise error

    def _forget(self, future: Future[list[QuantumResult]]) -> tuple[list[QuantumWork], Start]:
        return self._flying.pop(future), self._starts.pop(future)[0]

    def _record(self, results: Sequence[QuantumResult]) -> None:
        """Note results in the journal first, and act upon them then."""
        self._journal.add(entry for result in results for entry in result.entries)
        for result in results:
            self._n_barren = 0
            self._sizes.learn(result)
            for name, level, message in result.warnings if self._engine.is_silent else ():
                logging.getLogger(name).log(level, "%s", message)
            if result.fault is None:
                self._finished(result)
            elif result.fault is Fault.STORE:
                self._store_refused(result)
            else:
                self._failed(result)

    def _finished(self, result: QuantumResult) -> None:
        self._n_troubles = 0
        quantum = self._source.quantum(result.number)
        self._source.made(quantum, result.records)
        self._end(result)
        self._schedule.finish(result.number)

    def _end(self, result: QuantumResult) -> None:
        """Note that a quantum will not run again."""
        self._registrar.add(self._source.quantum(result.number), result)
        self._source.ended(result.number)
        self.summary.add(result)
        self._watcher.ended(result)

    def _failed(self, result: QuantumResult) -> None:
        assert result.fault is not None
        verdict = self._schedule.fail(result.number, _CAUSES[result.fault])
        name = f"{result.task_label} {dict(result.data_id)}"
        if verdict.is_retried:
            _LOG.warning("%s failed and is tried again: %s", name, result.error)
            self.summary.retried(result.task_label)
            self._watcher.came_back(result.task_label)
            return
        _LOG.error("%s %s: %s", name, result.outcome.value, result.error)
        self._end(result)
        for other in verdict.blocked:
            self.summary.count(self._label(other), Outcome.BLOCKED)
            self._watcher.blocked(self._label(other))

    def _store_refused(self, result: QuantumResult) -> None:
        """Wait and try again, or stop: it is not the quantum's fault."""
        self._schedule.requeue(result.number)
        self._watcher.came_back(result.task_label)
        self._n_troubles += 1
        if self._n_troubles >= _MOST_TROUBLES:
            raise RunStoppedError(
                f"{result.error}. The run stops; what was done is registered, and --extend-run "
                "goes on from there"
            )
        _LOG.warning("%s; trying again", result.error)
        time.sleep(0.1 * 4**self._n_troubles)

    # ----------------------------------------------------------------- deaths
    def _fell(self, future: Future[list[QuantumResult]], error: BaseException) -> None:
        """Find out what a worker's death has undone, and whose fault it was."""
        if self._engine.is_gone(error):
            raise RunStoppedError(
                f"the workers are gone ({error}). The run stops; what was done is registered, and "
                "--extend-run goes on from there"
            )
        self.has_lost_workers = True
        if self._engine.dies_whole:
            self._engine.replace()
        undone: dict[int, QuantumWork] = {}
        suspected: list[int] = []
        for other in self._lost_with(future):
            if other.done() and other.exception() is None:
                self._take_back(other)
                continue
            batch, start = self._forget(other)
            undone |= {work.number: work for work in batch}
            suspected += start.quanta if start.is_suspect else ()
        folder = None if self._setup.traces is None else Path(self._setup.traces)
        self._settle(read_fall(folder, undone, suspected), undone, str(error))

    def _lost_with(self, future: Future[list[QuantumResult]]) -> list[Future[list[QuantumResult]]]:
        """Return what fell at the same time as a batch, and that."""
        if self._engine.dies_whole:
            return list(self._flying)
        errors = {other: other.exception() for other in self._flying if other.done()}
        fell = [other for other, e in errors.items() if e is not None and self._engine.is_death(e)]
        return fell if future in fell else [*fell, future]

    def _settle(self, fall: Fall, undone: dict[int, QuantumWork], said: str) -> None:
        """Act upon what is known of a fall; each undone quantum meets one of four fates."""
        self._n_barren += 1
        self._record(fall.done)
        for guilty in fall.guilty:
            self._record([lost_result(undone[guilty.number], self._setup, guilty)])
        if fall.suspects:
            _LOG.warning("a worker died; %d quanta are run again, one by one", len(fall.suspects))
        self._schedule.suspect(fall.suspects)
        for number in fall.innocent:
            self._schedule.requeue(number)
        for number in (*fall.suspects, *fall.innocent):
            self._watcher.came_back(self._label(number))
        if self._n_barren >= _MOST_BARREN:
            raise RunStoppedError(
                f"workers die again and again before they do anything ({said}). Nothing that was "
                "done is lost; try -j 1 to see why"
            )

    def _end_late(self) -> None:
        """End workers that do not end themselves when a quantum takes too long."""
        now = time.monotonic()
        for future, (start, sent) in list(self._starts.items()):
            limit = self._options.rules_of(self._labels[start.task]).timeout_s
            if limit is None or future.done() or future not in self._flying:
                continue
            if now - sent > (limit + _GRACE_S) * (len(start.quanta) + 1):
                self._fell(future, TimeoutError("a quantum took too long"))
                return


def _schedule(
    graph: QuantumGraph, options: RunOptions, labels: list[str], tasks: object, engine: Engine
) -> Schedule:
    before, after = graph.dependencies()
    rules = [options.rules_of(label) for label in labels]
    ranks = None
    if options.order == CRITICAL_PATH:
        known = options.durations_s
        usual_s = sum(known.values()) / len(known) if known else 1.0
        durations_s = [known.get(label, usual_s) for label in labels]
        ranks = critical_path(tasks, before, after, durations_s)
    is_bounded = options.total_memory_mb is not None or any(rule.cores > 1 for rule in rules)
    return Schedule(
        tasks,  # type: ignore[arg-type] # an array is as good as a list
        before,
        after,
        chosen=options.chosen,
        rules=rules,
        capacity=Capacity(engine.n_workers, options.total_memory_mb) if is_bounded else None,
        ranks=ranks,
        is_fail_fast=options.is_fail_fast,
        are_failures_accepted=options.are_failures_accepted,
        are_suspects_apart=engine.dies_whole,
    )
