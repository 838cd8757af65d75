"""The quanta of each task that could start now, in the order in which they should."""

from __future__ import annotations

import heapq
from typing import Any


class ReadyQueue:
    """Gives the first of the ready quanta, of all tasks or of one.

    What is ready from the start stays in an array; only what comes later is in
    a heap.

    Parameters
    ----------
    tasks
        Number of the task of each quantum, shape (n,), int64.
    ranks
        Quanta of lower rank go first, those of one rank in their order; shape
        (n,), float64.
    first
        The quanta that are ready from the start, shape (k,), int64.
    """

    def __init__(self, tasks: Any, ranks: Any, first: Any) -> None:
        import numpy as np

        order = np.lexsort((np.arange(len(tasks)), ranks))
        #: Place of each quantum in the order of all.
        self._place = np.empty(len(tasks), dtype=np.int64)
        self._place[order] = np.arange(len(tasks))
        self._order = order
        self._tasks = tasks
        n_tasks = int(tasks.max()) + 1 if len(tasks) else 0
        self._first = [np.sort(self._place[first[tasks[first] == t]]) for t in range(n_tasks)]
        self._next = [0] * n_tasks
        self._heaps: list[list[int]] = [[] for _ in range(n_tasks)]
        self._waiting = {t for t in range(n_tasks) if len(self._first[t])}
        self._n = len(first)

    def __len__(self) -> int:
        return self._n

    def push(self, quantum: int) -> None:
        """Add a quantum."""
        task = int(self._tasks[quantum])
        heapq.heappush(self._heaps[task], int(self._place[quantum]))
        self._waiting.add(task)
        self._n += 1

    def tasks(self) -> list[int]:
        """Return the tasks that have ready quanta, the one whose turn it is first."""
        if len(self._waiting) == 1:
            return list(self._waiting)
        return sorted(self._waiting, key=self._top)

    def has(self, task: int) -> bool:
        """Return whether a task has ready quanta."""
        return task in self._waiting

    def peek(self, task: int) -> int:
        """Return the quantum that `pop` would take."""
        return int(self._order[self._top(task)])

    def pop(self, task: int) -> int:
        """Take the first quantum of a task that has one."""
        heap, first, i = self._heaps[task], self._first[task], self._next[task]
        if heap and (i == len(first) or heap[0] < first[i]):
            place = heapq.heappop(heap)
        else:
            place = int(first[i])
            self._next[task] = i = i + 1
        if not heap and i == len(first):
            self._waiting.discard(task)
        self._n -= 1
        return int(self._order[place])

    def clear(self) -> None:
        """Forget all."""
        for task in self._waiting:
            self._heaps[task].clear()
            self._next[task] = len(self._first[task])
        self._waiting.clear()
        self._n = 0

    def _top(self, task: int) -> int:
        """Return the place of a task's first quantum."""
        heap, first, i = self._heaps[task], self._first[task], self._next[task]
        if i == len(first):
            return heap[0]
        return min(heap[0], int(first[i])) if heap else int(first[i])
