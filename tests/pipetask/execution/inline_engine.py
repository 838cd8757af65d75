"""Runs batches in this process as worker processes would, and may be said to die of some."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import Any

from pipetask.execution import RunOptions, RunSummary, run_graph
from pipetask.execution.engines.processes import ProcessesEngine
from pipetask.execution.engines.serial import SerialEngine
from pipetask.execution.prepare import prepare_run
from pipetask.execution.quantum_work import QuantumWork
from pipetask.execution.worker import run_batch


class InlineEngine(ProcessesEngine):
    """One worker in this process.

    Parameters
    ----------
    is_dying
        Whether the worker is said to have died of a batch.
    """

    leaves_traces = False
    n_queued = 0

    def __init__(
        self,
        is_dying: Callable[[list[QuantumWork]], bool] = lambda _: False,
        *,
        dies_whole: bool = True,
    ) -> None:
        super().__init__(1)
        self._is_dying = is_dying
        self.dies_whole = dies_whole
        #: Numbers of the quanta of each batch.
        self.batches: list[list[int]] = []

    def executor(self, prepare: Callable[[], None]) -> Executor:
        outer, inner = self, SerialEngine().executor(prepare)

        class Inline(Executor):
            def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
                assert fn is run_batch
                batch = args[1]
                outer.batches.append([work.number for work in batch])
                if outer._is_dying(batch):
                    dead: Future[Any] = Future()
                    dead.set_exception(TimeoutError("gone"))
                    return dead
                return inner.submit(fn, *args, **kwargs)

        return Inline()


def run_inline(runs: Any, engine: InlineEngine, **options: Any) -> RunSummary:
    """Run one task over all frames."""
    graph, resolved = runs.build(runs.pipeline(isr="IsrTask"), "u/1")
    with graph:
        repository = runs.butler.repository
        setup = prepare_run(repository, graph, resolved)
        given = RunOptions(n_workers=2, **options)
        return run_graph(repository, graph, setup, given, engine=engine)
