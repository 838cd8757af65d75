"""What ``--show`` prints of a quantum graph and of how it was built."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from butler_core.datasets.dataset_ref import DatasetRef
from butler_core.datasets.dataset_type import DatasetType
from pipetask.draw.show import ShowContext
from pipetask.quantum_graph.workspace import StageReport


def show_graph(what: ShowContext, _value: str) -> Iterator[str]:
    """Go through quanta with their data IDs, inputs and outputs, task by task."""
    graph = what.quantum_graph
    assert graph is not None
    for task in graph.tasks:
        yield f"{task.label} ({task.class_name})"
        for quantum in graph.iter_quanta(label=task.label):
            yield f"  Quantum {quantum.id} dataId={quantum.data_id}:"
            yield "    inputs:"
            yield from _dataset_lines(quantum.inputs.values())
            yield "    outputs:"
            yield from _dataset_lines(quantum.outputs.values())


def _dataset_lines(connections: Iterable[tuple[DatasetRef, ...]]) -> Iterator[str]:
    by_type: dict[DatasetType, dict[DatasetRef, None]] = {}
    for refs in connections:
        for ref in refs:
            by_type.setdefault(ref.dataset_type, {})[ref] = None
    for type_, distinct in by_type.items():
        yield f"      DatasetType({type_.name!r}, {type_.dimensions}, {type_.storage_class}):"
        for ref in distinct:
            yield (
                f"        - {type_.name}@{ref.data_id} [sc={type_.storage_class}] "
                f"(run={ref.run} id={ref.id})"
            )


def show_workflow(what: ShowContext, _value: str) -> Iterator[str]:
    """Go through quanta, each with those that it waits for."""
    graph = what.quantum_graph
    assert graph is not None
    rows = graph.fetch("SELECT quantum, task, id FROM quantum ORDER BY quantum")
    ids = {number: id_ for number, _, id_ in rows}
    parents: dict[int, list[int]] = {}
    for before, after in sorted(zip(*map(list, graph.dependencies()), strict=True)):
        parents.setdefault(int(after), []).append(int(before))
    for number, task_number, id_ in rows:
        task = graph.tasks[task_number]
        yield f"Quantum {id_}: {task.label} ({task.class_name})"
        for parent in parents.get(number, ()):
            yield f"Parent Quantum {ids[parent]} - Child Quantum {id_}"


def show_stages(what: ShowContext, _value: str) -> Iterator[str]:
    """Return a table of what each step of the build did."""
    assert what.build_report is not None
    table = [("Stage", "Subject", "Rows in", "Rows out", "Seconds")]
    table += [_stage_row(report) for report in what.build_report.stages]
    widths = [max(len(row[i]) for row in table) for i in range(5)]
    table.insert(1, tuple("-" * width for width in widths))  # type: ignore[arg-type] # five of them
    for stage, subject, *numbers in table:
        shown = [f"{n:>{width}}" for n, width in zip(numbers, widths[2:], strict=True)]
        yield "  ".join([f"{stage:<{widths[0]}}", f"{subject:<{widths[1]}}", *shown])


def _stage_row(report: StageReport) -> tuple[str, str, str, str, str]:
    n_in = "-" if report.n_in is None else str(report.n_in)
    return (report.stage, report.subject, n_in, str(report.n_out), f"{report.elapsed_s:.3f}")
