"""Short quanta wait for each other to sync their files, and for nobody else."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from pipetask.execution import ended_quanta
from pipetask.execution.output_files import sync_together
from pipetask.execution.task_rules import TaskRules
from tests.pipetask.execution.inline_engine import InlineEngine, run_inline


@pytest.fixture
def together(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return a list that will have how many files were synced together, each time."""
    counts: list[int] = []

    def counting(paths: Sequence[Path]) -> dict[Path, OSError]:
        counts.append(len(paths))
        return sync_together(paths)

    monkeypatch.setattr(ended_quanta, "sync_together", counting)
    return counts


def test_quanta_of_a_batch_sync_together(
    runs: Any, together: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ended_quanta, "_MOST_WAITING_S", 1000.0)
    engine = InlineEngine()

    summary = run_inline(runs, engine)

    assert summary.is_good
    longest = max(map(len, engine.batches))
    assert longest > 1
    # One that travels alone syncs for itself.
    assert sorted(together) == sorted(len(b) if len(b) > 1 else 0 for b in engine.batches)


def test_long_quanta_wait_for_nobody(
    runs: Any, together: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ended_quanta, "_MOST_WAITING_S", 0.0)

    run_inline(runs, InlineEngine())

    assert max(together) == 1


def test_quanta_of_a_run_with_bounded_memory_wait_for_nobody(
    runs: Any, together: list[int]
) -> None:
    engine = InlineEngine()

    run_inline(runs, engine, default_rules=TaskRules(memory_mb=50_000.0))

    assert max(map(len, engine.batches)) > 1
    assert set(together) == {0}
