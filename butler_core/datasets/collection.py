"""The four kinds of collection, and how collections are named in searches."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

_GLOB = re.compile(r"[*?\[]")


class CollectionType(Enum):
    """What a collection is. The values are those kept in the database."""

    #: Holds datasets; each lives in one run for ever.
    RUN = 1
    #: Names datasets of runs, one at most per type and data ID.
    TAGGED = 2
    #: Names other collections, searched in order.
    CHAINED = 3
    #: Names datasets of runs, each with a validity range.
    CALIBRATION = 4

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class Collection:
    """What the registry knows of one collection."""

    #: Key in the database.
    key: int
    name: str
    type: CollectionType
    doc: str = ""
    #: Names of the children of a chain, first searched first.
    children: tuple[str, ...] = ()


def as_names(collections: str | Iterable[str] | None) -> tuple[str, ...]:
    """Return one name, a comma-separated list, or an iterable as a tuple of names."""
    if collections is None:
        return ()
    if isinstance(collections, str):
        return tuple(part for part in (p.strip() for p in collections.split(",")) if part)
    return tuple(name for item in collections for name in as_names(item))


def is_glob(name: str) -> bool:
    """Return whether a name is a pattern for several."""
    return _GLOB.search(name) is not None


def matches(name: str, pattern: str) -> bool:
    """Return whether a name is of a pattern: ``*``, ``?`` and ``[...]``, case counts."""
    return fnmatch.fnmatchcase(name, pattern)
