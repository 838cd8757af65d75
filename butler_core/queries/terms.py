"""Values of an expression: what kind each is, and constants of Python as such.

Makes shapes and times of what was bound or written. Knows no table and no tree.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from numbers import Real
from typing import Any

import sqlalchemy as sa

from butler_core.errors import TimespanError
from butler_core.timespan import MAX_NS, MIN_NS, Timespan

_TYPES: dict[str, Any] = {"int": sa.BigInteger(), "float": sa.Double(), "text": sa.String()}


@dataclass(frozen=True, slots=True)
class Term:
    """A value in SQL, and what kind of value it is."""

    #: ``int``, ``float``, ``text``, ``bool``, ``time``, ``id``, ``null``, ``timespan``,
    #: ``region`` (a constant), or ``regions`` (a column).
    kind: str
    #: An SQL expression; a (begin, end) pair for a timespan; a Region or an element for regions.
    value: Any

    @property
    def noun(self) -> str:
        """What the kind is called in messages."""
        nouns = {"id": "dataset id", "regions": "region", "int": "integer", "bool": "truth value"}
        return nouns.get(self.kind, self.kind)

    @property
    def word(self) -> str:
        """The same with its article."""
        return f"an {self.noun}" if self.noun[0] in "aeiou" else f"a {self.noun}"


@dataclass(frozen=True, slots=True)
class Parameter:
    """The place of a value that is given when the statement is run."""

    #: ``int``, ``float`` or ``text``.
    kind: str
    name: str

    @property
    def sql(self) -> sa.BindParameter[Any]:
        """The place, in SQL."""
        return sa.bindparam(self.name, None, type_=_TYPES[self.kind], required=False)


def constant(value: Any) -> Term:
    """Return a Python value as a term."""
    match value:
        case None:
            return Term("null", sa.null())
        case Parameter():
            return Term(value.kind, value.sql)
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
    if (region := _as_region(value)) is not None:
        return Term("region", region)
    if hasattr(value, "dtype") and hasattr(value, "item"):
        return constant(value.item())  # a number or text of numpy's
    from butler_core.timespan import time_to_ns

    return Term("time", sa.literal(time_to_ns(value), sa.BigInteger))


def _as_region(value: Any) -> Any:
    """Return a bound shape, or a bound point of sphgeom's or astropy's as one; else None."""
    from butler_core import region

    if hasattr(value, "getBoundingCircle"):
        return value
    if hasattr(value, "getLon"):
        return region.circle(value.getLon().asDegrees(), value.getLat().asDegrees(), 0.0)
    if hasattr(value, "icrs") and getattr(value, "isscalar", False):
        return region.circle(value.icrs.ra.degree, value.icrs.dec.degree, 0.0)
    return None


def span_between(begin: Any, end: Any) -> Term:
    """Return a pair of times as a timespan: empty if turned round, an instant if both are one."""
    if not (isinstance(begin, sa.BindParameter) and isinstance(end, sa.BindParameter)):
        return Term("timespan", (begin, end))
    begin_ns: int = begin.effective_value  # type: ignore[assignment]
    end_ns: int = end.effective_value  # type: ignore[assignment]
    if begin_ns == end_ns and begin_ns in (MIN_NS, MAX_NS):
        raise TimespanError("a timespan has no time between 1970 and 2100 in it")
    return constant(Timespan(begin_ns, end_ns + (begin_ns == end_ns)))


def as_times(left: Term, right: Term) -> tuple[Term, Term]:
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


def as_span(term: Term) -> Term:
    """Let an instant overlap a timespan."""
    return Term("timespan", (term.value, term.value + 1)) if term.kind == "time" else term


def is_number(value: Any) -> bool:
    """Return whether a Python value is a number, which truth is not."""
    return isinstance(value, Real) and not isinstance(value, bool)


def shape(function: str, args: list[Any]) -> Any:
    """Return the region that a function of the language makes of its arguments."""
    from butler_core import region

    match function:
        case "REGION":
            return region.from_ivoa_pos(args[0])
        case "CIRCLE":
            return region.circle(*args)
        case "BOX":
            return region.box(*args)
        case "POINT":
            return region.circle(args[0], args[1], 0.0)
    return region.polygon(list(zip(args[::2], args[1::2], strict=True)))
