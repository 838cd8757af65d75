"""Counts what happens to the quanta of each task while a run goes on."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from pipetask.execution.quantum_work import Outcome, QuantumResult


@dataclass
class TaskCounts:
    """Where one task stands."""

    n_quanta: int
    n_running: int = 0
    n_succeeded: int = 0
    n_without_work: int = 0
    n_failed: int = 0
    n_blocked: int = 0
    #: Largest memory of a quantum [MiB]; None if it was not measured.
    peak_memory_mib: float | None = None
    #: When its first quantum started [s, monotonic]; None if none has.
    began: float | None = None

    @property
    def n_ended(self) -> int:
        """How many quanta have come to their end."""
        return self.n_succeeded + self.n_without_work + self.n_failed

    @property
    def is_active(self) -> bool:
        """Whether some of its quanta have started, and not all have ended."""
        return self.began is not None and self.n_ended + self.n_blocked < self.n_quanta

    @property
    def rate(self) -> float:
        """How many quanta end in a second, on the whole."""
        if self.began is None or not self.n_ended:
            return 0.0
        return self.n_ended / max(time.monotonic() - self.began, 1e-3)

    @property
    def seconds_left(self) -> float | None:
        """How long the rest will take at this rate [s]; None if nobody knows."""
        rest = self.n_quanta - self.n_ended - self.n_blocked
        return rest / self.rate if self.rate and self.is_active else None


class RunCounts:
    """Watches a run.

    Parameters
    ----------
    n_quanta
        How many quanta each task has, by label.
    """

    def __init__(self, n_quanta: Mapping[str, int]) -> None:
        self.tasks = {label: TaskCounts(number) for label, number in n_quanta.items()}
        self._listeners: list[Callable[[], None]] = []

    def listen(self, listener: Callable[[], None]) -> None:
        """Call a function after each change."""
        self._listeners.append(listener)

    def started(self, label: str, number: int) -> None:
        """Count quanta that went to a worker."""
        task = self.tasks[label]
        task.n_running += number
        if task.began is None:
            task.began = time.monotonic()
        self._tell()

    def ended(self, result: QuantumResult) -> None:
        """Count a quantum that came to its end."""
        task = self.tasks[result.task_label]
        task.n_running -= 1
        if result.outcome is Outcome.SUCCEEDED:
            task.n_succeeded += 1
        elif result.outcome is Outcome.NO_WORK:
            task.n_without_work += 1
        else:
            task.n_failed += 1
        if result.peak_memory_mib is not None:
            task.peak_memory_mib = max(task.peak_memory_mib or 0.0, result.peak_memory_mib)
        self._tell()

    def came_back(self, label: str) -> None:
        """Count a quantum that will run again."""
        self.tasks[label].n_running -= 1
        self._tell()

    def blocked(self, label: str) -> None:
        """Count a quantum that will never run."""
        self.tasks[label].n_blocked += 1
        self._tell()

    def _tell(self) -> None:
        for listener in self._listeners:
            listener()
