"""From command-line options to a run that is ready to go."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from butler_core.failpoints import reach
from pipetask.cli.graph_session import GraphSession
from pipetask.cli.loaded_plan import plan_of_loaded
from pipetask.cli.resuming import remove_leftovers
from pipetask.errors import RunError
from pipetask.execution.output_collections import CollectionPlan, clobber, make_collections
from pipetask.execution.prepare import prepare_run, register_dataset_types, require_registered
from pipetask.execution.quantum_work import RunSetup
from pipetask.execution.run import keep_graph


def make_ready(
    session: GraphSession, given: Mapping[str, Any], chosen: frozenset[int] | None
) -> RunSetup:
    """Make collections and init outputs, and keep the graph with the run; or change nothing.

    Parameters
    ----------
    chosen
        Quanta of a graph from a file that will run; all if None.

    Returns
    -------
    RunSetup
        What workers need to know.
    """
    repository = session.repository
    plan = session.plan or _plan_of_loaded(session, given)
    with repository.transaction():
        if given["register_dataset_types"]:
            register_dataset_types(repository, session.pipeline)
        require_registered(repository, session.pipeline)
        make_collections(repository, plan, given["prune_replaced"])
        reach("ready.collections")
        setup = prepare_run(
            repository,
            session.graph,
            session.pipeline,
            with_init=not given["skip_init_writes"],
            with_versions=not given["no_versions"],
            debugger=given["pdb"],
        )
        _clear(session, given, chosen)
    assert session.run is not None  # it is to be written
    keep_graph(session.run.folder, session.graph)
    return setup


def _clear(session: GraphSession, given: Mapping[str, Any], chosen: frozenset[int] | None) -> None:
    """Remove logs of quanta that failed before; all outputs in the way if the user says so."""
    if chosen is None:
        clobber(session.repository, session.graph, only_logs=not given["clobber_outputs"])
        return
    roles = ("output", "metadata", "log") if given["clobber_outputs"] else ("log",)
    remove_leftovers(session.repository, session.graph, chosen, roles=roles)


def _plan_of_loaded(session: GraphSession, given: Mapping[str, Any]) -> CollectionPlan:
    """Return the collections that a graph file was made for, or that the options name instead."""
    run = session.graph.output_run
    if given["output_run"] and given["output_run"] != run:
        raise RunError(f"the graph is for run {run!r}, not {given['output_run']!r}")
    return plan_of_loaded(session.repository, session.graph, given["output"])
