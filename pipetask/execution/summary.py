"""What a run came to: counts by task and outcome, and the first failures."""

from __future__ import annotations

from bisect import insort
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pipetask.execution.quantum_work import Outcome, QuantumResult

_MAX_FAILURES = 20


@dataclass
class RunSummary:
    """Grows while a run goes on."""

    run: str
    #: Labels of tasks in the order they can run in.
    labels: tuple[str, ...]
    counts: dict[str, Counter[Outcome]] = field(default_factory=dict)
    elapsed_s: float = 0.0
    n_datasets: int = 0
    #: Seconds that quanta took, by task label.
    task_s: Counter[str] = field(default_factory=Counter)
    #: Largest memory of a quantum [MiB], by task label.
    peak_memory_mib: dict[str, float] = field(default_factory=dict)
    #: How often quanta were tried again, by task label.
    n_retried: Counter[str] = field(default_factory=Counter)
    #: Whether failures are no reason to call the run bad.
    are_failures_accepted: bool = False
    #: The first failures, in the order of their quanta.
    failures: list[QuantumResult] = field(default_factory=list)

    def add(self, result: QuantumResult) -> None:
        """Count a quantum that was run."""
        self.count(result.task_label, result.outcome)
        self.task_s[result.task_label] += result.elapsed_s  # type: ignore[assignment] # a Counter adds floats as well
        if result.peak_memory_mib is not None:
            before = self.peak_memory_mib.get(result.task_label, 0.0)
            self.peak_memory_mib[result.task_label] = max(before, result.peak_memory_mib)
        if result.outcome in (Outcome.FAILED, Outcome.LOST) and len(self.failures) < _MAX_FAILURES:
            insort(self.failures, result, key=lambda failure: failure.number)

    def retried(self, label: str) -> None:
        """Count a quantum that failed and is tried again."""
        self.n_retried[label] += 1

    def count(self, label: str, outcome: Outcome, number: int = 1) -> None:
        """Count quanta of one outcome."""
        self.counts.setdefault(label, Counter())[outcome] += number

    def total(self, outcome: Outcome) -> int:
        """Return how many quanta ended so."""
        return sum(counts[outcome] for counts in self.counts.values())

    @property
    def is_good(self) -> bool:
        """Whether every quantum succeeded or found no work."""
        bad = [Outcome.BLOCKED, Outcome.CANCELLED]
        if not self.are_failures_accepted:
            bad += [Outcome.FAILED, Outcome.LOST]
        return not any(self.total(outcome) for outcome in bad)

    def to_columns(self) -> dict[str, list[Any]]:
        """Return one row per task, as columns."""
        labels = [label for label in self.labels if label in self.counts]
        columns: dict[str, list[Any]] = {"task": labels}
        for outcome in Outcome:
            values = [self.counts[label][outcome] for label in labels]
            if outcome is Outcome.SUCCEEDED or any(values):
                columns[outcome.value] = values
        if any(self.n_retried.values()):
            columns["retried"] = [self.n_retried[label] for label in labels]
        columns["mean s"] = [round(self._mean(label), 3) for label in labels]
        columns["peak MiB"] = [
            round(self.peak_memory_mib.get(label, 0)) or None for label in labels
        ]
        return columns

    def _mean(self, label: str) -> float:
        ran = (Outcome.SUCCEEDED, Outcome.NO_WORK, Outcome.FAILED)
        number = sum(self.counts[label][outcome] for outcome in ran)
        return self.task_s[label] / number if number else 0.0

    def to_json(self) -> Mapping[str, Any]:
        """Return everything as plain values."""
        return {
            "run": self.run,
            "elapsed_s": self.elapsed_s,
            "n_datasets": self.n_datasets,
            "n_retried": dict(self.n_retried),
            "mean_s": {label: self._mean(label) for label in self.labels if label in self.counts},
            "peak_memory_mib": dict(self.peak_memory_mib),
            "tasks": {
                label: {outcome.value: n for outcome, n in self.counts[label].items()}
                for label in self.labels
                if label in self.counts
            },
            "failures": [
                {
                    "task": f.task_label,
                    "data_id": dict(f.data_id),
                    "error": f.error,
                    "outcome": f.outcome.value,
                    "fault": f.fault.value if f.fault else None,
                }
                for f in self.failures
            ],
        }
