"""Decides what runs next. Starts nothing; knows no process, clock or disk."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, Sequence
from enum import Enum
from typing import Any


class State(Enum):
    """Where a quantum stands."""

    WAITING = 0
    READY = 1
    RUNNING = 2
    #: It succeeded, or found no work.
    DONE = 3
    FAILED = 4
    #: Something it needs failed.
    BLOCKED = 5
    CANCELLED = 6
    #: It was not chosen to run.
    LEFT_OUT = 7


_WAITING, _READY, _RUNNING, _DONE, _FAILED, _BLOCKED, _CANCELLED, _LEFT_OUT = (
    s.value for s in State
)


class Schedule:
    """Events in (`finish`, `fail`, `requeue`, `cancel`), instructions out (`take`).

    Quanta are numbers from 0; later tasks have higher ones. Of the quanta that
    are ready, `take` gives those of the latest task first, so that what was
    made is consumed early (depth first).

    Parameters
    ----------
    tasks
        Number of the task of each quantum, shape (n,).
    before, after
        ``after[i]`` waits for ``before[i]``, shape (m,) each, no pair twice.
    chosen
        The quanta to run; all if None. They do not wait for others.
    """

    def __init__(
        self,
        tasks: Sequence[int],
        before: Sequence[int],
        after: Sequence[int],
        *,
        chosen: Iterable[int] | None = None,
    ) -> None:
        import numpy as np

        self._n = len(tasks)
        self._tasks = np.asarray(tasks, dtype=np.int64)
        is_chosen = np.ones(self._n, dtype=bool)
        if chosen is not None:
            is_chosen[:] = False
            is_chosen[list(chosen)] = True
        first = np.asarray(before, dtype=np.int64)
        second = np.asarray(after, dtype=np.int64)
        both = is_chosen[first] & is_chosen[second]
        first, second = first[both], second[both]
        self._after = second[np.argsort(first, kind="stable")]
        counts = np.bincount(first, minlength=self._n)
        self._starts = np.concatenate(([0], np.cumsum(counts)))
        self._missing = np.bincount(second, minlength=self._n)
        self._state = np.full(self._n, _WAITING, dtype=np.int8)
        self._heap: list[tuple[int, int]] = []
        self._n_running = 0
        self._is_cancelled = False
        self._state[~is_chosen] = _LEFT_OUT
        self._push(np.flatnonzero((self._missing == 0) & (self._state == _WAITING)))

    def __len__(self) -> int:
        return self._n

    @property
    def n_ready(self) -> int:
        """How many quanta could start now."""
        return len(self._heap)

    @property
    def n_running(self) -> int:
        """How many quanta were taken and have not come back."""
        return self._n_running

    @property
    def is_finished(self) -> bool:
        """Whether nothing runs and nothing can start."""
        return not self._heap and not self._n_running

    @property
    def is_cancelled(self) -> bool:
        """Whether `cancel` was called."""
        return self._is_cancelled

    def state(self, quantum: int) -> State:
        """Return where a quantum stands."""
        return State(int(self._state[quantum]))

    def numbers(self, state: State) -> list[int]:
        """Return the quanta that stand somewhere, in order."""
        import numpy as np

        return [int(q) for q in np.flatnonzero(self._state == state.value)]

    def dependents(self, quantum: int) -> Iterator[int]:
        """Go through the quanta that wait for one directly."""
        for other in self._after[self._starts[quantum] : self._starts[quantum + 1]]:
            yield int(other)

    # -------------------------------------------------------- instructions out
    def next_task(self) -> int:
        """Return the task of the quanta that `take` would give; some must be ready."""
        return -self._heap[0][0]

    def take(self, limit: int) -> list[int]:
        """Start up to so many quanta, all of one task, and return them."""
        taken: list[int] = []
        while self._heap and len(taken) < limit:
            key, quantum = self._heap[0]
            if taken and key != -self._tasks[taken[0]]:
                break
            heapq.heappop(self._heap)
            self._state[quantum] = _RUNNING
            taken.append(quantum)
        self._n_running += len(taken)
        return taken

    # -------------------------------------------------------------- events in
    def finish(self, quantum: int) -> None:
        """Note that a quantum ended well; what waited for it alone becomes ready."""
        self._leave_running(quantum, _DONE)
        freed = self._after[self._starts[quantum] : self._starts[quantum + 1]]
        if len(freed):
            self._missing[freed] -= 1
            ready = freed[(self._missing[freed] == 0) & (self._state[freed] == _WAITING)]
            self._push(ready)

    def fail(self, quantum: int) -> list[int]:
        """Note that a quantum failed; return all that is blocked because of it."""
        self._leave_running(quantum, _FAILED)
        blocked: list[int] = []
        queue = [quantum]
        while queue:
            for other in self.dependents(queue.pop()):
                if self._state[other] == _WAITING:
                    self._state[other] = _BLOCKED
                    blocked.append(other)
                    queue.append(other)
        return sorted(blocked)

    def requeue(self, quantum: int) -> None:
        """Note that a quantum's worker was lost, and that it is to run again, unless cancelled."""
        if self._is_cancelled:
            self._leave_running(quantum, _CANCELLED)
            return
        self._leave_running(quantum, _WAITING)
        self._push([quantum])

    def cancel(self) -> list[int]:
        """Start nothing more; return all that was waiting or ready."""
        import numpy as np

        self._is_cancelled = True
        left = np.flatnonzero((self._state == _WAITING) | (self._state == _READY))
        self._state[left] = _CANCELLED
        self._heap.clear()
        return [int(q) for q in left]

    def _leave_running(self, quantum: int, state: int) -> None:
        if self._state[quantum] != _RUNNING:
            raise ValueError(f"quantum {quantum} is {self.state(quantum).name}, not RUNNING")
        self._state[quantum] = state
        self._n_running -= 1

    def _push(self, quanta: Iterable[Any]) -> None:
        for quantum in quanta:
            self._state[quantum] = _READY
            heapq.heappush(self._heap, (-int(self._tasks[quantum]), int(quantum)))
