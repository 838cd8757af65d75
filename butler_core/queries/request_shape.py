"""What a request asks, apart from the numbers in it.

Requests of one shape are answered by one statement, which is compiled once.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, replace
from typing import Any

from butler_core.queries import expression_tree as tree
from butler_core.queries.expansion import implying_part
from butler_core.queries.expression import names_in
from butler_core.queries.select import QueryRequest
from butler_core.queries.terms import Parameter

_PREFIX = "number_in_text_"


@dataclass(frozen=True, slots=True)
class RequestShape:
    """A request with places for numbers, and the numbers."""

    #: Equal for requests of one shape; None if the request has what cannot be compared.
    key: Hashable | None
    request: QueryRequest
    #: Numbers by the names of their places.
    values: dict[str, Any]


def shape_of(request: QueryRequest) -> RequestShape:
    """Take the numbers out of a request: those of its data ID, and those that it compares with."""
    values: dict[str, Any] = {}
    places: dict[str, Parameter] = {}
    where = _without_numbers(request.where, values, places)
    data_id = {}
    for name, value in request.data_id.items():
        place = Parameter("int" if isinstance(value, int) else "text", f"data_id_{name}")
        data_id[name] = place
        values[place.name] = value
    shaped = replace(request, where=where, bind={**request.bind, **places}, data_id=data_id)
    key = (
        where,
        request.group,
        request.returns,
        None if request.element is None else request.element.name,
        tuple(request.bind.items()),
        tuple(data_id.values()),
        tuple(request.defaults.items()),
        tuple(
            (join.registered.key, tuple((c.key, c.type) for c in join.collections), join.find_first)
            for join in request.datasets
        ),
        request.order_by,
        request.limit,
        request.offset,
        request.fields,
        request.with_implied,
        request.is_first_row_urgent,
    )
    try:
        hash(key)
    except TypeError:
        return RequestShape(None, shaped, values)
    return RequestShape(key, shaped, values)


def is_listing(request: QueryRequest) -> bool:
    """Return whether a request is for all datasets of a search, of which many imply the same."""
    group = request.group
    return (
        request.returns == "datasets"
        and request.with_implied
        and bool(group.implied)
        and request.limit is None
        and len(request.datasets) == 1
        and not request.order_by
        and not request.fields
        and {str(name) for name in names_in(request.where)} <= set(group.governors)
        and set(request.data_id) <= set(group.governors)
        and len(implying_part(group).required) < len(group.required)
    )


def _without_numbers(
    node: tree.Node, values: dict[str, Any], places: dict[str, Parameter]
) -> tree.Node:
    match node:
        case tree.And(operands):
            return tree.And(tuple(_without_numbers(part, values, places) for part in operands))
        case tree.Or(operands):
            return tree.Or(tuple(_without_numbers(part, values, places) for part in operands))
        case tree.Not(operand):
            return tree.Not(_without_numbers(operand, values, places))
        case tree.Comparison(op, left, right):
            sides = (_place(side, values, places) for side in (left, right))
            return tree.Comparison(op, *sides)
    return node


def _place(node: tree.Node, values: dict[str, Any], places: dict[str, Parameter]) -> tree.Node:
    """Return a place for a number; anything else as it is."""
    if not isinstance(node, tree.Literal) or type(node.value) not in (int, float):
        return node
    name = f"{_PREFIX}{len(places)}"
    values[name] = node.value
    places[name] = Parameter("int" if isinstance(node.value, int) else "float", name)
    return tree.Bind(name)


def is_pinned(request: QueryRequest) -> bool:
    """Return whether a request names one value of each required dimension."""
    pinned = set(request.data_id) | set(request.defaults)
    parts = request.where.operands if isinstance(request.where, tree.And) else (request.where,)
    for part in parts:
        match part:
            case tree.Comparison("=", tree.Name((name,)), tree.Literal() | tree.Bind()):
                pinned.add(name)
    return pinned.issuperset(request.group.required)
