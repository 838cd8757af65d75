"""A frozen set of names that remembers the order they were declared in.

Knows nothing of connections; it only keeps iteration the same in every
process, which a plain frozenset does not.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Self


class ConnectionNames(frozenset[str]):
    """Names in the order they were given.

    Equality and hash are a frozenset's: they ignore the order.

    Parameters
    ----------
    names
        The names; a repeated one counts once.
    """

    _ordered: tuple[str, ...]

    def __new__(cls, names: Iterable[str] = ()) -> Self:
        """Make the set and note the order."""
        ordered = tuple(dict.fromkeys(names))
        instance = super().__new__(cls, ordered)
        instance._ordered = ordered
        return instance

    def __iter__(self) -> Iterator[str]:
        return iter(self._ordered)

    def __repr__(self) -> str:
        return "{" + ", ".join(repr(name) for name in self._ordered) + "}"

    def __reduce__(self) -> tuple[Any, ...]:
        return (type(self), (self._ordered,))
