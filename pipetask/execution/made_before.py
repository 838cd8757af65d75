"""Refuses to run quanta that the run has done. Changes nothing."""

from __future__ import annotations

from collections.abc import Collection as AbstractCollection
from typing import Any

from butler_core.errors import DatasetExistsError
from butler_core.repository.repository import Repository
from pipetask.quantum_graph.graph import QuantumGraph
from pipetask.quantum_graph.graph_quantum import GraphTask
from pipetask.quantum_graph.workspace import listed


def refuse_made(
    repository: Repository, graph: QuantumGraph, chosen: AbstractCollection[int] | None
) -> None:
    """Raise if a quantum's metadata, which each leaves that was done, are in the output run.

    Run again, it would replace the files of datasets under the registry's feet.

    Parameters
    ----------
    chosen
        Numbers of the quanta to run; all if None.

    Raises
    ------
    DatasetExistsError
        With the number of quanta done, by task.
    """
    registry = repository.registry
    run = registry.collections.find([graph.output_run]).get(graph.output_run)
    if run is None:
        return
    done = {}
    for task in graph.tasks:
        name = next(row.dataset_type for row in task.connections if row.role == "metadata")
        registered = registry.dataset_types.find(name)
        if registered is None or not registry.datasets.holds(registered, [run]):
            continue
        columns = _data_ids(graph, task, chosen)
        if not columns:
            done[task.label] = 1
        elif found := registry.datasets.existing(registered, run, columns):
            done[task.label] = len(found)
    if done:
        counts = ", ".join(f"{count} {label}" for label, count in done.items())
        raise DatasetExistsError(
            f"run {run.name!r} has done quanta of this graph already ({counts}); build a graph of "
            "what is missing with --extend-run and --skip-existing, or choose another run"
        )


def _data_ids(
    graph: QuantumGraph, task: GraphTask, chosen: AbstractCollection[int] | None
) -> dict[str, list[Any]]:
    names = task.dimensions.required
    if not names:
        return {}
    sql = (
        f"SELECT {listed(names, 'i')} FROM quantum q JOIN data_id i USING (data_id) "  # noqa: S608 - quoted
        f"WHERE q.task = {task.number}"
    )
    if chosen is None:
        rows = graph.fetch(sql)
    else:
        rows = graph.fetch(f"{sql} AND q.quantum IN (SELECT unnest(?))", [list(chosen)])
    return {name: [row[i] for row in rows] for i, name in enumerate(names)}
