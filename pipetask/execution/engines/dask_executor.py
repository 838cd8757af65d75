"""Hands calls to Dask as to any executor, and tells a lost scheduler from everything else."""

from __future__ import annotations

import functools
from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import Any

from distributed import Client
from distributed.cfexecutor import ClientExecutor
from distributed.client import ClosedClientError


class SchedulerLostError(ConnectionError):
    """The scheduler is gone, and with it everything that it was asked for."""


class DaskExecutor(Executor):
    """Sends calls to the workers of a Dask cluster.

    Parameters
    ----------
    client
        Connected to the cluster's scheduler.
    address
        The scheduler's address, for messages.
    """

    def __init__(self, client: Client, address: str) -> None:
        # Rule: a call is never taken for one that was made before.
        self._inner = ClientExecutor(client, pure=False)
        self._address = address

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Send a call to a worker.

        Rule: nothing that is returned refers to Dask's own future. Dask keeps a result, and makes
        it anew if its worker dies, for as long as there is one.
        """
        answer: Future[Any] = Future()
        try:
            sent = self._inner.submit(fn, *args, **kwargs)
        except ClosedClientError:
            answer.set_exception(self._lost())
        else:
            sent.add_done_callback(functools.partial(self._pass_on, answer))
        return answer

    def _pass_on(self, answer: Future[Any], sent: Future[Any]) -> None:
        if sent.cancelled():
            answer.set_exception(self._lost())
        elif (error := sent.exception()) is not None:
            answer.set_exception(error)
        else:
            answer.set_result(sent.result())

    def _lost(self) -> SchedulerLostError:
        return SchedulerLostError(f"the Dask scheduler at {self._address} does not answer any more")
