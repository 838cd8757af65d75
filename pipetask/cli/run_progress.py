"""Shows how far a run is: one table on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from butler_core.cli.progress import is_shown
from pipetask.cli.metrics_file import MetricsFile
from pipetask.cli.run_counts import RunCounts, TaskCounts
from pipetask.execution.watching import Watcher
from pipetask.quantum_graph.graph import QuantumGraph

_LOG = logging.getLogger(__name__)

#: How often the table is drawn anew, and a line is logged where there is no terminal [s].
_DRAW_S, _LINE_S = 0.25, 30.0


@contextmanager
def watching(
    graph: QuantumGraph,
    metrics_file: Path | None = None,
    chosen: Collection[int] | None = None,
) -> Iterator[Watcher]:
    """Lend who watches a run.

    Parameters
    ----------
    chosen
        Numbers of the quanta that will run; all if None.
    metrics_file
        Where to keep counts for Prometheus, if anywhere.
    """
    counts = RunCounts(_n_quanta(graph, chosen))
    metrics = None if metrics_file is None else MetricsFile(metrics_file, graph.output_run, counts)
    try:
        if is_shown():
            with _table(counts) as draw:
                counts.listen(draw)
                if metrics is not None:
                    counts.listen(metrics.write_now_and_then)
                yield counts
        else:
            counts.listen(_Lines(counts).log_now_and_then)
            if metrics is not None:
                counts.listen(metrics.write_now_and_then)
            yield counts
    finally:
        if metrics is not None:
            metrics.write()


def _n_quanta(graph: QuantumGraph, chosen: Collection[int] | None) -> dict[str, int]:
    """Return how many quanta of each task will run, of the tasks that have any."""
    if chosen is None:
        return {task.label: task.n_quanta for task in graph.tasks}
    numbers = Counter(graph.task_numbers()[list(chosen)].tolist())
    return {t.label: numbers[t.number] for t in graph.tasks if t.number in numbers}


class _Lines:
    """Logs a line for each task that something happened to."""

    def __init__(self, counts: RunCounts) -> None:
        self._counts = counts
        self._last = time.monotonic()

    def log_now_and_then(self) -> None:
        """Log where the run stands, if that is long ago."""
        now = time.monotonic()
        if now - self._last < _LINE_S:
            return
        self._last = now
        for label, task in self._counts.tasks.items():
            if task.is_active:
                _LOG.info("%s: %s", label, _sentence(task))


def _sentence(task: TaskCounts) -> str:
    parts = [f"{task.n_ended:,} of {task.n_quanta:,} done", f"{task.n_running:,} running"]
    if task.n_failed:
        parts.append(f"{task.n_failed:,} failed")
    if task.n_blocked:
        parts.append(f"{task.n_blocked:,} blocked")
    parts.append(f"{task.rate:.3g}/s")
    if (left := task.seconds_left) is not None:
        parts.append(f"{_duration(left)} left")
    return ", ".join(parts)


def _duration(seconds: float) -> str:
    hours, rest = divmod(int(seconds), 3600)
    return f"{hours}:{rest // 60:02d}:{rest % 60:02d}"


@contextmanager
def _table(counts: RunCounts) -> Iterator[Any]:
    """Lend a function that draws the table, not too often."""
    from rich.console import Console
    from rich.live import Live

    console = Console(stderr=True)
    last = 0.0
    with Live(_rows(counts), console=console, auto_refresh=False, transient=True) as live:

        def draw() -> None:
            nonlocal last
            now = time.monotonic()
            if now - last >= _DRAW_S:
                last = now
                live.update(_rows(counts), refresh=True)

        yield draw


def _rows(counts: RunCounts) -> Any:
    """Return a table with a row for each task."""
    from rich.progress_bar import ProgressBar
    from rich.table import Table

    table = Table(box=None, padding=(0, 1))
    for name, justify in _COLUMNS:
        table.add_column(name, justify=justify)
    for label, task in counts.tasks.items():
        left = task.seconds_left
        table.add_row(
            label,
            ProgressBar(total=max(task.n_quanta, 1), completed=task.n_ended, width=24),
            f"{task.n_ended:,}/{task.n_quanta:,}",
            f"{task.n_running:,}",
            f"[red]{task.n_failed:,}[/red]" if task.n_failed else "",
            f"{task.n_blocked:,}" if task.n_blocked else "",
            f"{task.rate:.3g}" if task.rate else "",
            "" if left is None else _duration(left),
            "" if task.peak_memory_mib is None else f"{task.peak_memory_mib:,.0f}",
        )
    return table


_COLUMNS: tuple[tuple[str, Any], ...] = (
    ("", "left"),
    ("", "left"),
    ("done", "right"),
    ("running", "right"),
    ("failed", "right"),
    ("blocked", "right"),
    ("per s", "right"),
    ("left", "right"),
    ("MiB", "right"),
)
