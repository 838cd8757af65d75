"""Runs quanta on the workers of a Dask cluster, of this machine or of many."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from concurrent.futures import Executor
from contextlib import suppress

from distributed import Client, KilledWorker

from pipetask.errors import RunError
from pipetask.execution.engines.dask_cluster import StartedCluster, local_cluster, start_cluster
from pipetask.execution.engines.dask_executor import DaskExecutor, SchedulerLostError
from pipetask.execution.engines.dask_plugin import PreparePlugin
from pipetask.execution.run_options import RunOptions

_LOG = logging.getLogger(__name__)

#: How long a scheduler has to answer, and a cluster to bring its first worker [s].
_ANSWER_S, _FIRST_WORKER_S = 10, 600
#: How often the workers are counted, and how long that and taking leave may take [s].
_COUNT_S, _SHORTLY_S = 5.0, 3.0


class DaskEngine:
    """The workers of a Dask cluster.

    Parameters
    ----------
    client
        Connected to the cluster's scheduler.
    started
        The cluster, if it ends with the run.
    """

    max_batch = 64
    leaves_traces = False
    dies_whole = False
    is_silent = True
    reruns_silently = True

    def __init__(self, client: Client, started: StartedCluster | None = None) -> None:
        self._client = client
        self._started = started
        self._address = str(client.scheduler.address)
        self._executor: Executor | None = None
        self._plugin: str | None = None
        self._counted: float | None = None
        self._n_threads = -1

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
            started = start_cluster(options.cluster)
        else:
            started = local_cluster(options.n_workers)
        try:
            return cls(_joined(started), started)
        except BaseException:  # also an interrupt: the jobs must not stay
            started.cluster.close()
            raise

    @property
    def n_workers(self) -> int:
        """How many quanta can run at once; a cluster may grow, shrink, and have no worker yet."""
        self._count_now_and_then()
        return max(1, self._n_threads)

    @property
    def has_workers(self) -> bool:
        """Whether the cluster had a worker when they were last counted."""
        self._count_now_and_then()
        return self._n_threads > 0

    @property
    def n_queued(self) -> int:
        """One more batch for each worker: the way there takes a while."""
        return self.n_workers

    def executor(self, prepare: Callable[[], None]) -> Executor:
        """Return the executor; every worker, later ones too, prepares itself.

        Raises
        ------
        RunError
            If the workers cannot be prepared.
        """
        if self._executor is None:
            self._register(PreparePlugin(prepare, is_ours=self._started is not None))
            self._executor = DaskExecutor(self._client, self._address)
        return self._executor

    def _register(self, plugin: PreparePlugin) -> None:
        self._plugin = plugin.name
        try:
            self._client.register_plugin(plugin, name=plugin.name)
        except OSError as error:
            raise RunError(f"the Dask scheduler at {self._address} is gone: {error}") from error
        except Exception as error:  # whatever the workers raised, or a plain one that quotes it
            raise RunError(
                f"the workers of {self._address} cannot take up the run ({error}); they need the "
                "packages that are here, in the same versions"
            ) from error

    def _count_now_and_then(self) -> None:
        now = time.monotonic()
        if self._counted is None or now - self._counted > _COUNT_S:
            self._count()
            self._counted = now

    def _count(self) -> None:
        if self._client.status != "running":
            return
        ask = self._client.scheduler.ncores
        with suppress(OSError):  # if the scheduler is gone, whatever it has says so
            threads = self._client.sync(ask, callback_timeout=_SHORTLY_S)
            before, self._n_threads = self._n_threads, sum(threads.values())
            if not self._n_threads and before:
                _LOG.warning("the cluster at %s has no workers; waiting for some", self._address)

    def is_death(self, error: BaseException) -> bool:
        """Return whether workers died of a batch, or the scheduler is gone."""
        return isinstance(error, KilledWorker) or self.is_gone(error)

    def is_gone(self, error: BaseException) -> bool:
        """Return whether the scheduler is gone, and all futures with it."""
        return isinstance(error, SchedulerLostError)

    def replace(self) -> None:
        """Do nothing: the cluster replaces its workers."""

    def close(self, *, kill: bool = False) -> None:  # noqa: ARG002 - another's workers are not ours to kill
        """Leave the cluster as it was found; end it if it was started here."""
        self._take_leave()
        self._client.close()
        if self._started is not None:
            self._started.cluster.close()
            self._started = None

    def _take_leave(self) -> None:
        """Let workers that go on without us forget the run."""
        name, self._plugin = self._plugin, None
        if name is None or self._started is not None or self._client.status != "running":
            return
        ask = self._client.scheduler.unregister_worker_plugin
        with suppress(OSError, ValueError):  # it is gone, or knows nothing of us any more
            self._client.sync(ask, name=name, callback_timeout=_SHORTLY_S)


def _connected(address: str) -> Client:
    try:
        return Client(address, timeout=_ANSWER_S, set_as_default=False)
    except (OSError, ValueError) as error:
        raise RunError(
            f"no Dask scheduler answers at {address!r}: {error or type(error).__name__}"
        ) from error


def _joined(started: StartedCluster) -> Client:
    """Connect to a cluster of ours, and wait for its first worker."""
    client = Client(started.cluster, set_as_default=False)
    if not started.brings_workers:
        return client
    try:
        client.wait_for_workers(1, timeout=_FIRST_WORKER_S)
    except TimeoutError as error:
        client.close()
        raise RunError(
            f"the cluster brought no worker within {_FIRST_WORKER_S} s; look at the logs of its "
            "jobs"
        ) from error
    except BaseException:
        client.close()
        raise
    return client
