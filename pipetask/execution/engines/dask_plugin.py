"""Makes Dask workers ready for a run; it travels to them."""

from __future__ import annotations

import functools
import signal
import sys
import threading
import uuid
from collections.abc import Callable
from typing import Any

from distributed import Worker, WorkerPlugin

from pipetask.execution.peak_memory import allow_measuring_in_threads
from pipetask.execution.worker import forget


class PreparePlugin(WorkerPlugin):  # type: ignore[misc] # Dask has no types
    """Prepares each worker when it joins, and lets it forget when the run has ended.

    Parameters
    ----------
    prepare
        Called once in each worker; `functools.partial` of `install`.
    is_ours
        Whether the workers were started by this process, which alone decides what an interrupt
        means.
    """

    def __init__(self, prepare: Callable[[], None], *, is_ours: bool) -> None:
        self.name = f"pipetask-{uuid.uuid4().hex}"
        self._prepare = prepare
        self._is_ours = is_ours
        #: Where this process finds modules, and with them the tasks.
        self._path = list(sys.path)

    def setup(self, worker: Any) -> None:
        """Prepare a worker."""
        sys.path += [place for place in self._path if place not in sys.path]
        is_alone = len(Worker._instances) == 1  # noqa: SLF001 - nothing else counts the workers of a process
        allow_measuring_in_threads(worker.state.nthreads == 1 and is_alone)
        if self._is_ours and threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGINT, signal.SIG_IGN)
        self._prepare()

    def teardown(self, worker: Any) -> None:  # noqa: ARG002 - as its base class says
        """Let a worker forget the run. Paths stay: another run may rely on them."""
        if isinstance(self._prepare, functools.partial):
            for setup in self._prepare.args:
                forget(setup.key)
