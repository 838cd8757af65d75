"""Runs quanta in threads of this process: for tasks that wait or release the interpreter lock."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor, ThreadPoolExecutor


class ThreadsEngine:
    """Threads of this process."""

    max_batch = 1
    has_workers = True
    n_queued = 0
    leaves_traces = False
    dies_whole = False
    is_silent = False
    reruns_silently = False

    def __init__(self, n_workers: int) -> None:
        self.n_workers = n_workers
        self._executor: Executor | None = None

    def executor(self, prepare: Callable[[], None]) -> Executor:
        """Return the executor, made on first use."""
        if self._executor is None:
            self._executor = ThreadPoolExecutor(
                self.n_workers, thread_name_prefix="quantum", initializer=prepare
            )
        return self._executor

    def is_death(self, _error: BaseException) -> bool:
        """Return False: threads do not die alone."""
        return False

    def is_gone(self, _error: BaseException) -> bool:
        """Return False, for the same reason."""
        return False

    def replace(self) -> None:
        """Do nothing: threads do not die alone."""

    def close(self, *, kill: bool = False) -> None:
        """Wait for the threads to end, unless ``kill``; a thread cannot be killed."""
        if self._executor is not None:
            self._executor.shutdown(wait=not kill, cancel_futures=True)
