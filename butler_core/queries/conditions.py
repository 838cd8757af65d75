"""Turns an expression tree into an SQL condition with bound values only.

Asks a `Scope` what names stand for; knows no table itself.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import sqlalchemy as sa

from butler_core.errors import ExpressionTypeError, UnknownNameError
from butler_core.queries import expression_tree as tree
from butler_core.queries.dialect_expressions import GlobMatch, Quotient, Remainder
from butler_core.queries.expression_print import format_expression
from butler_core.timespan import MAX_NS, MIN_NS, Timespan

#: What two sides of a comparison may be: values of one kind only.
_KINDS = {
    "int": "number",
    "float": "number",
    "text": "text",
    "bool": "truth",
    "time": "time",
    "id": "id",
}


@dataclass(frozen=True, slots=True)
class Term:
    """A value in SQL, and what kind of value it is."""

    #: ``int``, ``float``, ``text``, ``bool``, ``time``, ``id``, ``null``, ``timespan``,
    #: ``region`` (a constant), or ``regions`` (a column).
    kind: str
    #: An SQL expression; a (begin, end) pair for a timespan; a Region or an element for regions.
    value: Any


class Scope(Protocol):
    """What the names of an expression stand for in one query."""

    def column(self, name: tree.Name) -> Term:
        """Return what a name stands for."""
        ...

    def overlap(self, element: Any, region: Any) -> sa.ColumnElement[bool]:
        """Return the condition that an element's region overlaps a constant one."""
        ...


class ConditionWriter:
    """Writes the condition of one expression.

    Parameters
    ----------
    scope
        Knows the names.
    bind
        Values of ``:name`` and of bare names.
    """

    def __init__(self, scope: Scope, bind: Mapping[str, Any]) -> None:
        self._scope = scope
        self._bind = bind

    def condition(self, node: tree.Node) -> sa.ColumnElement[bool]:
        """Return a tree as a condition.

        Raises
        ------
        ExpressionTypeError
            If an operator's operands cannot go together.
        UnknownNameError
            If a name stands for nothing.
        """
        match node:
            case tree.And(operands):
                return sa.and_(*(self.condition(part) for part in operands))
            case tree.Or(operands):
                return sa.or_(*(self.condition(part) for part in operands))
            case tree.Not(operand):
                return sa.not_(self.condition(operand))
            case tree.Comparison(op, left, right):
                return self._compare(node, op, self.term(left), self.term(right))
            case tree.In():
                return self._in(node)
            case tree.IsNull(operand, negated):
                return self._is_null(node, self.term(operand), negated=negated)
            case tree.Overlaps(left, right):
                return self._overlaps(node, self.term(left), self.term(right))
            case tree.Call("GLOB", (column, pattern)):
                return self._glob(node, self.term(column), pattern)
            case tree.Literal(bool() as value):
                return sa.true() if value else sa.false()
        term = self.term(node)
        if term.kind != "bool":
            raise self._fault(node, f"is {_a(term)}, where something true or false is needed")
        return sa.cast(term.value, sa.Boolean) == sa.true()

    # ------------------------------------------------------------------ terms
    def term(self, node: tree.Node) -> Term:
        """Return a tree as a value."""
        match node:
            case tree.Literal(value):
                return _constant(value)
            case tree.TimeLiteral(_, ns):
                return Term("time", sa.literal(ns, sa.BigInteger))
            case tree.TimespanLiteral(begin, end):
                return Term("timespan", (self._bound(begin, MIN_NS), self._bound(end, MAX_NS)))
            case tree.Name(parts) if len(parts) == 1 and parts[0] in self._bind:
                return _constant(self._bind[parts[0]])
            case tree.Name():
                return self._scope.column(node)
            case tree.Bind(name):
                return _constant(self._bound_value(name))
            case tree.Unary(op, operand):
                term = self._number(node, self.term(operand))
                return Term(term.kind, -term.value if op == "-" else term.value)
            case tree.Binary(op, left, right):
                return self._arithmetic(node, op, self.term(left), self.term(right))
            case tree.Call(function, args):
                return Term("region", _shape(function, [self._plain(arg) for arg in args], node))
        raise self._fault(node, "is a condition, where a value is needed")

    def _bound_value(self, name: str) -> Any:
        try:
            return self._bind[name]
        except KeyError:
            known = ", ".join(map(repr, self._bind)) or "none"
            raise UnknownNameError(f"no value is bound to {name!r}; bound: {known}") from None

    def _bound(self, node: tree.Node, unbounded_ns: int) -> Any:
        term = self.term(node)
        if term.kind == "null":
            return sa.literal(unbounded_ns, sa.BigInteger)
        if term.kind != "time":
            raise self._fault(node, f"is {_a(term)}, where a time is needed: T'2021-07-07T00:00'")
        return term.value

    def _plain(self, node: tree.Node) -> Any:
        """Return the Python value of a function's argument, which must be a constant."""
        match node:
            case tree.Literal(value):
                return value
            case tree.Bind(name):
                return self._bound_value(name)
            case tree.Name((name,)) if name in self._bind:
                return self._bind[name]
            case tree.Unary("-", operand):
                return -self._plain(operand)
        raise self._fault(node, "must be a number or a bound value here")

    def _number(self, node: tree.Node, term: Term) -> Term:
        if term.kind not in ("int", "float"):
            raise self._fault(node, f"does arithmetic with {_a(term)}")
        return term

    def _arithmetic(self, node: tree.Node, op: str, left: Term, right: Term) -> Term:
        self._number(node, left)
        self._number(node, right)
        kind = "int" if left.kind == right.kind == "int" else "float"
        match op:
            case "+":
                value = left.value + right.value
            case "-":
                value = left.value - right.value
            case "*":
                value = left.value * right.value
            case "/":  # of integers, too, a fraction, as in the peers of this language
                kind, value = "float", Quotient(left.value, right.value)
            case _:
                value = Remainder(left.value, right.value)
        return Term(kind, value)

    # ------------------------------------------------------------- conditions
    def _compare(self, node: tree.Node, op: str, left: Term, right: Term) -> sa.ColumnElement[bool]:
        left, right = _as_times(left, right)
        if left.kind == right.kind == "timespan":
            return self._compare_spans(node, op, left, right)
        if left.kind not in _KINDS or _KINDS[left.kind] != _KINDS.get(right.kind):
            raise self._fault(node, f"compares {_a(left)} with {_a(right)}")
        compared: sa.ColumnElement[bool] = {
            "=": left.value == right.value,
            "!=": left.value != right.value,
            "<": left.value < right.value,
            "<=": left.value <= right.value,
            ">": left.value > right.value,
            ">=": left.value >= right.value,
        }[op]
        return compared

    def _compare_spans(
        self, node: tree.Node, op: str, left: Term, right: Term
    ) -> sa.ColumnElement[bool]:
        (begin, end), (other_begin, other_end) = left.value, right.value
        same = sa.and_(begin == other_begin, end == other_end)
        if op in ("=", "!="):
            return same if op == "=" else sa.not_(same)
        if op == "<":
            return sa.and_(end <= other_begin, begin < other_end)
        if op == ">":
            return sa.and_(other_end <= begin, other_begin < end)
        raise self._fault(node, f"uses {op!r} with timespans, which know =, !=, <, > and OVERLAPS")

    def _in(self, node: tree.In) -> sa.ColumnElement[bool]:
        member = self.term(node.member)
        values, ranges = self._members(node, member)
        conditions = [member.value.in_(values)] if values else []
        conditions += [_in_range(member.value, item) for item in ranges]
        condition = sa.or_(sa.false(), *conditions)  # among none, if bound to an empty list
        return sa.not_(condition) if node.negated else condition

    def _members(self, node: tree.In, member: Term) -> tuple[list[Any], list[tree.Range]]:
        values: list[Any] = []
        ranges: list[tree.Range] = []
        for item in node.items:
            if isinstance(item, tree.Range):
                ranges.append(item)
                continue
            for term in self._unpacked(item):
                if _KINDS.get(term.kind) != _KINDS.get(member.kind):
                    raise self._fault(node, f"looks for {_a(member)} among {_word(term)}s")
                values.append(term.value)
        if ranges and member.kind != "int":
            raise self._fault(node, f"looks for {_a(member)} in a range of integers")
        return values, ranges

    def _unpacked(self, item: tree.Node) -> Iterable[Term]:
        """Give the terms of an item, several if it is bound to a list."""
        name = item.name if isinstance(item, tree.Bind) else None
        if isinstance(item, tree.Name) and len(item.parts) == 1:
            name = item.parts[0]
        value = self._bind.get(name) if name else None
        if value is None or isinstance(value, str | bytes) or not _is_collection(value):
            yield self.term(item)
            return
        for one in value:
            yield _constant(one)

    def _is_null(self, node: tree.Node, term: Term, *, negated: bool) -> sa.ColumnElement[bool]:
        if term.kind == "regions":
            raise self._fault(node, "asks whether a region is missing, which is not supported")
        value = term.value[0] if term.kind == "timespan" else term.value
        condition: sa.ColumnElement[bool] = value.is_not(None) if negated else value.is_(None)
        return condition

    def _overlaps(self, node: tree.Node, left: Term, right: Term) -> sa.ColumnElement[bool]:
        left, right = _as_spans(left), _as_spans(right)
        if left.kind == right.kind == "timespan":
            (begin, end), (other_begin, other_end) = left.value, right.value
            return sa.and_(begin < other_end, other_begin < end)
        if left.kind == "regions" and right.kind == "region":
            return self._scope.overlap(left.value, right.value)
        if left.kind == "region" and right.kind == "regions":
            return self._scope.overlap(right.value, left.value)
        raise self._fault(node, f"overlaps {_a(left)} with {_a(right)}")

    def _glob(self, node: tree.Node, column: Term, pattern: tree.Node) -> sa.ColumnElement[bool]:
        text = self._plain(pattern)
        if column.kind != "text" or not isinstance(text, str):
            raise self._fault(node, "matches something that is no text")
        return GlobMatch(column.value, text)

    def _fault(self, node: tree.Node, what: str) -> ExpressionTypeError:
        return ExpressionTypeError(f"{format_expression(node)!r} {what}")


def _is_collection(value: Any) -> bool:
    # Times and arrays have __iter__ whether or not there is anything to go through.
    return hasattr(value, "__iter__") and not getattr(value, "isscalar", False)


def _word(term: Term) -> str:
    words = {"id": "dataset id", "regions": "region", "int": "integer", "bool": "truth value"}
    return words.get(term.kind, term.kind)


def _a(term: Term) -> str:
    word = _word(term)
    return f"an {word}" if word[0] in "aeiou" else f"a {word}"


def _constant(value: Any) -> Term:
    """Return a Python value as a term."""
    match value:
        case None:
            return Term("null", sa.null())
        case bool():
            return Term("bool", sa.literal(value, sa.Boolean))
        case int():
            return Term("int", sa.literal(value, sa.BigInteger))
        case float():
            return Term("float", sa.literal(value, sa.Double))
        case str():
            return Term("text", sa.literal(value, sa.String))
        case uuid.UUID():
            return Term("id", value.bytes)
        case Timespan():
            return Term("timespan", tuple(sa.literal(ns, sa.BigInteger) for ns in value.nsec))
    if hasattr(value, "getBoundingCircle"):
        return Term("region", value)
    if hasattr(value, "dtype") and hasattr(value, "item"):
        return _constant(value.item())  # a number or text of numpy's
    from butler_core.timespan import time_to_ns

    return Term("time", sa.literal(time_to_ns(value), sa.BigInteger))


def _as_times(left: Term, right: Term) -> tuple[Term, Term]:
    """Let a time be compared with text that is an ISO time."""
    from butler_core.timespan import iso_to_ns

    for one, other in ((left, right), (right, left)):
        if (
            one.kind == "time"
            and other.kind == "text"
            and isinstance(other.value, sa.BindParameter)
        ):
            time = Term("time", sa.literal(iso_to_ns(str(other.value.value)), sa.BigInteger))
            return (one, time) if one is left else (time, one)
    return left, right


def _as_spans(term: Term) -> Term:
    """Let an instant overlap a timespan."""
    return Term("timespan", (term.value, term.value + 1)) if term.kind == "time" else term


def _in_range(column: Any, item: tree.Range) -> sa.ColumnElement[bool]:
    inside = sa.and_(column >= item.start, column <= item.stop)
    if item.step == 1:
        return inside
    return sa.and_(inside, (column - item.start) % item.step == 0)


def _shape(function: str, args: list[Any], node: tree.Node) -> Any:
    from butler_core import region

    if function == "REGION":
        return region.from_ivoa_pos(args[0])
    if function == "CIRCLE":
        return region.circle(*args)
    if function == "BOX":
        return region.box(*args)
    if function == "POINT":
        return region.circle(args[0], args[1], 0.0)
    if function == "POLYGON":
        return region.polygon(list(zip(args[::2], args[1::2], strict=True)))
    raise ExpressionTypeError(f"{format_expression(node)!r} is no region")
