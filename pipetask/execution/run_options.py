"""How quanta are run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pipetask.execution.task_rules import TaskRules
from pipetask.execution.watching import NobodyWatching, Watcher

#: Orders in which ready quanta can start.
DEPTH_FIRST, CRITICAL_PATH = "depth-first", "critical-path"


@dataclass(frozen=True)
class RunOptions:
    """How quanta are run."""

    n_workers: int = 1
    #: Name of the engine; chosen by the number of workers if None.
    engine: str | None = None
    #: Address of a Dask scheduler, for the engine ``dask``; a cluster of this machine if None.
    scheduler: str | None = None
    #: YAML file that describes a cluster to start, for the engine ``dask``.
    cluster: Path | None = None
    #: Rules by task label; those of ``default_rules`` for the others.
    rules: Mapping[str, TaskRules] = field(default_factory=dict)
    default_rules: TaskRules = field(default_factory=TaskRules)
    #: Memory that all quanta together may be given [MB]; None if nobody counts it.
    total_memory_mb: float | None = None
    #: Threads that numerical libraries may use for one quantum; None for as many as they like.
    n_threads: int | None = None
    #: ``depth-first`` or ``critical-path``.
    order: str = DEPTH_FIRST
    #: What a quantum of a task is thought to take [s], for the latter; all the same if not known.
    durations_s: Mapping[str, float] = field(default_factory=dict)
    #: Whether to start nothing more after the first failure.
    is_fail_fast: bool = False
    #: Whether what waits for a quantum runs without it when it has failed.
    are_failures_accepted: bool = False
    #: Numbers of the quanta to run; all if None.
    chosen: frozenset[int] | None = None
    #: Folder for journals, if not the run's own.
    journal_folder: Path | None = None
    #: How long a database or a disk that refuses is asked again [s].
    patience_s: float = 60.0
    watcher: Watcher = field(default_factory=NobodyWatching, compare=False)

    def rules_of(self, label: str) -> TaskRules:
        """Return the rules of a task."""
        return self.rules.get(label, self.default_rules)
