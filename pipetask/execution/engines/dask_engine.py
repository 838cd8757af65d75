"""Runs quanta on the workers of a Dask cluster, of this machine or of many."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from concurrent.futures import CancelledError, Executor
from typing import Any

from distributed import Client, KilledWorker, LocalCluster
from distributed.cfexecutor import ClientExecutor
from distributed.comm import CommClosedError

from pipetask.errors import RunError
from pipetask.execution.engines.dask_cluster import start_cluster
from pipetask.execution.engines.dask_plugin import PreparePlugin
from pipetask.execution.run_options import RunOptions

_LOG = logging.getLogger(__name__)

#: How long a scheduler has to answer, and a cluster to bring its first worker [s].
_ANSWER_S, _FIRST_WORKER_S = 10, 600
#: How often the workers are counted [s].
_COUNT_S = 5.0


class _FreshExecutor(ClientExecutor):  # type: ignore[misc] # Dask has no types
    """Never takes a call for one that it made before."""

    def submit(self, fn: Callable[..., Any], *args: Any, **keywords: Any) -> Any:
        """Send a call to a worker."""
        return super().submit(fn, *args, pure=False, **keywords)


class DaskEngine:
    """The workers of a Dask cluster.

    Parameters
    ----------
    client
        Connected to the cluster's scheduler.
    cluster
        The cluster, if it ends with the run.
    """

    max_batch = 64
    leaves_traces = False
    dies_whole = False
    is_silent = True

    def __init__(self, client: Client, cluster: Any = None) -> None:
        self._client = client
        self._cluster = cluster
        self._executor: Executor | None = None
        self._plugin: str | None = None
        self._counted = 0.0
        self.n_workers = 1
        self._count()

    @classmethod
    def start(cls, options: RunOptions) -> DaskEngine:
        """Connect to a scheduler, or start a cluster.

        Raises
        ------
        RunError
            If the scheduler does not answer, or no worker comes.
        """
        if options.scheduler:
            return cls(_connected(options.scheduler))
        if options.cluster is not None:
            cluster = start_cluster(options.cluster)
        else:
            cluster = LocalCluster(
                n_workers=options.n_workers,
                threads_per_worker=1,
                dashboard_address=None,
                memory_limit=0,
            )
        client = Client(cluster)
        try:
            client.wait_for_workers(1, timeout=_FIRST_WORKER_S)
        except TimeoutError as error:
            client.close()
            cluster.close()
            raise RunError(
                f"the cluster brought no worker within {_FIRST_WORKER_S} s; look at the logs of "
                "its jobs"
            ) from error
        return cls(client, cluster)

    @property
    def n_queued(self) -> int:
        """One more batch for each worker: the way there takes a while."""
        return self.n_workers

    def executor(self, prepare: Callable[[], None]) -> Executor:
        """Return the executor; every worker, later ones too, prepares itself."""
        self._count()
        if self._executor is None:
            plugin = PreparePlugin(prepare)
            self._client.register_plugin(plugin, name=plugin.name)
            self._plugin = plugin.name
            self._executor = _FreshExecutor(self._client)
        return self._executor

    def _count(self) -> None:
        """Look how many quanta can run at once; a cluster may grow."""
        if time.monotonic() - self._counted > _COUNT_S:
            self._counted = time.monotonic()
            self.n_workers = max(1, sum(self._client.nthreads().values()))

    def is_death(self, error: BaseException) -> bool:
        """Return whether workers died of a batch, or the scheduler is gone."""
        return isinstance(error, KilledWorker) or self.is_gone(error)

    def is_gone(self, error: BaseException) -> bool:
        """Return whether the scheduler is gone, and all futures with it."""
        kinds = (CancelledError, asyncio.CancelledError, CommClosedError)
        return isinstance(error, kinds)

    def replace(self) -> None:
        """Do nothing: the cluster replaces its workers."""

    def close(self, *, kill: bool = False) -> None:
        """Leave the cluster as it was found; end it if it was started here."""
        if self._client.status == "running" and self._plugin and not kill:
            self._client.unregister_worker_plugin(self._plugin)
        self._plugin = None
        self._client.close()
        if self._cluster is not None:
            self._cluster.close()
            self._cluster = None


def _connected(address: str) -> Client:
    try:
        client = Client(address, timeout=_ANSWER_S, set_as_default=False)
    except (OSError, ValueError) as error:
        raise RunError(
            f"no Dask scheduler answers at {address!r}: {error or type(error).__name__}"
        ) from error
    if not client.nthreads():
        _LOG.warning("the cluster at %s has no workers yet; waiting for them", address)
    return client
