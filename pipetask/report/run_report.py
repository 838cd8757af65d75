"""The report of a run: counts by task, failures by cause, what took longest."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from pipetask.report.quantum_states import QuantumStates

_FAILED = "outcome IN ('failed', 'lost')"
_N_SLOWEST = 5
#: What differs between messages of one cause: numbers, and what is quoted.
_DETAIL = re.compile(r"'[^']*'|\"[^\"]*\"|0x[0-9a-f]+|\d+(\.\d+)?")

OUTCOMES = ("succeeded", "no-work", "failed", "lost", "blocked", "not run")


@dataclass(frozen=True)
class TaskReport:
    """What became of one task's quanta."""

    task: str
    counts: Mapping[str, int]
    #: Attempts beyond the first of each quantum.
    n_retried: int
    #: Mean and largest time of a quantum [s]; None if none ran.
    mean_s: float | None
    longest_s: float | None
    #: Largest memory of a quantum [MiB]; None if it was not measured.
    peak_memory_mib: float | None


@dataclass(frozen=True)
class Cause:
    """Failures of one task that say the same."""

    task: str
    fault: str
    #: The first of them.
    error: str
    data_id: Mapping[str, Any]
    #: End of its log and of its traceback.
    log_tail: str
    traceback: str
    n_quanta: int


@dataclass(frozen=True)
class SlowQuantum:
    """A quantum that took long."""

    task: str
    data_id: Mapping[str, Any]
    elapsed_s: float
    peak_memory_mib: float | None


@dataclass(frozen=True)
class RunReport:
    """Everything that is said of a run."""

    run: str
    #: Whether a process is at work on it.
    is_going_on: bool
    tasks: Sequence[TaskReport]
    causes: Sequence[Cause] = field(default_factory=tuple)
    slowest: Sequence[SlowQuantum] = field(default_factory=tuple)

    @property
    def is_good(self) -> bool:
        """Whether every quantum succeeded or found no work."""
        bad = OUTCOMES[2:]
        return not any(task.counts.get(name, 0) for task in self.tasks for name in bad)

    def to_json(self) -> dict[str, Any]:
        """Return everything as plain values."""
        return asdict(self)


def make_report(states: QuantumStates, run: str, *, is_going_on: bool) -> RunReport:
    """Return what is known of a run's quanta."""
    return RunReport(run, is_going_on, _tasks(states), _causes(states), _slowest(states))


def _tasks(states: QuantumStates) -> list[TaskReport]:
    rows = states.connection.execute(
        "SELECT task, outcome, count(*), sum(greatest(n_attempts - 1, 0))::BIGINT, sum(elapsed_s), "
        "count(elapsed_s), max(elapsed_s), max(peak_memory_mib) FROM state GROUP BY task, outcome"
    ).fetchall()
    labels = [*states.labels, *sorted({row[0] for row in rows} - set(states.labels))]
    found = []
    for label in labels:
        own = [row for row in rows if row[0] == label]
        n_timed = sum(row[5] for row in own)
        found.append(
            TaskReport(
                label,
                {outcome: count for _, outcome, count, *_ in own},
                sum(row[3] for row in own),
                # To the microsecond, as times are noted; their sum depends on its order.
                round(sum(row[4] or 0.0 for row in own) / n_timed, 6) if n_timed else None,
                max((row[6] for row in own if row[6] is not None), default=None),
                max((row[7] for row in own if row[7] is not None), default=None),
            )
        )
    return found


def _causes(states: QuantumStates) -> list[Cause]:
    rows = states.connection.execute(
        "SELECT task, coalesce(fault, ''), coalesce(error, ''), data_id, coalesce(log_tail, ''), "  # noqa: S608 - fixed names
        f"coalesce(traceback, '') FROM state WHERE {_FAILED} ORDER BY started, data_id"
    ).fetchall()
    groups: dict[tuple[str, str, str], list[Any]] = {}
    for row in rows:
        groups.setdefault((row[0], row[1], _DETAIL.sub("~", row[2])), []).append(row)
    causes = [
        Cause(task, fault, same[0][2], json.loads(same[0][3]), same[0][4], same[0][5], len(same))
        for (task, fault, _), same in groups.items()
    ]
    order = {label: number for number, label in enumerate(states.labels)}
    return sorted(causes, key=lambda c: (order.get(c.task, len(order)), -c.n_quanta))


def _slowest(states: QuantumStates) -> list[SlowQuantum]:
    rows = states.connection.execute(
        "SELECT task, data_id, elapsed_s, peak_memory_mib FROM state WHERE elapsed_s IS NOT NULL "
        "ORDER BY elapsed_s DESC, task, data_id LIMIT ?",
        [_N_SLOWEST],
    ).fetchall()
    return [SlowQuantum(task, json.loads(data_id), *rest) for task, data_id, *rest in rows]
