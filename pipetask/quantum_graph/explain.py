"""Says why a graph came out empty."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from butler_core.datasets.collection import Collection
from butler_core.datasets.dataset_type import DatasetType
from butler_core.queries.join_plan import JoinPlan
from butler_core.queries.select import DatasetJoin, QueryRequest, prepared
from butler_core.registry.registry import Registry
from pipetask.errors import EmptyGraphError
from pipetask.quantum_graph.where import Condition
from pipetask.quantum_graph.workspace import Workspace


@dataclass(frozen=True)
class EmptyJoin:
    """A join that gave no rows, with all that went into it."""

    workspace: Workspace
    registry: Registry
    inputs: Sequence[DatasetType]
    plan: JoinPlan
    condition: Condition
    collections: Sequence[Collection]


def explain_empty_join(join: EmptyJoin) -> EmptyGraphError:
    """Return the error that names what left no data ID."""
    reasons = _empty_inputs(join) or _empty_elements(join) or _guilty_conditions(join)
    if not reasons:
        reason = (
            "each input and each condition leaves something, but nothing fulfils all at once: the "
            "inputs' data IDs do not meet"
        )
        if join.plan.spatial:
            pairs = ", ".join(f"{a.name} and {b.name}" for a, b in join.plan.spatial)
            reason += f" (regions of {pairs} must overlap)"
        reasons = [reason]
    return EmptyGraphError("the graph has no quanta: " + "; ".join(reasons))


def _empty_inputs(join: EmptyJoin) -> list[str]:
    reasons = []
    where = ", ".join(repr(c.name) for c in join.collections[:6]) or "no collections"
    for dataset_type in join.inputs:
        if join.workspace.count(f"found_{dataset_type.name}"):
            continue
        registered = join.registry.dataset_types.find(dataset_type.name)
        if registered is None:
            reasons.append(f"its input {dataset_type.name!r} is not a registered dataset type")
            continue
        held = join.registry.datasets.holds(registered, join.collections)
        if not held:
            reasons.append(f"there is no {dataset_type.name!r} in {where}")
            continue
        total = _count(join, dataset_type)
        shown = join.condition.text_within(dataset_type.dimensions)
        reasons.append(
            f"of {total} {dataset_type.name!r} in {', '.join(map(repr, sorted(held)))}, none "
            "fulfils "
            f"{shown}"
        )
    return reasons


def _count(join: EmptyJoin, dataset_type: DatasetType) -> int:
    """Return how many datasets there are without the condition."""
    registered = join.registry.dataset_types.get(dataset_type.name)
    request = QueryRequest(
        dataset_type.dimensions,
        returns="datasets",
        datasets=(DatasetJoin(registered, tuple(join.collections)),),
        with_implied=False,
    )
    with prepared(join.registry, request) as select:
        return len(join.registry.database.fetch_rows(select))


def _empty_elements(join: EmptyJoin) -> list[str]:
    reasons = []
    for element in join.plan.elements:
        if join.workspace.count(f"element_{element.name}"):
            continue
        total = len(join.registry.records.fetch(element.name)[element.key_columns[0]])
        if total:
            shown = join.condition.text_within(join.registry.universe.conform(element.required))
            reasons.append(f"of {total} {element.name} records, none fulfils {shown}")
        elif element.name.startswith("visit"):
            reasons.append(
                f"there are no {element.name} records; `butler define-visits` makes them of "
                "exposures"
            )
        elif element.name in ("tract", "patch", "skymap"):
            reasons.append(
                f"there are no {element.name} records; `butler register-skymap` makes them"
            )
        else:
            reasons.append(f"there are no {element.name} records")
    return reasons


def _guilty_conditions(join: EmptyJoin) -> list[str]:
    """Return the conditions that no data ID over their own dimensions fulfils."""
    reasons = []
    for conjunct in join.condition.conjuncts:
        request = QueryRequest(
            conjunct.dimensions,
            where=conjunct.node,
            bind=join.condition.bind,
            limit=1,
            with_implied=False,
        )
        with prepared(join.registry, request) as select:
            if not join.registry.database.fetch_rows(select):
                reasons.append(f"nothing in the repository fulfils {conjunct.text}")
    return reasons
