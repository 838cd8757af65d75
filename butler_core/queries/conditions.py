"""Turns an expression tree into an SQL condition with bound values only.

Asks a `Scope` what names stand for; knows no table itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Protocol

import sqlalchemy as sa

from butler_core.errors import ExpressionTypeError, UnknownNameError
from butler_core.queries import expression_tree as tree
from butler_core.queries.dialect_expressions import GlobMatch, Quotient, Remainder
from butler_core.queries.expression_print import format_expression
from butler_core.queries.terms import (
    Term,
    as_span,
    as_times,
    constant,
    is_number,
    shape,
    span_between,
)
from butler_core.timespan import MAX_NS, MIN_NS

#: What two sides of a comparison may be: values of one kind only.
_KINDS = {
    "int": "number",
    "float": "number",
    "text": "text",
    "bool": "truth",
    "time": "time",
    "id": "id",
}


class Scope(Protocol):
    """What the names of an expression stand for in one query."""

    def column(self, name: tree.Name) -> Term:
        """Return what a name stands for."""
        ...

    def overlap(self, element: Any, region: Any) -> sa.ColumnElement[bool]:
        """Return the condition that an element's region overlaps a constant one."""
        ...

    def stored_region(self, element: Any) -> sa.ColumnElement[Any]:
        """Return the column of an element's encoded regions."""
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
            raise self._fault(node, f"is {term.word}, where something true or false is needed")
        return sa.cast(term.value, sa.Boolean) == sa.true()

    # ------------------------------------------------------------------ terms
    def term(self, node: tree.Node) -> Term:
        """Return a tree as a value."""
        match node:
            case tree.Literal(value):
                return constant(value)
            case tree.TimeLiteral(_, ns):
                return Term("time", sa.literal(ns, sa.BigInteger))
            case tree.TimespanLiteral(begin, end):
                return span_between(self._bound(begin, MIN_NS), self._bound(end, MAX_NS))
            case tree.Name() if str(node) in self._bind:
                return constant(self._bind[str(node)])
            case tree.Name():
                return self._scope.column(node)
            case tree.Bind(name):
                return constant(self._bound_value(name))
            case tree.Unary(op, operand):
                term = self._number(node, self.term(operand))
                return Term(term.kind, -term.value if op == "-" else term.value)
            case tree.Binary(op, left, right):
                return self._arithmetic(node, op, self.term(left), self.term(right))
            case tree.Call(function, args):
                return Term("region", self._shape(node, function, args))
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
            raise self._fault(node, f"is {term.word}, where a time is needed: T'2021-07-07T00:00'")
        return term.value

    def _plain(self, node: tree.Node) -> Any:
        """Return the Python value of a function's argument, which must be a constant."""
        match node:
            case tree.Literal(value):
                return value
            case tree.Bind(name):
                return self._bound_value(name)
            case tree.Name() if str(node) in self._bind:
                return self._bind[str(node)]
            case tree.Unary("-", operand) if is_number(value := self._plain(operand)):
                return -value
        raise self._fault(node, "must be a number or a bound value here")

    def _shape(self, node: tree.Node, function: str, args: tuple[tree.Node, ...]) -> Any:
        values = [self._plain(arg) for arg in args]
        if function == "REGION":
            if not isinstance(values[0], str):
                raise self._fault(node, f"takes text, not {values[0]!r}")
        elif not all(is_number(value) for value in values):
            raise self._fault(node, f"takes numbers, not {', '.join(map(repr, values))}")
        return shape(function, values)

    def _number(self, node: tree.Node, term: Term) -> Term:
        if term.kind not in ("int", "float"):
            raise self._fault(node, f"does arithmetic with {term.word}")
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
                kind, value = "int", Remainder(left.value, right.value)
        return Term(kind, value)

    # ------------------------------------------------------------- conditions
    def _compare(self, node: tree.Node, op: str, left: Term, right: Term) -> sa.ColumnElement[bool]:
        left, right = as_times(left, right)
        if left.kind == right.kind == "timespan":
            return self._compare_spans(node, op, left, right)
        if left.kind not in _KINDS or _KINDS[left.kind] != _KINDS.get(right.kind):
            raise self._fault(node, f"compares {left.word} with {right.word}")
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
        if member.kind not in _KINDS:
            raise self._fault(node, f"looks for {member.word} among values")
        values, ranges, has_null = self._members(node, member)
        conditions = [member.value.in_(values)] if values else []
        conditions += [_in_range(member.value, item) for item in ranges]
        conditions += [member.value.is_(None)] if has_null else []
        condition = sa.or_(sa.false(), *conditions)  # among none, if bound to an empty list
        return sa.not_(condition) if node.negated else condition

    def _members(self, node: tree.In, member: Term) -> tuple[list[Any], list[tree.Range], bool]:
        """Return the single values, the ranges, and whether NULL is among them."""
        values: list[Any] = []
        ranges: list[tree.Range] = []
        has_null = False
        for item in node.items:
            if isinstance(item, tree.Range):
                ranges.append(item)
                continue
            for term in self._unpacked(item):
                has_null = has_null or term.kind == "null"
                if term.kind == "null":
                    continue
                if _KINDS.get(term.kind) != _KINDS.get(member.kind):
                    raise self._fault(
                        node, f"looks for {member.word} among {term.word.partition(' ')[2]}s"
                    )
                values.append(term.value)
        if ranges and member.kind != "int":
            raise self._fault(node, f"looks for {member.word} in a range of integers")
        return values, ranges, has_null

    def _unpacked(self, item: tree.Node) -> Iterable[Term]:
        """Give the terms of an item, several if it is bound to a list."""
        name = item.name if isinstance(item, tree.Bind) else str(item)
        is_named = isinstance(item, tree.Bind | tree.Name)
        value = self._bind.get(name) if is_named else None
        if value is None or isinstance(value, str | bytes) or not _is_collection(value):
            yield self.term(item)
            return
        for one in value:
            yield constant(one)

    def _is_null(self, node: tree.Node, term: Term, *, negated: bool) -> sa.ColumnElement[bool]:
        if term.kind == "region":
            raise self._fault(node, "asks whether a shape is missing")
        value = term.value[0] if term.kind == "timespan" else term.value
        if term.kind == "regions":
            value = self._scope.stored_region(term.value)
        condition: sa.ColumnElement[bool] = value.is_not(None) if negated else value.is_(None)
        return condition

    def _overlaps(self, node: tree.Node, left: Term, right: Term) -> sa.ColumnElement[bool]:
        left, right = as_span(left), as_span(right)
        if left.kind == right.kind == "timespan":
            (begin, end), (other_begin, other_end) = left.value, right.value
            return sa.and_(begin < other_end, other_begin < end)
        if left.kind == "regions" and right.kind == "region":
            return self._scope.overlap(left.value, right.value)
        if left.kind == "region" and right.kind == "regions":
            return self._scope.overlap(right.value, left.value)
        raise self._fault(node, f"overlaps {left.word} with {right.word}")

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


def _in_range(column: Any, item: tree.Range) -> sa.ColumnElement[bool]:
    inside = sa.and_(column >= item.start, column <= item.stop)
    if item.step == 1:
        return inside
    return sa.and_(inside, (column - item.start) % item.step == 0)
