"""Workers that die before they do anything do not die for ever."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor, Future
from pathlib import Path
from typing import Any

import pytest

from pipetask.errors import RunStoppedError
from pipetask.execution import RunOptions, run_graph
from pipetask.execution.engines.processes import ProcessesEngine
from pipetask.execution.engines.serial import SerialEngine
from pipetask.execution.prepare import prepare_run
from pipetask.execution.quantum_work import QuantumWork
from pipetask.execution.worker import run_batch


class FragileEngine(ProcessesEngine):
    """One worker in this process, which is said to have died as often as it is told."""

    leaves_traces = False
    n_queued = 0

    def __init__(self, is_dying: Callable[[list[QuantumWork]], bool], dies_whole: bool) -> None:
        super().__init__(1)
        self._is_dying = is_dying
        self.dies_whole = dies_whole
        self.batches: list[list[int]] = []

    def executor(self, prepare: Callable[[], None]) -> Executor:
        outer, inner = self, SerialEngine().executor(prepare)

        class Fragile(Executor):
            def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
                assert fn is run_batch
                batch = args[1]
                outer.batches.append([work.number for work in batch])
                if outer._is_dying(batch):
                    dead: Future[Any] = Future()
                    dead.set_exception(TimeoutError("gone"))
                    return dead
                return inner.submit(fn, *args, **kwargs)

        return Fragile()


def run(runs: Any, engine: FragileEngine) -> Any:
    graph, resolved = runs.build(runs.pipeline(isr="IsrTask"), "u/1")
    with graph:
        repository = runs.butler.repository
        setup = prepare_run(repository, graph, resolved)
        return run_graph(repository, graph, setup, RunOptions(n_workers=2), engine=engine)


@pytest.mark.parametrize("dies_whole", [True, False])
def test_a_quantum_under_which_workers_die_is_lost_alone(
    runs: Any, outcomes: Any, dies_whole: bool
) -> None:
    engine = FragileEngine(lambda batch: any(w.data_id["exposure"] == 2 for w in batch), dies_whole)

    summary = run(runs, engine)

    assert outcomes(summary) == {"isr": {"succeeded": 4, "lost": 2}}
    # At first, then as a suspect, and once more since it may have been another's fault.
    deaths = {number: sum(number in batch for batch in engine.batches) for number in range(6)}
    assert sorted(deaths.values())[-2:] == [3, 3]


def test_a_worker_that_dies_now_and_then_costs_nothing(runs: Any, outcomes: Any) -> None:
    deaths = iter([True, False] * 20)

    summary = run(runs, FragileEngine(lambda _: next(deaths), dies_whole=True))

    assert outcomes(summary) == {"isr": {"succeeded": 6}}


def test_workers_that_die_before_they_do_anything_stop_the_run(
    runs: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pipetask.execution import loop
    from pipetask.execution.fallen_workers import Fall

    # No trace says who was at work.
    monkeypatch.setattr(loop, "read_fall", lambda _, undone, __: Fall(innocent=tuple(undone)))
    engine = FragileEngine(lambda _: True, dies_whole=True)

    with pytest.raises(RunStoppedError, match="die again and again before they do anything"):
        run(runs, engine)

    assert len(engine.batches) == 5
