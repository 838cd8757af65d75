"""RUN collections that were looked up before.

A run's key is never given to another collection, so what was found once can be
written to without another look; that it is gone shows when a row refers to it.
"""

from __future__ import annotations

from butler_core.datasets.collection import Collection
from butler_core.registry.database import Database


class KnownRuns:
    """Remembers runs until a transaction, in which one may have been made, is undone."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._rollbacks = database.rollbacks
        self._runs: dict[str, Collection] = {}

    def get(self, name: str) -> Collection | None:
        """Return a run that was found before, or None."""
        if self._rollbacks != self._database.rollbacks:
            self._rollbacks = self._database.rollbacks
            self._runs = {}
        return self._runs.get(name)

    def add(self, run: Collection) -> None:
        """Remember a run."""
        self._runs[run.name] = run
