"""Which files below the datastore's directory belong to which run, and which runs are not done.

A run of a pipeline keeps its graphs in ``RUN/graphs``: there, a ``*.journal``
tells of work that is not registered yet, and ``lease`` of who is at work.
"""

from __future__ import annotations

import json
import os
import socket
import time
from collections.abc import Iterable, Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

from butler_core.datastore.path_template import folder_of
from butler_core.repository.processes import is_alive

_GRAPHS = "graphs"
_JOURNAL = ".journal"
_LEASE = "lease"

#: How long after its last sign of life a process is taken to be at work [s].
_FRESH_S = 60.0


class RunFolders:
    """The folders of a repository's runs.

    Parameters
    ----------
    root
        The datastore's directory.
    runs
        Names of all RUN collections.
    """

    def __init__(self, root: str, runs: Iterable[str]) -> None:
        self._root = root
        # Graphs lie under the run's own name, datasets where the template puts them.
        self._folders = {run: (os.path.normpath(run), folder_of(run)) for run in runs}
        self._runs = {folder: run for run, both in self._folders.items() for folder in both}

    def run_of(self, path: str) -> str | None:
        """Return the run that a file is below, the innermost if there are several."""
        return next((self._runs[f] for f in _above(path) if f in self._runs), None)

    def spare(self, path: str) -> bool:
        """Return whether a file may be without a record: a run's own, or not registered yet."""
        folders = set(_above(path))
        if any(f"{folder}/{_GRAPHS}" in folders for folder in folders & self._runs.keys()):
            return True
        # A template may put something before the run.
        return any(
            f"/{folder}/" in f"/{path}" for run in self._unfinished for folder in self._folders[run]
        )

    @cached_property
    def interrupted(self) -> dict[str, str]:
        """One journal of each run that has any and that nobody is at work on, by run."""
        return {
            run: journal
            for run, journal in self._unfinished.items()
            if journal is not None and not self._is_at_work(run)
        }

    @cached_property
    def _unfinished(self) -> dict[str, str | None]:
        """Runs with a journal, which is given, or with a fresh lease."""
        found: dict[str, str | None] = {}
        for run in self._folders:
            graphs = self._graphs(run)
            names = _names_in(f"{self._root}/{graphs}")
            journals = [f"{graphs}/{name}" for name in names if name.endswith(_JOURNAL)]
            # Work may be written before the journal's first line.
            if journals or (_LEASE in names and self._holder(run) is not None):
                found[run] = min(journals, default=None)
        return found

    def _graphs(self, run: str) -> str:
        return f"{self._folders[run][0]}/{_GRAPHS}"

    def _is_at_work(self, run: str) -> bool:
        """Return whether a process holds a run and is not known to be dead."""
        holder = self._holder(run)
        if holder is None or holder.get("host") != socket.gethostname():
            return holder is not None
        pid = holder.get("pid")
        return not isinstance(pid, int) or is_alive(pid)

    def _holder(self, run: str) -> dict[str, Any] | None:
        """Return who holds a run, by a lease that was renewed lately; None if nobody does."""
        lease = Path(self._root, self._graphs(run), _LEASE)
        try:
            age_s = time.time() - lease.stat().st_mtime
            content = lease.read_bytes()
        except OSError:
            return None
        if age_s > _FRESH_S:
            return None
        try:
            found = json.loads(content)
        except ValueError:
            found = None
        return found if isinstance(found, dict) else {}  # somebody holds it, whoever it is


def _names_in(folder: str) -> list[str]:
    try:
        return os.listdir(folder)  # noqa: PTH208 - names alone
    except (FileNotFoundError, NotADirectoryError):
        return []


def _above(path: str) -> Iterator[str]:
    """Give the folders that a path is in, the innermost first."""
    while path := path.rpartition("/")[0]:
        yield path
