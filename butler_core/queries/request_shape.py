"""What a request asks, apart from the numbers in it.

Requests of one shape are answered by one statement, which is compiled once.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
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
    places = _Places(request.bind)
    where = places.without_numbers(request.where)
    values = places.values
    data_id = {}
    for name, value in request.data_id.items():
        place = Parameter("int" if isinstance(value, int) else "text", f"data_id_{name}")
        data_id[name] = place
        values[place.name] = value
    left = {name: value for name, value in request.bind.items() if name in _single_names(where)}
    bind = {**request.bind, **places.parameters}
    shaped = replace(request, where=where, bind=bind, data_id=data_id)
    key = (
        where,
        request.group,
        request.returns,
        None if request.element is None else request.element.name,
        # Python has 1 == True == 1.0; in an expression they are three things.
        tuple((name, type(value), value) for name, value in left.items()),
        tuple(data_id.values()),
        tuple(places.parameters.values()),
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
        request.constants,
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


class _Places:
    """Puts places where an expression compares with numbers, and keeps the numbers."""

    def __init__(self, bind: Mapping[str, Any]) -> None:
        self._bind = bind
        self.values: dict[str, Any] = {}
        self.parameters: dict[str, Parameter] = {}

    def without_numbers(self, node: tree.Node) -> tree.Node:
        match node:
            case tree.And(operands):
                return tree.And(tuple(map(self.without_numbers, operands)))
            case tree.Or(operands):
                return tree.Or(tuple(map(self.without_numbers, operands)))
            case tree.Not(operand):
                return tree.Not(self.without_numbers(operand))
            case tree.Comparison(op, left, right):
                return tree.Comparison(op, self._place(left), self._place(right))
        return node

    def _place(self, node: tree.Node) -> tree.Node:
        """Return a place for a number, written or bound; anything else as it is."""
        value: Any = None
        match node:
            case tree.Literal(written):
                value = written
            case tree.Bind(name) | tree.Name((name,)):
                value = self._bind.get(name)
        if type(value) not in (int, float):
            return node
        name = f"{_PREFIX}{len(self.parameters)}"
        self.values[name] = value
        self.parameters[name] = Parameter("int" if isinstance(value, int) else "float", name)
        return tree.Bind(name)


def _single_names(node: tree.Node) -> set[str]:
    """Return all names in an expression that may be those of bound values."""
    found = {name for child in node.children() for name in _single_names(child)}
    match node:
        case tree.Bind(name) | tree.Name((name,)):
            found.add(name)
    return found


def is_pinned(request: QueryRequest) -> bool:
    """Return whether a request names one value of each required dimension."""
    pinned = set(request.data_id) | set(request.defaults)
    parts = request.where.operands if isinstance(request.where, tree.And) else (request.where,)
    for part in parts:
        match part:
            case tree.Comparison("=", tree.Name((name,)), tree.Literal() | tree.Bind()):
                pinned.add(name)
    return pinned.issuperset(request.group.required)
