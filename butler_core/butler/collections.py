"""A butler's collections: ``butler.collections``."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from butler_core.datasets.collection import Collection, CollectionType, as_names
from butler_core.registry.collections import CollectionTable
from butler_core.repository.repository import Repository


class ButlerCollections:
    """Finds, makes, chains and removes collections.

    Parameters
    ----------
    defaults
        The collections that the butler searches where it is told none.
    """

    def __init__(self, repository: Repository, defaults: Sequence[str]) -> None:
        self._repository = repository
        self.defaults = tuple(defaults)

    @property
    def _table(self) -> CollectionTable:
        return self._repository.registry.collections

    def register(
        self,
        name: str,
        type: CollectionType = CollectionType.RUN,  # noqa: A002 - Rubin's name
        doc: str | None = None,
    ) -> bool:
        """Make a collection; return False if it was there with this type."""
        self._repository.require_writeable()
        return self._table.register(name, type, doc)

    def query(
        self,
        expression: str | Iterable[str] = "*",
        collection_types: Iterable[CollectionType] | CollectionType | None = None,
        *,
        flatten_chains: bool = False,
        include_chains: bool | None = None,
    ) -> list[str]:
        """Return the names of collections by name or pattern."""
        found = self.query_info(
            expression,
            collection_types,
            flatten_chains=flatten_chains,
            include_chains=include_chains,
        )
        return [collection.name for collection in found]

    def query_info(
        self,
        expression: str | Iterable[str] = "*",
        collection_types: Iterable[CollectionType] | CollectionType | None = None,
        *,
        flatten_chains: bool = False,
        include_chains: bool | None = None,
    ) -> list[Collection]:
        """Return collections by name or pattern.

        Parameters
        ----------
        flatten_chains
            Whether to return what chains hold too, however deep.
        include_chains
            Whether to return chains themselves; the opposite of
            ``flatten_chains`` if None.
        """
        if isinstance(collection_types, CollectionType):
            collection_types = [collection_types]
        types = set(collection_types if collection_types is not None else CollectionType)
        keep_chains = not flatten_chains if include_chains is None else include_chains
        found = {c.name: c for c in self._table.resolve(as_names(expression))}
        if flatten_chains:
            opened: dict[str, Collection] = {}
            for name, collection in found.items():
                opened[name] = collection
                opened |= {c.name: c for c in self._table.flatten([name])}
            found = opened
        return [
            c
            for c in found.values()
            if c.type in types and (keep_chains or c.type is not CollectionType.CHAINED)
        ]

    def get_info(self, name: str) -> Collection:
        """Return one collection; raise UnknownCollectionError if there is none."""
        return self._table.get(name)

    def exists(self, name: str) -> bool:
        """Return whether there is a collection of this name."""
        return name in self._table.find([name])

    def redefine_chain(self, parent: str, children: str | Iterable[str]) -> None:
        """Make a chain search these children, in this order."""
        self._repository.require_writeable()
        self._table.set_chain(parent, as_names(children))

    def prepend_chain(self, parent: str, children: str | Iterable[str]) -> None:
        """Put children at the front of a chain."""
        self._repository.require_writeable()
        self._table.change_chain(parent, prepend=as_names(children))

    def extend_chain(self, parent: str, children: str | Iterable[str]) -> None:
        """Put children at the end of a chain."""
        self._repository.require_writeable()
        self._table.change_chain(parent, extend=as_names(children))

    def remove_from_chain(self, parent: str, children: str | Iterable[str]) -> None:
        """Take children out of a chain."""
        self._repository.require_writeable()
        self._table.change_chain(parent, remove=as_names(children))

    def remove(self, name: str) -> None:
        """Remove a collection that holds no datasets of its own and is in no chain."""
        self._repository.require_writeable()
        self._table.remove(name)

    x_remove = remove
