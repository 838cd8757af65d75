"""How many quanta go to a worker at once."""

from __future__ import annotations

from pipetask.execution.quantum_work import QuantumResult

#: What one trip to a worker should take [s], so that the trip itself does not matter.
_BATCH_S = 0.2
#: Shortest time that a quantum is thought to take [s].
_SHORTEST_S = 1e-4
#: How much one more result changes the mean.
_WEIGHT = 0.2


class BatchSizes:
    """Learns how long quanta of each task take.

    Parameters
    ----------
    most
        Quanta of the largest batch.
    """

    def __init__(self, n_workers: int, most: int) -> None:
        self._n_workers = n_workers
        self._most = most
        self._mean_s: dict[str, float] = {}

    def learn(self, result: QuantumResult) -> None:
        """Take a result into account."""
        mean = self._mean_s.get(result.task_label, result.elapsed_s)
        self._mean_s[result.task_label] = mean + _WEIGHT * (result.elapsed_s - mean)

    def of(self, label: str, n_ready: int) -> int:
        """Return how many quanta of a task go next: few while nothing is known, or little left."""
        mean = self._mean_s.get(label)
        if mean is None:
            return 1
        fair = n_ready // (2 * self._n_workers)
        return max(1, min(self._most, int(_BATCH_S / max(mean, _SHORTEST_S)), fair))
