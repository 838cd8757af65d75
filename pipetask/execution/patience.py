"""Tries again what a database or a disk refuses for a while."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import TypeVar

from butler_core.errors import (
    ButlerError,
    DatabaseBusyError,
    DatabaseUnreachableError,
    RepositoryError,
    StorageError,
)
from pipetask.errors import JournalError, RunStoppedError

_LOG = logging.getLogger(__name__)
_Result = TypeVar("_Result")

#: Pauses between tries [s]: the first, by how much each is longer than the last, the longest.
_FIRST_S, _FACTOR, _LONGEST_S = 0.2, 2.0, 5.0


def _may_pass(error: Exception) -> bool:
    """Return whether what hinders may be gone soon: a lock, a server, a disk."""
    if isinstance(error, ButlerError):
        own = isinstance(error, (DatabaseBusyError, DatabaseUnreachableError, JournalError))
        # The bare class stands for what a database says of its own files.
        return own or type(error) is RepositoryError or isinstance(error, StorageError)
    return True


class Patience:
    """Calls functions until they succeed, for a limited time each.

    Parameters
    ----------
    limit_s
        How long one call is tried [s].
    is_over
        Asked before each new try; whether to give up at once.
    """

    def __init__(self, limit_s: float, is_over: Callable[[], bool] = lambda: False) -> None:
        self._limit_s = limit_s
        self._is_over = is_over

    def call(self, function: Callable[[], _Result], purpose: str) -> _Result:
        """Return what a function returns, in the end.

        Parameters
        ----------
        purpose
            What it is for, as a message can go on after "cannot".

        Raises
        ------
        RunStoppedError
            If it still fails when patience ends.
        """
        begin = time.monotonic()
        pause_s = _FIRST_S
        while True:
            try:
                return function()
            except (ButlerError, OSError) as error:
                if not _may_pass(error):
                    raise
                if self._is_over() or time.monotonic() - begin + pause_s > self._limit_s:
                    raise RunStoppedError(
                        f"cannot {purpose}: {error}. The run stops; what was done is in its "
                        "journal, and --extend-run goes on from there"
                    ) from error
                if pause_s == _FIRST_S:
                    _LOG.warning("cannot %s: %s; trying again", purpose, error)
            time.sleep(pause_s)
            pause_s = min(pause_s * _FACTOR, _LONGEST_S)
