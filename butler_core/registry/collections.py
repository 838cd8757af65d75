"""Collections and chains."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import sqlalchemy as sa

from butler_core.datasets.collection import Collection, CollectionType, is_glob, matches
from butler_core.errors import (
    CollectionCycleError,
    CollectionExistsError,
    CollectionInUseError,
    CollectionTypeError,
    UnknownCollectionError,
    near_misses,
)
from butler_core.registry.database import Database
from butler_core.registry.prepared_statement import StatementCache, placeholder
from butler_core.registry.schema import Schema

#: Up to so many collections are looked up by a statement that is compiled once.
_FEW = 3


class CollectionTable:
    """What collections there are, and which chain which.

    Keeps no cache: another process may change a chain at any time.
    """

    def __init__(self, database: Database, schema: Schema) -> None:
        self._database = database
        self._table = schema.collection
        self._chain = schema.collection_chain
        #: Statements for collections with all that is below them, by the number of names.
        self._closures = StatementCache(database.dialect, most=64)

    # -------------------------------------------------------------- look-up
    def get(self, name: str) -> Collection:
        """Return one collection.

        Raises
        ------
        UnknownCollectionError
            If there is none of this name.
        """
        found = self.find([name])
        if name not in found:
            raise self._unknown([name])
        return found[name]

    def find(self, names: Iterable[str]) -> dict[str, Collection]:
        """Return those of the collections named that exist, chains with their children."""
        names = list(names)
        if len(names) <= _FEW:
            known = self._with_descendants(names)
            return {name: known[name] for name in sorted(known.keys() & set(names))}
        rows = self._database.fetch_rows(self._select().where(self._table.c.name.in_(names)))
        return {c.name: c for c in self._with_children(rows)}

    def all(self) -> list[Collection]:
        """Return every collection, by name."""
        return self._with_children(self._database.fetch_rows(self._select()))

    def resolve(
        self, expression: Iterable[str], types: Iterable[CollectionType] = tuple(CollectionType)
    ) -> list[Collection]:
        """Return collections by name or pattern, chains unopened, each once, in order given.

        Raises
        ------
        UnknownCollectionError
            If a name (not a pattern) names nothing; all such names are listed.
        """
        expression = list(expression)
        wanted = set(types)
        if any(is_glob(name) for name in expression):
            known = {c.name: c for c in self.all()}
        else:
            known = self.find(expression)
        unknown = [name for name in expression if not is_glob(name) and name not in known]
        if unknown:
            raise self._unknown(unknown)
        found: dict[str, Collection] = {}
        for name in expression:
            hits = [n for n in known if matches(n, name)] if is_glob(name) else [name]
            found.update((hit, known[hit]) for hit in hits if hit not in found)
        return [c for c in found.values() if c.type in wanted]

    def flatten(self, expression: Iterable[str]) -> list[Collection]:
        """Return the collections that a search visits, in order: chains opened, each once."""
        names = list(expression)
        if any(is_glob(name) for name in names):
            names = [collection.name for collection in self.resolve(names)]
        known = self._with_descendants(names)
        unknown = [name for name in names if name not in known]
        if unknown:
            raise self._unknown(unknown)
        found: dict[str, Collection] = {}
        opened: set[str] = set()
        queue = names[::-1]
        while queue:
            collection = known[queue.pop()]
            if collection.type is not CollectionType.CHAINED:
                found.setdefault(collection.name, collection)
            elif collection.name not in opened:
                opened.add(collection.name)
                queue += collection.children[::-1]
        return list(found.values())

    def _with_descendants(self, names: Sequence[str]) -> dict[str, Collection]:
        """Return collections and all that chains among them hold, however deep, by name."""
        marks = [placeholder(f"name_{i}", self._table.c.name) for i in range(len(names))]
        statement = self._closures.get(len(names), lambda: self._closure(marks))
        assert statement is not None
        values = {f"name_{i}": name for i, name in enumerate(names)}
        rows = self._database.fetch_prepared(statement, values)
        names_by_key = {row[0]: row[1] for row in rows}
        children: dict[int, list[tuple[int, str]]] = {}
        for key, _, _, _, position, child in rows:
            if child is not None:
                children.setdefault(key, []).append((position, names_by_key[child]))
        return {
            name: Collection(
                key, name, CollectionType(kind), doc,
                tuple(child for _, child in sorted(children.get(key, ()))),
            )
            for key, name, kind, doc, *_ in rows
        }  # fmt: skip

    def _closure(self, names: Sequence[Any]) -> sa.Select[Any]:
        """Return the query for collections by name and all below them, with chains' edges."""
        table, chain = self._table, self._chain
        start = sa.select(table.c.collection_id).where(
            table.c.name.in_(names) if names else sa.false()
        )
        below = start.cte("below", recursive=True)
        below = below.union(
            sa.select(chain.c.child_id).join_from(
                chain, below, chain.c.parent_id == below.c.collection_id
            )
        )
        return sa.select(
            table.c.collection_id, table.c.name, table.c.type, table.c.doc,
            chain.c.position, chain.c.child_id,
        ).select_from(
            below.join(table, table.c.collection_id == below.c.collection_id).outerjoin(
                chain, chain.c.parent_id == table.c.collection_id
            )
        )  # fmt: skip

    def parents(self, name: str) -> list[str]:
        """Return the names of the chains that name a collection directly."""
        parent, child = self._table.alias(), self._table.alias()
        select = (
            sa.select(parent.c.name)
            .join(self._chain, self._chain.c.parent_id == parent.c.collection_id)
            .join(child, self._chain.c.child_id == child.c.collection_id)
            .where(child.c.name == name)
            .distinct()
            .order_by(parent.c.name)
        )
        return [row[0] for row in self._database.fetch_rows(select)]

    def _select(self) -> sa.Select[tuple[int, str, int, str]]:
        c = self._table.c
        return sa.select(c.collection_id, c.name, c.type, c.doc).order_by(c.name)

    def _with_children(self, rows: Sequence[tuple[int, str, int, str]]) -> list[Collection]:
        chained = [key for key, _, kind, _ in rows if kind == CollectionType.CHAINED.value]
        children: dict[int, list[str]] = {key: [] for key in chained}
        if chained:
            select = (
                sa.select(self._chain.c.parent_id, self._table.c.name)
                .join(self._table, self._table.c.collection_id == self._chain.c.child_id)
                .order_by(self._chain.c.parent_id, self._chain.c.position)
            )
            if len(chained) < 500:  # beyond that, reading all is cheaper than naming them
                select = select.where(self._chain.c.parent_id.in_(chained))
            for parent, name in self._database.fetch_rows(select):
                children.setdefault(parent, []).append(name)
        return [
            Collection(key, name, CollectionType(kind), doc, tuple(children.get(key, ())))
            for key, name, kind, doc in rows
        ]

    def _unknown(self, names: Sequence[str]) -> UnknownCollectionError:
        known = [c.name for c in self.all()]
        hints = "".join(near_misses(name, known) for name in names)
        return UnknownCollectionError(f"no collection {', '.join(map(repr, names))}.{hints}")

    # --------------------------------------------------------------- changes
    def register(
        self, name: str, type_: CollectionType = CollectionType.RUN, doc: str | None = None
    ) -> bool:
        """Make a collection; return False if it was there already with this type.

        Raises
        ------
        CollectionTypeError
            If it exists with another type.
        """
        existing = self.find([name]).get(name)
        if existing is None:
            with self._database.transaction():
                self._database.insert_columns(
                    self._table,
                    {"name": [name], "type": [type_.value], "doc": [doc or ""]},
                    on_conflict="skip",
                )
            existing = self.get(name)
            if existing.type is type_:
                return True
        if existing.type is not type_:
            raise CollectionTypeError(
                f"collection {name!r} exists as {existing.type}, so it cannot become {type_}"
            )
        return False

    def set_doc(self, name: str, doc: str) -> None:
        """Replace a collection's description."""
        key = self.get(name).key
        table = self._table
        self._database.execute(sa.update(table).where(table.c.collection_id == key).values(doc=doc))

    def set_chain(self, parent: str, children: Sequence[str]) -> None:
        """Make a chain search these children, in this order.

        Raises
        ------
        CollectionTypeError
            If the parent is no chain.
        CollectionCycleError
            If the parent would contain itself.
        """
        children = tuple(dict.fromkeys(children))
        with self._database.transaction():
            self._database.lock(self._chain)
            chain = self.get(parent)
            if chain.type is not CollectionType.CHAINED:
                raise CollectionTypeError(f"{parent!r} is a {chain.type} collection, not CHAINED")
            found = self.find(children)
            unknown = [name for name in children if name not in found]
            if unknown:
                raise self._unknown(unknown)
            self._check_cycle(parent, children)
            self._database.execute(
                sa.delete(self._chain).where(self._chain.c.parent_id == chain.key)
            )
            self._database.insert_columns(
                self._chain,
                {
                    "parent_id": [chain.key] * len(children),
                    "position": list(range(len(children))),
                    "child_id": [found[name].key for name in children],
                },
            )

    def change_chain(
        self,
        parent: str,
        *,
        prepend: Sequence[str] = (),
        extend: Sequence[str] = (),
        remove: Sequence[str] = (),
    ) -> None:
        """Edit a chain as one step, so that no other process's edit is lost."""
        with self._database.transaction():
            self._database.lock(self._chain)
            moved = {*prepend, *extend, *remove}
            kept = [name for name in self.get(parent).children if name not in moved]
            self.set_chain(parent, [*prepend, *kept, *extend])

    def _check_cycle(self, parent: str, children: Sequence[str]) -> None:
        queue, seen = list(children), set()
        while queue:
            found = self.find(queue)
            if parent in found:
                raise CollectionCycleError(
                    f"chain {parent!r} cannot have {', '.join(map(repr, children))} as children: "
                    "it would contain itself"
                )
            seen |= set(found)
            queue = [name for c in found.values() for name in c.children if name not in seen]

    def remove(self, name: str) -> None:
        """Delete a collection that holds no datasets of its own and is in no chain.

        Raises
        ------
        CollectionInUseError
            If a chain names it, or it is a RUN that still holds datasets.
        """
        try:
            with self._database.transaction():
                self._database.lock(self._chain)
                collection = self.get(name)
                chains = self.parents(name)
                if chains:
                    raise CollectionInUseError(
                        f"{name!r} is part of {', '.join(map(repr, chains))}; "
                        "take it out of there first"
                    )
                self._database.execute(
                    sa.delete(self._table).where(self._table.c.collection_id == collection.key)
                )
        except sa.exc.IntegrityError as error:
            raise CollectionInUseError(
                f"RUN {name!r} still holds datasets; `butler remove-runs` removes it with them"
            ) from error

    def require_new(self, name: str) -> None:
        """Raise CollectionExistsError if there is a collection of this name."""
        if name in self.find([name]):
            raise CollectionExistsError(f"collection {name!r} exists already; choose another name")
