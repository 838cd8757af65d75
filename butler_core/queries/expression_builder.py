"""What lark finds in a ``where`` text, made into tree nodes.

Each method of `TreeBuilder` is called by the parser with what one rule of
``expression.lark`` matched. What the grammar cannot say (arguments of
functions, times, sizes of numbers) is checked here. Finds nothing in the text
itself.
"""

from __future__ import annotations

import math
import uuid
from typing import Final

from lark import Token, Transformer, v_args

from butler_core.errors import near_misses
from butler_core.queries.expression_times import decode_time
from butler_core.queries.expression_tree import (
    TRUE,
    And,
    Binary,
    Bind,
    Call,
    Comparison,
    In,
    IsNull,
    Literal,
    Name,
    Node,
    Not,
    Or,
    Overlaps,
    Range,
    TimeLiteral,
    TimespanLiteral,
    Unary,
)

_NULL: Final = Literal(None)
_MAX_INTEGER = 2**63 - 1
_MAX_NAME_PARTS = 3

#: What each function takes, for messages.
_SIGNATURES: Final = {
    "POINT": "POINT(ra, dec)",
    "CIRCLE": "CIRCLE(ra, dec, radius)",
    "BOX": "BOX(ra, dec, width, height)",
    "POLYGON": "POLYGON(ra1, dec1, ra2, dec2, ra3, dec3, ...)",
    "REGION": "REGION('CIRCLE ra dec radius')",
    "GLOB": "GLOB(column, 'pattern')",
    "UUID": "UUID('01234567-89ab-cdef-0123-456789abcdef')",
}
_ARITIES: Final = {"POINT": 2, "CIRCLE": 3, "BOX": 4, "REGION": 1, "GLOB": 2, "UUID": 1}
_ANGLE_FUNCTIONS: Final = frozenset({"POINT", "CIRCLE", "BOX", "POLYGON"})


class MisplacedError(Exception):
    """Something the grammar allows makes no sense; turned into a syntax error with a caret."""

    def __init__(self, position: int, message: str) -> None:
        super().__init__(message)
        self.position = position
        self.message = message


@v_args(inline=True)
class TreeBuilder(Transformer[Token, Node]):
    """One method for each alias and rule of the grammar."""

    def nothing(self) -> Node:
        """Read blank text, which everything satisfies."""
        return TRUE

    def or_(self, *operands: Node) -> Node:
        """Read ``a OR b``."""
        return Or(operands)

    def and_(self, *operands: Node) -> Node:
        """Read ``a AND b``."""
        return And(operands)

    def not_(self, operand: Node) -> Node:
        """Read ``NOT a``."""
        return Not(operand)

    def compare(self, left: Node, operator: Token, right: Node) -> Node:
        """Read ``a < b``; with NULL, whether the other is missing."""
        op = "=" if operator == "==" else str(operator)
        if _NULL not in (left, right):
            return Comparison(op, left, right)
        if op not in {"=", "!="}:
            raise MisplacedError(
                _place(operator), "nothing is less or more than NULL; write IS NULL"
            )
        return IsNull(left if right == _NULL else right, negated=op == "!=")

    def overlaps(self, left: Node, right: Node) -> Node:
        """Read ``a OVERLAPS b``."""
        return Overlaps(left, right)

    def in_(self, member: Node, items: tuple[Node, ...]) -> Node:
        """Read ``a IN (...)``."""
        return In(member, items)

    def not_in(self, member: Node, items: tuple[Node, ...]) -> Node:
        """Read ``a NOT IN (...)``."""
        return In(member, items, negated=True)

    def is_null(self, operand: Node) -> Node:
        """Read ``a IS NULL``."""
        return IsNull(operand)

    def is_not_null(self, operand: Node) -> Node:
        """Read ``a IS NOT NULL``."""
        return IsNull(operand, negated=True)

    def binary(self, left: Node, operator: Token, right: Node) -> Node:
        """Read ``a + b``."""
        return Binary(str(operator), left, right)

    def sign(self, operator: Token, operand: Node) -> Node:
        """Read ``-a``; a number takes its sign in."""
        if not (isinstance(operand, Literal) and type(operand.value) in (int, float)):
            return Unary(str(operator), operand)
        assert isinstance(operand.value, int | float)
        return Literal(-operand.value) if operator == "-" else operand

    def signed_number(self, operator: Token, digits: Token) -> Node:
        """Read ``-1`` among the values of IN."""
        return self.sign(operator, self.number(digits))

    def timespan(self, bracket: Token, begin: Node, end: Node) -> Node:
        """Read ``(begin, end)``."""
        for bound in (begin, end):
            if isinstance(bound, Literal) and isinstance(bound.value, str):
                raise MisplacedError(
                    _place(bracket),
                    f"a time is written with a T before its quotes: T{bound.value!r}",
                )
            if not (isinstance(bound, TimeLiteral | Bind | Name) or bound == _NULL):
                raise MisplacedError(
                    _place(bracket),
                    "two values in brackets are a timespan, and each is a time T'...', a bound "
                    "value or NULL",
                )
        return TimespanLiteral(begin, end)

    def items(self, *items: Node) -> tuple[Node, ...]:
        """Read the values of IN."""
        return items

    def range_(self, text: Token) -> Node:
        """Read ``1..10:3``."""
        bounds, _, step = text.partition(":")
        start, stop = (self._integer(text, part) for part in bounds.split(".."))
        if start > stop:
            raise MisplacedError(
                _place(text), f"the range is empty; write {stop}..{start}, the lower end first"
            )
        step_size = self._integer(text, step) if step else 1
        if step_size < 1:
            raise MisplacedError(_place(text), "the step of a range is 1 or more")
        return Range(start, stop, step_size)

    def call(self, function: Token, *args: Node) -> Node:
        """Read ``FUNCTION(...)``."""
        name = function.upper()
        if name not in _SIGNATURES:
            near = near_misses(name, _SIGNATURES) or f" There are {', '.join(_SIGNATURES)}."
            raise MisplacedError(_place(function), f"there is no function {str(function)!r}.{near}")
        if not _has_right_arguments(name, args):
            raise MisplacedError(_place(function), f"write {_SIGNATURES[name]}")
        if name != "UUID":
            return Call(name, args)
        (text,) = args
        assert isinstance(text, Literal)
        try:
            return Literal(uuid.UUID(str(text.value)))
        except ValueError as error:
            raise MisplacedError(_place(function), f"{text.value!r} is no UUID") from error

    def name(self, text: Token) -> Node:
        """Read ``visit.timespan.begin``."""
        parts = tuple(text.split("."))
        if len(parts) > _MAX_NAME_PARTS:
            raise MisplacedError(
                _place(text), "a name has three parts at most, as in visit.timespan.begin"
            )
        return Name(parts)

    def bind(self, text: Token) -> Node:
        """Read ``:name``."""
        return Bind(text[1:])

    def number(self, text: Token) -> Node:
        """Read ``1`` or ``1.5e3``."""
        if text.isdecimal():
            return Literal(self._integer(text, text))
        value = float(text)
        if not math.isfinite(value):
            raise MisplacedError(_place(text), "the number is too large")
        return Literal(value)

    def string(self, text: Token) -> Node:
        """Read ``'text'``, in which a quote is written twice."""
        return Literal(text[1:-1].replace("''", "'"))

    def time(self, text: Token) -> Node:
        """Read ``T'...'``."""
        inside = text[2:-1]
        try:
            return TimeLiteral(inside, decode_time(inside))
        except ValueError as error:
            raise MisplacedError(_place(text), str(error)) from error

    def true(self) -> Node:
        """Read ``TRUE``."""
        return TRUE

    def false(self) -> Node:
        """Read ``FALSE``."""
        return Literal(value=False)

    def null(self) -> Node:
        """Read ``NULL``."""
        return _NULL

    def _integer(self, token: Token, digits: str) -> int:
        # Python refuses to read thousands of digits; no 64-bit integer has more than 19.
        if len(digits.strip().lstrip("-0")) > 19 or abs(int(digits)) > _MAX_INTEGER:
            raise MisplacedError(_place(token), "the number does not fit into 64 bits")
        return int(digits)


def _has_right_arguments(function: str, args: tuple[Node, ...]) -> bool:
    if function == "POLYGON":
        return len(args) >= 6 and len(args) % 2 == 0 and _are_numeric(args)
    if len(args) != _ARITIES[function]:
        return False
    if function in _ANGLE_FUNCTIONS:
        return _are_numeric(args)
    if function == "GLOB":
        return isinstance(args[0], Name) and (isinstance(args[1], Bind) or _is_text(args[1]))
    return _is_text(args[0]) or (function == "REGION" and isinstance(args[0], Bind | Name))


def _are_numeric(args: tuple[Node, ...]) -> bool:
    return all(
        isinstance(arg, Unary | Binary | Bind | Name)
        or (isinstance(arg, Literal) and type(arg.value) in (int, float))
        for arg in args
    )


def _is_text(node: Node) -> bool:
    return isinstance(node, Literal) and isinstance(node.value, str)


def _place(token: Token) -> int:
    return token.start_pos or 0
