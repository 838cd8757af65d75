"""Shows how far a run is: one bar a task on a terminal, nothing elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from butler_core.cli.progress import is_shown
from pipetask.execution.quantum_work import Outcome, QuantumResult
from pipetask.quantum_graph.graph import QuantumGraph


@contextmanager
def progress_of(graph: QuantumGraph) -> Iterator[Callable[[QuantumResult], None] | None]:
    """Lend a function to call with each result; None where nothing is shown."""
    if not is_shown():
        yield None
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[failed]}"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        bars = {
            task.label: progress.add_task(task.label, total=task.n_quanta, failed="")
            for task in graph.tasks
        }
        failed = dict.fromkeys(bars, 0)

        def on_result(result: QuantumResult) -> None:
            label = result.task_label
            failed[label] += result.outcome in (Outcome.FAILED, Outcome.LOST)
            said = f"{failed[label]} failed" if failed[label] else ""
            progress.update(bars[label], advance=1, failed=said)

        yield on_result
