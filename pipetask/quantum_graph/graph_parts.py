"""Which quanta of a graph belong to which task or subset."""

from __future__ import annotations

from collections.abc import Sequence

from butler_core.errors import near_misses
from pipetask.errors import UnknownLabelError
from pipetask.pipeline.pipeline import Pipeline
from pipetask.quantum_graph.graph import QuantumGraph


def chosen_parts(
    graph: QuantumGraph, tasks: Sequence[str] = (), subsets: Sequence[str] = ()
) -> dict[str, list[int]]:
    """Return the numbers of the quanta of tasks and subsets by name; of all tasks if none is named.

    Parts come in the order in which their tasks can run; one without quanta is left out.

    Raises
    ------
    UnknownLabelError
        If the graph has no such task, or its pipeline no such subset.
    """
    labels = [task.label for task in graph.tasks]
    members = {name: [name] for name in (tasks or (() if subsets else labels))}
    known = Pipeline.from_text(graph.header["pipeline"]).subsets
    for name in subsets:
        if name not in known:
            raise UnknownLabelError(
                f"the graph's pipeline has no subset {name!r}.{near_misses(name, known)}"
            )
        members[name] = [label for label in labels if label in known[name].tasks]
    found = {name: _numbers(graph, part) for name, part in members.items()}
    order = {name: min(numbers) for name, numbers in found.items() if numbers}
    return {name: found[name] for name in sorted(order, key=lambda name: order[name])}


def _numbers(graph: QuantumGraph, labels: Sequence[str]) -> list[int]:
    tasks = [graph.task(label).number for label in labels]
    rows = graph.fetch(
        "SELECT quantum FROM quantum WHERE task IN (SELECT unnest(?)) ORDER BY quantum", [tasks]
    )
    return [row[0] for row in rows]
