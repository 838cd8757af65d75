"""From command-line options to a run that is ready to go."""

from __future__ import annotations

import json
import logging
import os
import re
from collections.abc import Mapping
from typing import Any

import click

from butler_core.failpoints import reach
from pipetask.cli.graph_session import GraphSession, chain_children
from pipetask.cli.resource_options import rules_by_label
from pipetask.cli.resuming import remove_leftovers
from pipetask.errors import RunError
from pipetask.execution.output_collections import CollectionPlan, clobber, make_collections
from pipetask.execution.prepare import prepare_run, register_dataset_types, require_registered
from pipetask.execution.quantum_work import RunSetup
from pipetask.execution.run import keep_graph
from pipetask.execution.run_options import RunOptions
from pipetask.execution.task_rules import TaskRules

_LOG = logging.getLogger(__name__)

_UNITS_MB = {
    "": 1.0,
    "kb": 1e-3,
    "mb": 1.0,
    "gb": 1e3,
    "tb": 1e6,
    "kib": 1.024e-3,
    "mib": 1.048576,
    "gib": 1073.741824,
}
_SIZE = re.compile(r"(?P<number>\d+(\.\d*)?)\s*(?P<unit>[A-Za-z]*)")
_THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
)


def run_options(given: Mapping[str, Any]) -> RunOptions:
    """Return how quanta are to be run.

    Raises
    ------
    click.UsageError
        If options contradict each other.
    """
    engine = _engine(given)
    if not given["enable_implicit_threading"]:
        for variable in _THREAD_VARIABLES:
            os.environ.setdefault(variable, str(given["cores_per_quantum"]))
    default = TaskRules(
        cores=1,
        memory_mb=_memory_mb(given["memory_per_quantum"], "--memory-per-quantum"),
        retries=given["retries"],
        timeout_s=given["timeout"],
    )
    return RunOptions(
        given["processes"],
        engine,
        scheduler=given["scheduler"],
        cluster=given["cluster"],
        rules=rules_by_label(given["resources"], default, _memory_mb),
        default_rules=default,
        total_memory_mb=_memory_mb(given["total_memory"], "--total-memory"),
        order=given["order"],
        is_fail_fast=given["fail_fast"],
        are_failures_accepted=given["accept_failures"],
        journal_folder=given["journal"],
        patience_s=given["patience"],
    )


def _engine(given: Mapping[str, Any]) -> str | None:
    """Return the engine that is asked for, or that the options need."""
    n_workers: int = given["processes"]
    engine: str | None = given["engine"]
    if engine is None and (given["scheduler"] or given["cluster"]):
        engine = "dask"
    if engine != "dask" and (given["scheduler"] or given["cluster"]):
        raise click.UsageError("--scheduler and --cluster are for --engine dask")
    if given["scheduler"] and given["cluster"]:
        raise click.UsageError("--scheduler names a cluster that runs, --cluster one to start")
    in_process = engine == "serial" or (engine is None and n_workers == 1)
    for name in ("pdb", "profile"):
        if given[name] and not in_process:
            raise click.UsageError(f"--{name} needs quanta to run in this process: -j 1")
    needs_process = [n for n in ("timeout", "memory_per_quantum") if given[n]]
    if given["timeout"] and engine in ("threads", "serial", "dask"):
        raise click.UsageError(
            f"--timeout cannot go with --engine {engine}: it needs worker processes of this "
            "machine, which can be killed"
        )
    if given["memory_per_quantum"] and engine in ("threads", "serial", "dask"):
        _LOG.warning(
            "--memory-per-quantum bounds nothing with --engine %s: it only counts towards "
            "--total-memory. Worker processes of this machine are bounded", engine,
        )  # fmt: skip
        return engine
    if needs_process and in_process:
        if given["pdb"] or given["profile"]:
            option = f"--{needs_process[0].replace('_', '-')}"
            raise click.UsageError(f"{option} needs quanta to run in other processes than this one")
        return "processes"
    return engine


def _memory_mb(text: str | None, option: str) -> float | None:
    if text is None:
        return None
    match = _SIZE.fullmatch(text.strip())
    unit = match["unit"].lower() if match else "?"
    if match is None or unit not in _UNITS_MB:
        raise click.UsageError(f"{option} takes a size such as 3GB or 3000, not {text!r}")
    return float(match["number"]) * _UNITS_MB[unit]


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
    """Return the collections that a graph file was made for, or that the options name instead.

    What has come into the chain since then stays in it, behind the run.
    """
    header = session.graph.header
    run = session.graph.output_run
    if given["output_run"] and given["output_run"] != run:
        raise RunError(f"the graph is for run {run!r}, not {given['output_run']!r}")
    chain = given["output"] or header.get("output") or None
    tail = json.loads(header.get("chain_tail", "[]"))
    before = json.loads(header.get("chain_before", "[]"))
    now = chain_children(session.repository, chain)
    new = [name for name in now if name not in (run, *before, *tail)]
    return CollectionPlan((), run, chain, (*new, *tail))
