"""Workers that die before they do anything do not die for ever."""

from __future__ import annotations

from typing import Any

import pytest

from pipetask.errors import RunStoppedError
from pipetask.execution import loop
from pipetask.execution.fallen_workers import Fall
from tests.pipetask.execution.inline_engine import InlineEngine, run_inline


@pytest.mark.parametrize("dies_whole", [True, False])
def test_a_quantum_under_which_workers_die_is_lost_alone(
    runs: Any, outcomes: Any, dies_whole: bool
) -> None:
    engine = InlineEngine(
        lambda batch: any(w.data_id["exposure"] == 2 for w in batch), dies_whole=dies_whole
    )

    summary = run_inline(runs, engine)

    assert outcomes(summary) == {"isr": {"succeeded": 4, "lost": 2}}
    # At first, then as a suspect, and once more since it may have been another's fault.
    deaths = {number: sum(number in batch for batch in engine.batches) for number in range(6)}
    assert sorted(deaths.values())[-2:] == [3, 3]


def test_a_worker_that_dies_now_and_then_costs_nothing(runs: Any, outcomes: Any) -> None:
    deaths = iter([True, False] * 20)

    summary = run_inline(runs, InlineEngine(lambda _: next(deaths), dies_whole=True))

    assert outcomes(summary) == {"isr": {"succeeded": 6}}


def test_workers_that_die_before_they_do_anything_stop_the_run(
    runs: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    # No trace says who was at work.
    monkeypatch.setattr(loop, "read_fall", lambda _, undone, __: Fall(innocent=tuple(undone)))
    engine = InlineEngine(lambda _: True, dies_whole=True)

    with pytest.raises(RunStoppedError, match="die again and again before they do anything"):
        run_inline(runs, engine)

    assert len(engine.batches) == 5
