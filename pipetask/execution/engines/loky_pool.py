"""The one place that imports loky."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from concurrent.futures import Executor
from contextlib import suppress
from typing import Any

try:
    from joblib.externals.loky import get_reusable_executor
    from joblib.externals.loky.process_executor import BrokenProcessPool
except ImportError:  # a distribution may have taken joblib's copy out
    from loky import get_reusable_executor
    from loky.process_executor import BrokenProcessPool

from pipetask.execution.worker_traces import end_with_parent

__all__ = ["BrokenProcessPool", "new_pool", "stop_pool"]


def new_pool(n_workers: int, prepare: Callable[[], None]) -> Executor:
    """Return a pool of fresh processes that wait for work for as long as this one lives.

    Parameters
    ----------
    prepare
        Called once in each process.
    """
    pool: Executor = get_reusable_executor(
        max_workers=n_workers,
        timeout=None,
        reuse=False,
        initializer=_start,
        initargs=(prepare, os.getpid()),
    )
    return pool


def _start(prepare: Callable[[], None], parent: int) -> None:
    """Make a worker ready. The parent alone decides what an interrupt means."""
    end_with_parent(parent)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    prepare()


def stop_pool(pool: Any, *, kill: bool) -> None:
    """Let a pool's processes go; at once if ``kill``.

    They are killed from here, and the pool finds them dead: its own way of
    killing them can trip over work that was handed in at the same moment.
    """
    if kill:
        for process in list(pool._processes.values()):  # noqa: SLF001 - the pool tells it in no other way
            with suppress(ProcessLookupError):
                os.kill(process.pid, signal.SIGKILL)
    pool.shutdown(wait=True)
