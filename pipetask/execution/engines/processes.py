"""Runs quanta in processes of this machine, with joblib's loky."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import CancelledError, Executor

from pipetask.execution.engines.loky_pool import BrokenProcessPool, new_pool, stop_pool


class ProcessesEngine:
    """Worker processes that persist from quantum to quantum."""

    max_batch = 64
    has_workers = True
    n_queued = 1
    leaves_traces = True
    dies_whole = True
    is_silent = True
    reruns_silently = False

    def __init__(self, n_workers: int) -> None:
        self.n_workers = n_workers
        self._pool: Executor | None = None

    def executor(self, prepare: Callable[[], None]) -> Executor:
        """Return the pool, made on first use."""
        if self._pool is None:
            self._pool = new_pool(self.n_workers, prepare)
        return self._pool

    def is_death(self, error: BaseException) -> bool:
        """Return whether the pool broke, or was thrown away."""
        return isinstance(error, (BrokenProcessPool, CancelledError, TimeoutError))

    def is_gone(self, _error: BaseException) -> bool:
        """Return False: there can always be a new pool."""
        return False

    def replace(self) -> None:
        """Throw away a pool whose workers died."""
        if self._pool is not None:
            stop_pool(self._pool, kill=True)
            self._pool = None

    def close(self, *, kill: bool = False) -> None:
        """Let the workers go; at once if ``kill``."""
        if self._pool is not None:
            stop_pool(self._pool, kill=kill)
            self._pool = None
