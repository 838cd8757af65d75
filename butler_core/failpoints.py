"""Named points in the program at which a test can let it fail.

The environment variable ``BUTLER_FAILPOINTS`` says where and how::

    BUTLER_FAILPOINTS="commit.archived=kill; file.write=ENOSPC@3"

``kill`` ends the process as ``kill -9`` does, ``sleep:SECONDS`` waits, and the
name of an error number raises `OSError` with it. ``@3`` lets the first two
arrivals of a process pass, and all but the third. Without the variable a point
is an empty call.
"""

from __future__ import annotations

import errno
import os
import re
import signal
import time
from dataclasses import dataclass

VARIABLE = "BUTLER_FAILPOINTS"

#: Every point there is, and what stands when a process arrives there.
POINTS = {
    "lease.taken": "the run is held by this process",
    "ready.collections": "the run and its chain are made, in a transaction",
    "ready.committed": "configurations and init outputs are there",
    "ready.graph": "the graph is kept with the run",
    "worker.begin": "a worker has a quantum, and has done nothing for it",
    "worker.ran": "a quantum's outputs are written; nobody knows yet",
    "worker.told": "a quantum's record is in the worker's own file",
    "file.write": "a file is about to be written",
    "file.written": "a file has its bytes, under a temporary name, not synced",
    "file.synced": "a file's bytes are on the disk, under a temporary name",
    "file.renamed": "a file has its name",
    "journal.write": "records are about to be written to the journal",
    "journal.torn": "half of the records are in the journal",
    "journal.written": "the records are in the journal",
    "journal.synced": "the journal is on the disk, before a commit",
    "commit.archived": "metadata and logs are in their archive",
    "commit.directories": "the names of all files are on the disk",
    "commit.inserted": "the rows are inserted, in a transaction",
    "commit.committed": "the rows are committed; the journal does not say so",
    "commit.marked": "the journal says what is committed",
    "replay.committed": "some of what an interrupted run had done is committed",
    "seal.begin": "all is committed; the journal is whole",
    "seal.written": "the history of the run is written, beside its journal",
    "seal.removed": "the history has taken the journal's place",
    "lease.released": "nobody holds the run",
}


@dataclass
class _Plan:
    """What happens at one point."""

    action: str
    #: Which arrival it is for; every one if 0.
    arrival: int
    n_arrivals: int = 0

    def reach(self, name: str) -> None:
        self.n_arrivals += 1
        if self.arrival in (0, self.n_arrivals):
            _act(self.action, name)


def _act(action: str, name: str) -> None:
    if action == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    verb, _, seconds = action.partition(":")
    if verb == "sleep":
        time.sleep(float(seconds))
        return
    number = getattr(errno, action)
    raise OSError(number, f"{os.strerror(number)} (failpoint {name})")


def _is_known(action: str) -> bool:
    if re.fullmatch(r"kill|sleep:[0-9]+(\.[0-9]+)?", action):
        return True
    return action.startswith("E") and hasattr(errno, action)


def parse(text: str) -> dict[str, _Plan]:
    """Read a value of the environment variable.

    Raises
    ------
    ValueError
        If it names no point, or no action.
    """
    plans = {}
    for part in filter(None, (part.strip() for part in text.split(";"))):
        name, mark, rest = part.partition("=")
        action, at, arrival = rest.partition("@")
        if name not in POINTS or not mark:
            raise ValueError(f"{VARIABLE} names {name!r}; there are {', '.join(POINTS)}")
        if not _is_known(action):
            raise ValueError(
                f"{VARIABLE} has the action {action!r} for {name}; it takes kill, sleep:SECONDS, "
                "or an error number's name such as ENOSPC"
            )
        if at and not re.fullmatch("[1-9][0-9]*", arrival):
            raise ValueError(
                f"{VARIABLE} has the arrival {arrival!r} for {name}; it takes a number from 1 on"
            )
        plans[name] = _Plan(action, int(arrival or 0))
    return plans


_PLANS = parse(os.environ.get(VARIABLE, ""))


def _nothing(name: str) -> None:
    """Pass a point."""


def _reach(name: str) -> None:
    if name in _PLANS:
        _PLANS[name].reach(name)


#: Call it where a point is.
reach = _reach if _PLANS else _nothing


def is_armed(name: str) -> bool:
    """Return whether anything can happen at a point."""
    return name in _PLANS
