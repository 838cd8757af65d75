"""Decides which collections a run reads from and writes to."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from butler_core.datasets.collection import CollectionType
from butler_core.errors import CollectionExistsError, CollectionTypeError
from butler_core.registry.collections import CollectionTable
from butler_core.repository.removal import purge_datasets, unstore_datasets
from butler_core.repository.repository import Repository
from pipetask.errors import RunError
from pipetask.quantum_graph.graph import QuantumGraph


@dataclass(frozen=True)
class CollectionRequest:
    """What a user says of collections; as the options of ``pipetask run``."""

    inputs: tuple[str, ...] = ()
    #: Name of the output CHAINED collection.
    output: str | None = None
    output_run: str | None = None
    extend_run: bool = False
    replace_run: bool = False
    #: ``unstore`` or ``purge``.
    prune_replaced: str | None = None
    rebase: bool = False


@dataclass(frozen=True)
class CollectionPlan:
    """Where inputs come from and outputs go to."""

    #: Searched for inputs, in order; the run itself first if it exists.
    inputs: tuple[str, ...]
    run: str
    #: CHAINED collection to make or extend; None if there is none.
    chain: str | None
    #: What the chain has behind the run.
    chain_tail: tuple[str, ...]
    #: Run that is taken out of the chain.
    replaced: str | None = None


def plan_collections(collections: CollectionTable, request: CollectionRequest) -> CollectionPlan:
    """Decide, changing nothing.

    Raises
    ------
    RunError
        If the request contradicts itself.
    CollectionExistsError
        If the run exists and is not to be extended.
    UnknownCollectionError
        If an input does not exist.
    """
    _check(request)
    children = _children(collections, request)
    inputs = tuple(c.name for c in collections.resolve(request.inputs)) if request.inputs else ()
    if not inputs and children is None:
        raise RunError(
            f"no inputs: give -i COLLECTION; the output {request.output!r} does not exist yet"
            if request.output
            else "no inputs: give -i COLLECTION"
        )
    replaced = None
    if request.replace_run:
        replaced = _first_run(collections, request, children)
    run = _run_name(collections, request, children)
    exists = run in collections.find([run])
    if exists and not request.extend_run:
        raise CollectionExistsError(
            f"run {run!r} exists already; use --extend-run to add to it, or another name"
        )
    tail = [c for c in (children or ()) if c not in (run, replaced)]
    if inputs:
        tail = _with_inputs(collections, request, tail, inputs, is_new=children is None)
    search = (run, *tail) if exists else tuple(tail)
    return CollectionPlan(tuple(dict.fromkeys(search)), run, request.output, tuple(tail), replaced)


def _check(request: CollectionRequest) -> None:
    if not request.output and not request.output_run:
        raise RunError("no output: give -o COLLECTION, or --output-run COLLECTION")
    if request.replace_run and (request.extend_run or not request.output):
        raise RunError("--replace-run needs --output, and cannot go with --extend-run")
    if request.prune_replaced and not request.replace_run:
        raise RunError("--prune-replaced needs --replace-run")


def _children(collections: CollectionTable, request: CollectionRequest) -> tuple[str, ...] | None:
    """Return what the output chain has now, or None if it does not exist."""
    if not request.output:
        return None
    found = collections.find([request.output]).get(request.output)
    if found is None:
        return None
    if found.type is not CollectionType.CHAINED:
        raise CollectionTypeError(
            f"the output {request.output!r} is a {found.type} collection; -o takes a CHAINED "
            "one, and "
            "--output-run a RUN"
        )
    return found.children


def _first_run(
    collections: CollectionTable, request: CollectionRequest, children: tuple[str, ...] | None
) -> str:
    if not children:
        raise RunError(f"the output {request.output!r} has no run yet")
    first = collections.get(children[0])
    if first.type is not CollectionType.RUN:
        raise RunError(
            f"the first collection in {request.output!r} is {first.name!r}, a {first.type}, not "
            "a RUN"
        )
    return first.name


def _run_name(
    collections: CollectionTable, request: CollectionRequest, children: tuple[str, ...] | None
) -> str:
    if request.output_run:
        return request.output_run
    if request.extend_run:
        return _first_run(collections, request, children)
    return f"{request.output}/{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}"


def _with_inputs(
    collections: CollectionTable,
    request: CollectionRequest,
    tail: list[str],
    inputs: Sequence[str],
    *,
    is_new: bool,
) -> list[str]:
    """Return what a chain has behind its run, with the inputs given.

    Earlier inputs stay behind those that take their place, so that what was
    made of them can still be looked up.
    """
    flat = [c.name for c in collections.flatten(inputs)]
    known = [c.name for c in collections.flatten(tail)] if tail else []
    starts = range(len(known) - len(flat) + 1)
    if is_new or any(known[start : start + len(flat)] == flat for start in starts):
        return tail or flat
    if not request.rebase:
        raise RunError(
            f"{request.output!r} exists with other inputs ({', '.join(known)}) than those given "
            f"({', '.join(flat)}); leave -i out, or use --rebase"
        )
    own = [name for name in tail if name.startswith(f"{request.output}/")]
    return list(dict.fromkeys([*own, *flat, *tail]))


def make_collections(
    repository: Repository, plan: CollectionPlan, prune: str | None = None
) -> None:
    """Make the run, and the chain with the run first.

    Parameters
    ----------
    prune
        What becomes of a replaced run: ``unstore``, ``purge``, or None to keep it.
    """
    collections = repository.registry.collections
    with repository.transaction():
        collections.register(plan.run, CollectionType.RUN)
        if plan.chain is not None:
            collections.register(plan.chain, CollectionType.CHAINED)
            collections.set_chain(
                plan.chain, [plan.run, *(c for c in plan.chain_tail if c != plan.run)]
            )
        if plan.replaced is not None and prune is not None:
            _prune(repository, plan.replaced, prune)


def _prune(repository: Repository, name: str, how: str) -> None:
    from butler_core.butler.butler import Butler
    from butler_core.repository.removal import remove_runs

    if how == "purge":
        remove_runs(repository, [name])
        return
    butler = Butler(repository)
    registry = repository.registry
    run = registry.collections.get(name)
    for dataset_type in registry.datasets.in_run(run):
        unstore_datasets(repository, butler.query_datasets(dataset_type, [name]))


def clobber(repository: Repository, graph: QuantumGraph, *, only_logs: bool = False) -> int:
    """Remove what the run has already of what a graph will write; return how many datasets went.

    Parameters
    ----------
    only_logs
        Whether to remove nothing but the logs that failed quanta left behind.
    """
    from butler_core.butler.butler import Butler

    butler = Butler(repository)
    removed = 0
    logs = {
        row.dataset_type for task in graph.tasks for row in task.connections if row.role == "log"
    }
    for number, dataset_type in enumerate(graph.dataset_types):
        if only_logs and dataset_type.name not in logs:
            continue
        if repository.registry.dataset_types.find(dataset_type.name) is None:
            continue
        names = dataset_type.dimensions.required
        columns = ", ".join(f'i."{name}"' for name in names) or "1"
        wanted = set(
            graph.fetch(
                f"SELECT {columns} FROM dataset d JOIN data_id i USING (data_id) "  # noqa: S608 - dimension names
                f"WHERE d.dataset_type = {number} AND d.run IS NULL"
            )
        )
        if wanted:
            found = butler.query_datasets(dataset_type, [graph.output_run])
            refs = [r for r in found if (r.data_id.values_required or (1,)) in wanted]
            removed += purge_datasets(repository, refs)
    return removed
