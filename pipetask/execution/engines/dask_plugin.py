"""Makes Dask workers ready for a run; it travels to them."""

from __future__ import annotations

import sys
import uuid
from collections.abc import Callable
from typing import Any

from distributed import WorkerPlugin

from pipetask.execution.peak_memory import allow_measuring_in_threads


class PreparePlugin(WorkerPlugin):  # type: ignore[misc] # Dask has no types
    """Prepares each worker when it joins.

    Parameters
    ----------
    prepare
        Called once in each worker.
    """

    def __init__(self, prepare: Callable[[], None]) -> None:
        self.name = f"pipetask-{uuid.uuid4().hex}"
        self._prepare = prepare
        #: Where this process finds modules, and with them the tasks.
        self._path = list(sys.path)

    def setup(self, worker: Any) -> None:
        """Prepare a worker."""
        sys.path += [place for place in self._path if place not in sys.path]
        allow_measuring_in_threads(worker.state.nthreads == 1)
        self._prepare()
