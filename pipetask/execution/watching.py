"""What a run tells those who watch it."""

from __future__ import annotations

from typing import Protocol

from pipetask.execution.quantum_work import QuantumResult


class Watcher(Protocol):
    """Told of everything that happens to quanta, in the thread that runs the loop."""

    def started(self, label: str, number: int) -> None:
        """Hear that so many quanta of a task went to a worker."""
        ...

    def ended(self, result: QuantumResult) -> None:
        """Hear that a quantum came to its end."""
        ...

    def came_back(self, label: str) -> None:
        """Hear that a quantum came back undone, and will run again."""
        ...

    def blocked(self, label: str) -> None:
        """Hear that a quantum will never run, because something it needs failed."""
        ...


class NobodyWatching:
    """Listens to nothing."""

    def started(self, label: str, number: int) -> None:
        """Pass."""

    def ended(self, result: QuantumResult) -> None:
        """Pass."""

    def came_back(self, label: str) -> None:
        """Pass."""

    def blocked(self, label: str) -> None:
        """Pass."""
