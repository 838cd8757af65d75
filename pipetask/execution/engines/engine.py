"""What every engine offers, and how one is chosen by name."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor
from typing import Protocol

from butler_core.errors import MissingPackageError, near_misses
from pipetask.errors import RunError
from pipetask.execution.run_options import RunOptions


class Engine(Protocol):
    """Gives executors that run functions on picklable values."""

    #: How many quanta may go to a worker at once: 1 where the way there costs nothing.
    max_batch: int
    #: Whether its workers are processes of this machine that run one quantum at a time, so that
    #: they can leave traces, and be bounded in memory and time.
    leaves_traces: bool
    #: Whether all of its workers go down when one does.
    dies_whole: bool
    #: Whether what is logged by its workers does not reach this process's log.
    is_silent: bool
    #: Whether it runs again by itself what was with a worker that died.
    reruns_silently: bool

    @property
    def n_workers(self) -> int:
        """How many batches can run at once."""
        ...

    @property
    def has_workers(self) -> bool:
        """Whether anybody is there to run what was handed over."""
        ...

    @property
    def n_queued(self) -> int:
        """How many more should wait, so that no worker does."""
        ...

    def executor(self, prepare: Callable[[], None]) -> Executor:
        """Return an executor that works; a new one after `replace`.

        Parameters
        ----------
        prepare
            Called once by every worker before its first batch; picklable.
        """
        ...

    def is_death(self, error: BaseException, /) -> bool:
        """Return whether a future's exception means that its worker died."""
        ...

    def is_gone(self, error: BaseException, /) -> bool:
        """Return whether an exception means that no worker will ever answer again."""
        ...

    def replace(self) -> None:
        """Throw away an executor whose workers died."""
        ...

    def close(self, *, kill: bool = False) -> None:
        """Let the workers go; at once if ``kill``. Can be called twice."""
        ...


def _serial(_options: RunOptions) -> Engine:
    from pipetask.execution.engines.serial import SerialEngine

    return SerialEngine()


def _threads(options: RunOptions) -> Engine:
    from pipetask.execution.engines.threads import ThreadsEngine

    return ThreadsEngine(options.n_workers)


def _processes(options: RunOptions) -> Engine:
    from pipetask.execution.engines.processes import ProcessesEngine

    return ProcessesEngine(options.n_workers)


def _dask(options: RunOptions) -> Engine:
    try:
        from pipetask.execution.engines.dask_log import quieten

        quieten()  # before the rest of Dask is imported
        from pipetask.execution.engines.dask_engine import DaskEngine
    except ImportError as error:
        raise MissingPackageError(
            f"the engine 'dask' needs packages that are not here ({error}); "
            "`pip install gen3-butler[dask]` brings them"
        ) from error
    return DaskEngine.start(options)


_ENGINES: dict[str, Callable[[RunOptions], Engine]] = {
    "serial": _serial,
    "threads": _threads,
    "processes": _processes,
    "dask": _dask,
}

ENGINE_NAMES = tuple(_ENGINES)


def make_engine(options: RunOptions) -> Engine:
    """Return the engine that options name; if none, serial for one worker, processes for more.

    Raises
    ------
    RunError
        If there is no such engine, or the number of workers is not positive.
    """
    if options.n_workers < 1:
        raise RunError(f"the number of workers must be at least 1, not {options.n_workers}")
    chosen = options.engine or ("serial" if options.n_workers == 1 else "processes")
    if chosen not in _ENGINES:
        raise RunError(
            f"no engine {chosen!r}; there are {', '.join(_ENGINES)}.{near_misses(chosen, _ENGINES)}"
        )
    return _ENGINES[chosen](options)
