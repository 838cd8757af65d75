"""Hands calls to Dask as to any executor; each call has one outcome, whoever dies meanwhile."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable, Sequence
from concurrent.futures import CancelledError, Executor, Future
from typing import Any

import distributed
from distributed import Client, get_worker
from distributed.client import ClosedClientError
from distributed.comm import CommClosedError

_LOST = (CancelledError, asyncio.CancelledError, CommClosedError)

#: Lets the scheduler forget a result that a worker still has, and returns whether it has it. Rule:
#: a lambda, since it travels by value to a scheduler that may know nothing of this package.
_FORGET: Callable[..., bool] = lambda dask_scheduler, key, holder, client: (  # noqa: E731
    (task := dask_scheduler.tasks.get(key)) is not None
    and any(worker.server_id == holder for worker in task.who_has or ())
    and dask_scheduler.client_releases_keys([key], client, "pipetask-settled") is None
)


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
        self._client = client
        self._address = address

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Send a call to a worker."""
        answer: Future[Any] = Future()
        try:
            # Rule: a key of its own, or a call would be taken for one that was made before.
            key = f"{fn.__name__}-{uuid.uuid4().hex}"
            sent = self._client.submit(_signed, fn, *args, key=key, **kwargs)
        except ClosedClientError:
            answer.set_exception(self._lost())
        else:
            self._client.loop.add_callback(self._follow, sent, answer)
        return answer

    async def _follow(self, sent: distributed.Future, answer: Future[Any]) -> None:
        told: Sequence[Any] = await asyncio.gather(self._settled(sent), return_exceptions=True)
        outcome = told[0]
        if isinstance(outcome, _LOST):
            answer.set_exception(self._lost())
        elif isinstance(outcome, BaseException):
            answer.set_exception(outcome)
        else:
            answer.set_result(outcome)

    async def _settled(self, sent: distributed.Future) -> Any:
        """Return a call's result when it is final.

        Dask makes a result anew if the worker that holds it dies, although it was told here; the
        quanta would then run a second time over what they wrote. So the scheduler is asked to
        forget it; if the worker that made it is dead by then, the next one's is waited for.
        """
        while True:
            holder, result = await sent
            try:
                is_final = await self._client.run_on_scheduler(
                    _FORGET, key=sent.key, holder=holder, client=self._client.id
                )
            except OSError as error:
                raise self._lost() from error
            if is_final:
                return result

    def _lost(self) -> SchedulerLostError:
        return SchedulerLostError(f"the Dask scheduler at {self._address} does not answer any more")


def _signed(fn: Callable[..., Any], *args: Any, **kwargs: Any) -> tuple[str, Any]:
    """Return the worker that makes a result, and the result."""
    return str(get_worker().id), fn(*args, **kwargs)
