"""What a ``where`` text says, as an immutable tree.

Nodes compare by value and can be keys. A name is only a name here: which column
or bound value it stands for is settled later. Parses nothing, prints nothing.

The tree that `butler_core.queries.expression.parse` makes is canonical:

- a sign before a number is part of the `Literal`; ``Unary`` never holds a number;
- ``x = NULL`` and ``NULL = x`` are `IsNull`, ``x != NULL`` a negated one;
- ``a AND b AND c`` is one `And` of three; brackets nest another one inside it;
- functions have upper-case names and the right number of arguments, and
  ``UUID('...')`` is a `Literal`.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import TypeAlias

#: What a `Literal` can hold; None is NULL.
LiteralValue: TypeAlias = bool | int | float | str | uuid.UUID | None


@dataclass(frozen=True, slots=True)
class Node:
    """Any part of an expression."""

    def children(self) -> Iterator[Node]:
        """Give the parts directly under this one, left to right.

        Yields
        ------
        Node
            One part.
        """
        for field in fields(self):
            value = getattr(self, field.name)
            if isinstance(value, Node):
                yield value
            elif isinstance(value, tuple):
                yield from (item for item in value if isinstance(item, Node))


@dataclass(frozen=True, slots=True, eq=False)
class Literal(Node):
    """A value written in the text. Equal to another of the same type and value."""

    #: TRUE, 3, 3.0, 'text', UUID('...'), or None for NULL.
    value: LiteralValue

    def __eq__(self, other: object) -> bool:
        # Python has 1 == True == 1.0; in an expression they are three things.
        if not isinstance(other, Literal):
            return NotImplemented
        return type(self.value) is type(other.value) and self.value == other.value

    def __hash__(self) -> int:
        return hash((type(self.value), self.value))


@dataclass(frozen=True, slots=True)
class TimeLiteral(Node):
    """A time, ``T'...'``."""

    #: What stands between the quotes.
    text: str
    #: The time it means, TAI [ns since 1970].
    ns: int


@dataclass(frozen=True, slots=True)
class TimespanLiteral(Node):
    """A pair of times, ``(begin, end)``, the end exclusive."""

    #: `TimeLiteral`, ``Literal(None)`` for unbounded, `Bind`, or a `Name` of a bound value.
    begin: Node
    #: As ``begin``.
    end: Node


@dataclass(frozen=True, slots=True)
class Range(Node):
    """Integers ``start..stop:step``, in the brackets of IN alone."""

    start: int
    #: Last integer that may be in the range (inclusive), >= start.
    stop: int
    #: >= 1.
    step: int = 1


@dataclass(frozen=True, slots=True)
class Name(Node):
    """A name of one to three parts, such as ``visit.timespan.begin``."""

    parts: tuple[str, ...]

    def __str__(self) -> str:
        return ".".join(self.parts)


@dataclass(frozen=True, slots=True)
class Bind(Node):
    """The place of a bound value, ``:name``."""

    #: Without the colon.
    name: str


@dataclass(frozen=True, slots=True)
class Unary(Node):
    """A sign before something that is no number."""

    #: ``-`` or ``+``.
    op: str
    operand: Node


@dataclass(frozen=True, slots=True)
class Binary(Node):
    """Arithmetic."""

    #: ``+``, ``-``, ``*``, ``/`` or ``%``.
    op: str
    left: Node
    right: Node


@dataclass(frozen=True, slots=True)
class Comparison(Node):
    """Two values compared."""

    #: ``=``, ``!=``, ``<``, ``<=``, ``>`` or ``>=``.
    op: str
    left: Node
    right: Node


@dataclass(frozen=True, slots=True)
class Overlaps(Node):
    """Whether two regions or timespans have something in common."""

    left: Node
    right: Node


@dataclass(frozen=True, slots=True)
class In(Node):
    """Whether a value is among others."""

    member: Node
    #: `Literal`, `TimeLiteral`, `Range`, `Bind` or `Name`, at least one.
    items: tuple[Node, ...]
    negated: bool = False


@dataclass(frozen=True, slots=True)
class IsNull(Node):
    """Whether a value is missing."""

    operand: Node
    negated: bool = False


@dataclass(frozen=True, slots=True)
class And(Node):
    """Whether all of two or more hold."""

    operands: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Or(Node):
    """Whether any of two or more holds."""

    operands: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Not(Node):
    """Whether something does not hold."""

    operand: Node


@dataclass(frozen=True, slots=True)
class Call(Node):
    """A function: POINT, CIRCLE, BOX, POLYGON, REGION or GLOB; angles in degrees."""

    #: In upper case.
    function: str
    args: tuple[Node, ...]


#: What a blank text means.
TRUE = Literal(value=True)
FALSE = Literal(value=False)


def walk(node: Node) -> Iterator[Node]:
    """Go through a tree, each node before those under it, left to right.

    Parameters
    ----------
    node
        The root.

    Yields
    ------
    Node
        The root first.
    """
    pending = [node]
    while pending:
        current = pending.pop()
        yield current
        pending.extend(reversed(list(current.children())))


def names_in(node: Node) -> tuple[Name, ...]:
    """List the bare names of a tree.

    Parameters
    ----------
    node
        The root.

    Returns
    -------
    tuple
        Each once, in order of first appearance.
    """
    return tuple(dict.fromkeys(found for found in walk(node) if isinstance(found, Name)))


def binds_in(node: Node) -> tuple[str, ...]:
    """List the names of ``:name`` in a tree.

    Parameters
    ----------
    node
        The root.

    Returns
    -------
    tuple
        Each once, in order of first appearance, without the colon.
    """
    return tuple(dict.fromkeys(found.name for found in walk(node) if isinstance(found, Bind)))
