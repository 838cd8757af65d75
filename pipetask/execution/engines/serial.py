"""Runs quanta in the calling thread, one at a time."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import Any


class _InlineExecutor(Executor):
    """Calls a function as soon as it is submitted."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Run now; the future is done when this returns."""
        future: Future[Any] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:  # noqa: BLE001 - an executor's future carries any exception
            future.set_exception(error)
        return future


class SerialEngine:
    """One worker: this thread."""

    has_workers = True
    n_workers = 1
    max_batch = 1
    n_queued = 0
    leaves_traces = False
    dies_whole = False
    is_silent = False
    reruns_silently = False

    def __init__(self) -> None:
        self._executor: Executor | None = None

    def executor(self, prepare: Callable[[], None]) -> Executor:
        """Return the executor."""
        if self._executor is None:
            prepare()
            self._executor = _InlineExecutor()
        return self._executor

    def is_death(self, _error: BaseException) -> bool:
        """Return False: what ends this thread ends all."""
        return False

    def is_gone(self, _error: BaseException) -> bool:
        """Return False, for the same reason."""
        return False

    def replace(self) -> None:
        """Do nothing: this thread cannot be replaced."""

    def close(self, *, kill: bool = False) -> None:
        """Do nothing: there is no worker to let go."""
