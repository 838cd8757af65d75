"""The one place that imports loky."""

from __future__ import annotations

import signal
from collections.abc import Callable
from concurrent.futures import Executor
from typing import Any

try:
    from joblib.externals.loky import get_reusable_executor
    from joblib.externals.loky.process_executor import BrokenProcessPool
except ImportError:  # a distribution may have taken joblib's copy out
    from loky import get_reusable_executor
    from loky.process_executor import BrokenProcessPool

__all__ = ["BrokenProcessPool", "new_pool", "stop_pool"]


def new_pool(
    n_workers: int, prepare: Callable[[], None], memory_mb: float | None = None
) -> Executor:
    """Return a pool of fresh processes that wait for work for ever.

    Parameters
    ----------
    prepare
        Called once in each process.
    memory_mb
        Address space that each process may have.
    """
    pool: Executor = get_reusable_executor(
        max_workers=n_workers,
        timeout=None,
        reuse=False,
        initializer=_start,
        initargs=(prepare, memory_mb),
    )
    return pool


def _start(prepare: Callable[[], None], memory_mb: float | None) -> None:
    """Make a worker ready. The parent alone decides what an interrupt from the keyboard means."""
    if memory_mb is not None:
        import resource

        limit = int(memory_mb * 1e6)
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    prepare()


def stop_pool(pool: Any, *, kill: bool) -> None:
    """Let a pool's processes go; at once if ``kill``."""
    pool.shutdown(wait=True, kill_workers=kill)
