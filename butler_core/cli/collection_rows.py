"""Collections as rows of a table or a tree. Asks nothing: works on what is known already."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from butler_core.datasets.collection import Collection, CollectionType


@dataclass(frozen=True, slots=True)
class CollectionRow:
    """A line of the answer."""

    name: str
    type: CollectionType
    #: How deep in a tree it stands.
    depth: int = 0
    #: Names of its children, or of its parents.
    related: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CollectionMap:
    """All collections of a repository, by name, and the chains that name each."""

    by_name: Mapping[str, Collection]
    parents: Mapping[str, Sequence[str]] = field(default_factory=dict)

    @classmethod
    def of(cls, collections: Iterable[Collection]) -> CollectionMap:
        """Make one of all collections."""
        by_name = {collection.name: collection for collection in collections}
        parents: dict[str, list[str]] = {}
        for collection in by_name.values():
            for child in collection.children:
                parents.setdefault(child, []).append(collection.name)
        return cls(by_name, parents)

    def leaves(self, name: str) -> list[str]:
        """Return what a search of one visits: itself, or what its chain leads to."""
        found: dict[str, None] = {}
        queue = [name]
        while queue:
            collection = self.by_name[queue.pop(0)]
            if collection.type is CollectionType.CHAINED:
                queue = [*collection.children, *queue]
            else:
                found[collection.name] = None
        return list(found)


def tree_rows(collections: Iterable[Collection], known: CollectionMap) -> Iterator[CollectionRow]:
    """Give each collection, and below a chain its children, however deep.

    Yields
    ------
    CollectionRow
        With its depth.
    """
    for collection in collections:
        yield from _below(collection, known, {n: c.children for n, c in known.by_name.items()}, 0)


def inverse_tree_rows(
    collections: Iterable[Collection], known: CollectionMap
) -> Iterator[CollectionRow]:
    """Give each collection, and below it the chains that name it, however high.

    Yields
    ------
    CollectionRow
        With its depth.
    """
    for collection in collections:
        yield from _below(collection, known, known.parents, 0)


def _below(
    collection: Collection, known: CollectionMap, related: Mapping[str, Sequence[str]], depth: int
) -> Iterator[CollectionRow]:
    yield CollectionRow(collection.name, collection.type, depth)
    for name in related.get(collection.name, ()):
        yield from _below(known.by_name[name], known, related, depth + 1)


def table_rows(collections: Iterable[Collection]) -> Iterator[CollectionRow]:
    """Give each collection with the names of its children.

    Yields
    ------
    CollectionRow
        One for each collection.
    """
    for collection in collections:
        yield CollectionRow(collection.name, collection.type, related=collection.children)


def inverse_table_rows(
    collections: Iterable[Collection], known: CollectionMap
) -> Iterator[CollectionRow]:
    """Give each collection with the names of the chains that name it.

    Yields
    ------
    CollectionRow
        One for each collection.
    """
    for collection in collections:
        parents = tuple(known.parents.get(collection.name, ()))
        yield CollectionRow(collection.name, collection.type, related=parents)
