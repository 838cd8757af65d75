"""What every engine offers, and how one is chosen by name."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor
from typing import Protocol

from butler_core.errors import near_misses
from pipetask.errors import RunError


class Engine(Protocol):
    """Gives executors that run functions on picklable values."""

    #: How many batches can run at once.
    n_workers: int
    #: How many quanta may go to a worker at once: 1 where the way there costs nothing.
    max_batch: int

    def executor(self, prepare: Callable[[], None]) -> Executor:
        """Return an executor that works; a new one after `replace`.

        Parameters
        ----------
        prepare
            Called once by every worker before its first batch; picklable.
        """
        ...

    def replace(self) -> None:
        """Throw away an executor whose workers died."""
        ...

    def close(self, *, kill: bool = False) -> None:
        """Let the workers go; at once if ``kill``."""
        ...


def _serial(_n_workers: int, _memory_mb: float | None) -> Engine:
    from pipetask.execution.engines.serial import SerialEngine

    return SerialEngine()


def _threads(n_workers: int, _memory_mb: float | None) -> Engine:
    from pipetask.execution.engines.threads import ThreadsEngine

    return ThreadsEngine(n_workers)


def _processes(n_workers: int, memory_mb: float | None) -> Engine:
    from pipetask.execution.engines.processes import ProcessesEngine

    return ProcessesEngine(n_workers, memory_mb)


_ENGINES: dict[str, Callable[[int, float | None], Engine]] = {
    "serial": _serial,
    "threads": _threads,
    "processes": _processes,
}

ENGINE_NAMES = tuple(_ENGINES)


def make_engine(name: str | None, n_workers: int, memory_mb: float | None = None) -> Engine:
    """Return an engine by name; for None, serial for one worker and processes for more.

    Parameters
    ----------
    memory_mb
        Address space that a worker process may have; the other engines cannot
        bound it.

    Raises
    ------
    RunError
        If there is no such engine, or the number of workers is not positive.
    """
    if n_workers < 1:
        raise RunError(f"the number of workers must be at least 1, not {n_workers}")
    chosen = name or ("serial" if n_workers == 1 else "processes")
    if chosen not in _ENGINES:
        raise RunError(
            f"no engine {chosen!r}; there are {', '.join(_ENGINES)}.{near_misses(chosen, _ENGINES)}"
        )
    return _ENGINES[chosen](n_workers, memory_mb)
