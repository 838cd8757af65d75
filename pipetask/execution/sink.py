"""Where what quanta leave goes: into the registry, or nowhere but the journal."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from butler_core.datastore.syncing import sync_directories
from pipetask.execution.quantum_work import QuantumResult
from pipetask.provenance.journal import Journal
from pipetask.quantum_graph.graph_quantum import GraphQuantum


class Sink(Protocol):
    """Takes what attempts left, once nothing will change it."""

    #: Number of datasets kept.
    n_registered: int

    @property
    def is_due(self) -> bool:
        """Whether there is enough for a commit."""
        ...

    def add(self, quantum: GraphQuantum, result: QuantumResult) -> None:
        """Take note of what an attempt at a quantum left."""
        ...

    def commit(self) -> None:
        """Make all that was added last; can be called again if it fails."""
        ...


class JournalSink:
    """Leaves registering to somebody else, who reads the journal.

    Parameters
    ----------
    root
        The datastore's directory.
    """

    is_due = False

    def __init__(self, root: Path, journal: Journal) -> None:
        self._root = root
        self._journal = journal
        self._directories: set[Path] = set()
        self.n_registered = 0

    def add(self, quantum: GraphQuantum, result: QuantumResult) -> None:  # noqa: ARG002 - as others
        """Take note of files whose names are to last."""
        self._directories |= {(self._root / r.path).parent for r in result.records.values()}
        self.n_registered += len(result.records)

    def commit(self) -> None:
        """Put the journal and the names of files on the disk."""
        self._journal.sync()
        sync_directories(self._directories, self._root)
        self._directories.clear()
