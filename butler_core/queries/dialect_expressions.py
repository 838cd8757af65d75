"""Operators that databases write differently, or understand differently.

Each means here what it means in SQLite.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

_ESCAPABLE = frozenset("*?[]\\")
#: How GLOB and LIKE write the wildcards, and the characters that they would take for special.
_WILD_LIKE = {"*": "%", "?": "_"}
_GLOB = {"[": "[[]", "]": "[]]", "*": "[*]", "?": "[?]"}
_LIKE = {"%": "\\%", "_": "\\_", "\\": "\\\\"}


class GlobMatch(FunctionElement[bool]):
    """Whether text matches a pattern of ``*`` and ``?``; every other character is itself.

    A backslash before one of these two, a bracket or a backslash makes that a
    character as any other. Missing text neither matches nor does not.
    """

    name = "glob_match"
    type = sa.Boolean()
    inherit_cache = True

    def __init__(self, text: sa.ColumnElement[Any], pattern: str) -> None:
        parts = list(_characters(pattern))
        glob = "".join(c if is_wild else _GLOB.get(c, c) for c, is_wild in parts)
        like = "".join(_WILD_LIKE[c] if is_wild else _LIKE.get(c, c) for c, is_wild in parts)
        super().__init__(text, sa.literal(glob, sa.String), sa.literal(like, sa.String))


class Quotient(FunctionElement[float]):
    """A fraction; null where the divisor is zero."""

    name = "quotient"
    type = sa.Double()
    inherit_cache = True


class Remainder(FunctionElement[int]):
    """The remainder of two whole numbers, with the dividend's sign; null for a zero divisor."""

    name = "remainder"
    type = sa.BigInteger()
    inherit_cache = True


def _characters(pattern: str) -> Iterator[tuple[str, bool]]:
    """Give the characters of a pattern, each with whether it is a wildcard."""
    rest = iter(pattern)
    for character in rest:
        if character != "\\":
            yield character, character in _WILD_LIKE
            continue
        escaped = next(rest, "")
        if escaped not in _ESCAPABLE:
            yield character, False
        if escaped:
            yield escaped, False


class Extreme(FunctionElement[Any]):
    """The least or the greatest value of some rows, of whatever type."""

    name = "extreme"
    inherit_cache = True

    def __init__(self, column: sa.ColumnElement[Any], *, greatest: bool) -> None:
        super().__init__(column, sa.literal_column("max" if greatest else "min"))
        self.type = column.type


def _operands(element: Any, compiler: Any, options: Any) -> list[str]:
    return [compiler.process(clause, **options) for clause in element.clauses]


@compiles(GlobMatch)
def _write_glob(element: GlobMatch, compiler: Any, **options: Any) -> str:
    text, pattern, _ = element.clauses
    return f"({compiler.process(text, **options)} GLOB {compiler.process(pattern, **options)})"


@compiles(GlobMatch, "postgresql")
def _write_like(element: GlobMatch, compiler: Any, **options: Any) -> str:
    text, _, pattern = element.clauses
    return f"({compiler.process(text, **options)} LIKE {compiler.process(pattern, **options)})"


@compiles(Quotient)
def _write_quotient(element: Quotient, compiler: Any, **options: Any) -> str:
    left, right = _operands(element, compiler, options)
    return f"(({left}) / (({right}) + 0.0))"


@compiles(Quotient, "postgresql")
def _write_quotient_postgresql(element: Quotient, compiler: Any, **options: Any) -> str:
    left, right = _operands(element, compiler, options)
    return f"(({left}) / nullif(({right})::double precision, 0))"


@compiles(Remainder)
def _write_remainder(element: Remainder, compiler: Any, **options: Any) -> str:
    left, right = _operands(element, compiler, options)
    return f"(({left}) % ({right}))"


@compiles(Remainder, "postgresql")
def _write_remainder_postgresql(element: Remainder, compiler: Any, **options: Any) -> str:
    left, right = (
        f"trunc(({text})::numeric)::bigint" for text in _operands(element, compiler, options)
    )
    return f"mod({left}, nullif({right}, 0))"


@compiles(Extreme)
def _write_extreme(element: Extreme, compiler: Any, **options: Any) -> str:
    column, function = _operands(element, compiler, options)
    return f"{function}({column})"


@compiles(Extreme, "postgresql")
def _write_extreme_postgresql(element: Extreme, compiler: Any, **options: Any) -> str:
    column, function = _operands(element, compiler, options)
    if isinstance(element.type, sa.Boolean):
        return f"{function}(({column})::integer)"
    if isinstance(element.type, sa.Uuid | sa.types.TypeDecorator):
        return f"{function}(({column})::text)"  # whose order is that of the bytes
    return f"{function}({column})"
