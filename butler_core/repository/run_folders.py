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
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from butler_core.datastore.path_template import folder_of
from butler_core.repository.processes import is_alive

#: Name of the folder in a run's own in which its graphs are, and what is noted of them.
GRAPHS = "graphs"
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
        self._journal = cache(self._first_journal)
        self._is_unfinished = cache(self._has_journal_or_holder)

    def run_of(self, path: str) -> str | None:
        """Return the run that a file is below, the innermost if there are several."""
        return next((self._runs[f] for f in _above(path) if f in self._runs), None)

    def spare(self, path: str) -> bool:
        """Return whether a file may be without a record: a run's own, or not registered yet."""
        for folder in _above(path):
            if folder in self._runs and path.startswith(f"{folder}/{GRAPHS}/"):
                return True
            # Rule: whether the run is registered does not matter, as it may be after its work.
            if self._is_unfinished(folder):
                return True
        # A template may put something before the run.
        return any(f"/{folder}/" in f"/{path}" for folder in self._unfinished)

    @cached_property
    def _unfinished(self) -> set[str]:
        """The folders of registered runs that are not done, by both ways of spelling them."""
        return {
            folder
            for graphs, other in self._folders.values()
            if self._is_unfinished(graphs)
            for folder in (graphs, other)
        }

    @property
    def interrupted(self) -> Iterator[tuple[str, str]]:
        """The runs that have journals and that nobody is at work on, each with one of these."""
        for run, (folder, _) in self._folders.items():
            journal = self._journal(folder)
            if journal is not None and not self._is_at_work(folder):
                yield run, journal

    def unregistered(self, paths: Iterable[str]) -> dict[str, str]:
        """Return those folders of runs that no registry knows yet, each with one journal.

        Parameters
        ----------
        paths
            Files that no record names.
        """
        found = {}
        for path in paths:
            graphs, _, name = path.rpartition("/")
            folder, _, last = graphs.rpartition("/")
            if last == GRAPHS and folder and name.endswith(_JOURNAL) and folder not in self._runs:
                journal = self._journal(folder)
                if journal is not None:
                    found[folder] = journal
        return found

    def _first_journal(self, folder: str) -> str | None:
        graphs = f"{folder}/{GRAPHS}"
        names = _names_in(f"{self._root}/{graphs}")
        return min((f"{graphs}/{n}" for n in names if n.endswith(_JOURNAL)), default=None)

    def _has_journal_or_holder(self, folder: str) -> bool:
        # Work may be written before the journal's first line.
        return self._journal(folder) is not None or self._holder(folder) is not None

    def _is_at_work(self, folder: str) -> bool:
        """Return whether a process holds a run and is not known to be dead."""
        holder = self._holder(folder)
        if holder is None or holder.get("host") != socket.gethostname():
            return holder is not None
        pid = holder.get("pid")
        return not isinstance(pid, int) or is_alive(pid)

    def _holder(self, folder: str) -> dict[str, Any] | None:
        """Return who holds a run, by a lease that was renewed lately; None if nobody does."""
        lease = Path(self._root, folder, GRAPHS, _LEASE)
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
