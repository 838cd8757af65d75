"""Decides which quanta of a graph from a file are to run, and clears what they left behind.

Runs nothing. A graph that is built now needs none of this: it leaves out by itself what is done.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

import click

from butler_core.errors import CollectionExistsError, DatasetExistsError
from butler_core.repository.removal import purge_datasets
from butler_core.repository.repository import Repository
from pipetask.cli.graph_session import chain_children
from pipetask.errors import NothingToDoError, RunError
from pipetask.execution.quantum_backed import require_makers
from pipetask.provenance.run_folder import RunFolder
from pipetask.quantum_graph.graph import QuantumGraph


def graph_to_retry(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options that run the rest of a run's last graph.

    Raises
    ------
    click.UsageError
        If no run is named, or a graph besides.
    RunError
        If the run has no graph.
    """
    if given["qgraph_file"] or given["pipeline"]:
        raise click.UsageError("--retry-failed takes the run's own graph; leave -g and -p out")
    if not given["output_run"] and not given["output"]:
        raise click.UsageError("--retry-failed needs the run: give --output-run or --output")
    repository = Repository.open(given["repo"])
    try:
        run = given["output_run"]
        if not run:
            children = chain_children(repository, given["output"])
            if not children:
                raise RunError(f"{given['output']!r} is no chain that has a run")
            run = children[0]
        folder = RunFolder.of(given["journal"] or repository.datastore.root, run)
    finally:
        repository.close()
    graph_ids = folder.graph_ids()
    if not graph_ids:
        raise RunError(f"run {run!r} has no graph: `pipetask run` has not made it")
    return {"qgraph_file": folder.graph(graph_ids[-1]), "output_run": run, "extend_run": True}


def quanta_to_run(
    repository: Repository, graph: QuantumGraph, given: Mapping[str, Any]
) -> frozenset[int] | None:
    """Return the numbers of the quanta that the options ask for and that are not done.

    Returns
    -------
    frozenset or None
        None for all.

    Raises
    ------
    CollectionExistsError
        If the run exists and ``--extend-run`` is not given.
    NothingToDoError
        If all are done.
    DatasetExistsError
        If outputs of one that is not done are there, and are not to be replaced.
    RunError
        If one needs another that is neither asked for nor done.
    """
    named = graph.numbers_of(given["qgraph_node_id"])
    wanted = named or frozenset(range(len(graph)))
    run = graph.output_run
    exists = run in repository.registry.collections.find([run])
    if exists and not given["extend_run"]:
        raise CollectionExistsError(
            f"run {run!r} of the graph exists already; use --extend-run to do what is missing"
        )
    done = _done(repository, graph) if exists else frozenset()
    left = wanted - done
    if not left:
        raise NothingToDoError(
            f"nothing to do: all {len(wanted)} quanta asked for are done already"
        )
    require_makers(graph, left, done)
    if exists and not given["clobber_outputs"]:
        _require_room(repository, graph, left)
    return None if len(left) == len(graph) else left


def _done(repository: Repository, graph: QuantumGraph) -> frozenset[int]:
    """Return the quanta whose metadata, which each leaves that did not fail, are there."""
    rows = _outputs(graph, ("metadata",))
    found = repository.registry.datasets.find_ids([id_ for _, id_ in rows])
    return frozenset(number for number, id_ in rows if id_ in found)


def _outputs(graph: QuantumGraph, roles: Collection[str]) -> list[tuple[int, bytes]]:
    """Return the numbers of quanta and the ids of what they write in some roles."""
    rows: list[tuple[Any, ...]] = []
    for task in graph.tasks:
        connections = [n for n, row in enumerate(task.connections) if row.role in roles]
        rows += graph.fetch(
            "SELECT e.quantum, d.id FROM quantum q JOIN edge e USING (quantum) "
            "JOIN dataset d USING (dataset) "
            "WHERE q.task = ? AND e.connection IN (SELECT unnest(?))",
            [task.number, connections],
        )
    return [(number, id_.bytes) for number, id_ in rows]


def _require_room(repository: Repository, graph: QuantumGraph, chosen: frozenset[int]) -> None:
    ids = [id_ for number, id_ in _outputs(graph, ("output",)) if number in chosen]
    found = [ref for ref, _ in repository.registry.datasets.find_ids(ids).values()]
    if found:
        raise DatasetExistsError(
            f"run {graph.output_run!r} has {len(found)} outputs of quanta that are not done, such "
            f"as {found[0].dataset_type.name!r} for {found[0].data_id}; --clobber-outputs "
            "replaces them"
        )


def remove_leftovers(
    repository: Repository,
    graph: QuantumGraph,
    chosen: Iterable[int],
    *,
    roles: Collection[str] = ("log",),
) -> int:
    """Remove what some quanta left in the run when they failed; return how many datasets went.

    Parameters
    ----------
    roles
        Which of their outputs go: ``output``, ``metadata``, ``log``.
    """
    numbers = frozenset(chosen)
    ids = [id_ for number, id_ in _outputs(graph, roles) if number in numbers]
    found = repository.registry.datasets.find_ids(ids)
    return purge_datasets(repository, [ref for ref, _ in found.values()])
