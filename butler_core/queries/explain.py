"""Says why a query has no answer: which of its conditions left nothing.

Asks further questions of the same registry; changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from butler_core.dimensions.group import DimensionGroup
from butler_core.queries import expression_tree as tree
from butler_core.queries.expression import parse
from butler_core.queries.expression_print import format_expression
from butler_core.queries.query import Query
from butler_core.registry.registry import Registry

#: Rows are counted no further than this: that there are many is all one needs to know.
_ENOUGH = 10_000

_MAKERS = {
    "instrument": "`butler register-instrument` makes them",
    "physical_filter": "`butler register-instrument` makes them",
    "detector": "`butler register-instrument` makes them",
    "exposure": "`butler ingest-raws` makes them",
    "visit": "`butler define-visits` makes them",
    "skymap": "`butler register-skymap` makes them",
    "tract": "`butler register-skymap` makes them",
    "patch": "`butler register-skymap` makes them",
}


@dataclass(frozen=True, slots=True)
class EmptyQuestion:
    """A query that had no answer."""

    #: Dimensions of the rows asked for.
    dimensions: Sequence[str]
    where: str = ""
    bind: Mapping[str, Any] = field(default_factory=dict)
    #: Dataset types that rows must have a dataset of, and the collections searched for each.
    datasets: Sequence[tuple[str, Sequence[str]]] = ()


def explain_empty(registry: Registry, question: EmptyQuestion) -> list[str]:
    """Return sentences that say what left nothing, the likeliest cause alone if there is one.

    Looked at in turn: collections without such datasets, dimensions without
    records, and the conditions that AND joins in ``where``, each left out once.
    """
    for finding in (_datasets_absent, _records_absent, _conditions):
        if sentences := finding(registry, question):
            return sentences
    return [
        "nothing in the repository fits together over these dimensions, whatever the conditions"
    ]


def _datasets_absent(registry: Registry, question: EmptyQuestion) -> list[str]:
    sentences = []
    for name, collections in question.datasets:
        registered = registry.dataset_types.get(name)
        searched = registry.collections.flatten(collections)
        if registry.datasets.holds(registered, searched):
            continue
        others = registry.datasets.holds(registered, registry.collections.all())
        where = _listed(collections)
        has = (
            f"there are some in {_listed(sorted(others))}"
            if others
            else "nor does any other collection"
        )
        verb = "hold" if len(collections) > 1 else "holds"
        sentences.append(f"{where} {verb} no {name!r}; {has}")
    return sentences


def _records_absent(registry: Registry, question: EmptyQuestion) -> list[str]:
    sentences = []
    for name in _group(registry, question).names:
        element = registry.universe[name]
        if not element.has_table or element.view_of:
            continue
        table = registry.schema.elements[name]
        if (
            registry.database.fetch_scalar(sa.select(sa.literal(1)).select_from(table).limit(1))
            is None
        ):
            hint = f"; {_MAKERS[name]}" if name in _MAKERS else ""
            sentences.append(f"the repository has no {name!r} records{hint}")
    return sentences


def _conditions(registry: Registry, question: EmptyQuestion) -> list[str]:
    parts = conjuncts(question.where)
    guilty = []
    for i, part in enumerate(parts):
        count = _count(registry, question, [*parts[:i], *parts[i + 1 :]])
        if count:
            guilty.append(f"without the condition `{part}` there would be {_counted(count)}")
    if guilty or not parts or not (total := _count(registry, question, [])):
        return guilty
    alone = ", ".join(
        f"`{part}` leaves {_counted(_count(registry, question, [part]))}" for part in parts
    )
    return [f"no single condition is the cause: of {_counted(total)} in all, alone, {alone}"]


def conjuncts(where: str) -> list[str]:
    """Return the parts of an expression that AND joins, as text; none for a blank one."""
    return [format_expression(part) for part in _parts(parse(where))]


def _parts(node: tree.Node) -> list[tree.Node]:
    if node == tree.TRUE:
        return []
    if isinstance(node, tree.And):
        return [part for child in node.children() for part in _parts(child)]
    return [node]


def _count(registry: Registry, question: EmptyQuestion, parts: Sequence[str]) -> int:
    query = Query(registry)
    for name, collections in question.datasets:
        query = query.join_dataset_search(name, collections, find_first=False)
    for part in parts:
        query = query.where(part, bind=question.bind)
    return query.limit(_ENOUGH).count(question.dimensions)


def _counted(count: int) -> str:
    return f"{count} or more" if count >= _ENOUGH else str(count)


def _group(registry: Registry, question: EmptyQuestion) -> DimensionGroup:
    return registry.universe.conform(question.dimensions)


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(map(repr, names[:5]))
    return f"{shown} and {len(names) - 5} more" if len(names) > 5 else shown
