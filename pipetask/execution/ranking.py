"""In which order quanta that are ready should start."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


def depth_first(tasks: Any) -> Any:
    """Rank quanta of later tasks first, so that what was made is consumed early.

    Parameters
    ----------
    tasks
        Number of the task of each quantum, shape (n,); later tasks have higher ones.

    Returns
    -------
    array
        Shape (n,), float64; lower goes first.
    """
    import numpy as np

    return -np.asarray(tasks, dtype=np.float64)


def critical_path(tasks: Any, before: Any, after: Any, durations_s: Sequence[float]) -> Any:
    """Rank quanta by the time that the longest path from them on takes, the longest first.

    Parameters
    ----------
    tasks
        As for `depth_first`; quanta wait for none of their own task.
    before, after
        ``after[i]`` waits for ``before[i]``, shape (m,) each.
    durations_s
        What a quantum of each task takes [s], by number of the task.

    Returns
    -------
    array
        Shape (n,), float64; lower goes first.
    """
    import numpy as np

    tasks = np.asarray(tasks, dtype=np.int64)
    before, after = np.asarray(before, dtype=np.int64), np.asarray(after, dtype=np.int64)
    rest = np.zeros(len(tasks))
    by_task = np.argsort(tasks[before], kind="stable")
    before, after = before[by_task], after[by_task]
    starts = np.searchsorted(tasks[before], np.arange(len(durations_s) + 1))
    for task in reversed(range(len(durations_s))):
        pairs = slice(starts[task], starts[task + 1])
        np.maximum.at(rest, before[pairs], rest[after[pairs]])
        rest[tasks == task] += durations_s[task]
    return -rest
