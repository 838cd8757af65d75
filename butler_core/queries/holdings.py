"""Which collections hold datasets of which types, and how many.

Looks at the tables of all dimension groups at once; finds no single dataset.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import sqlalchemy as sa

from butler_core.registry.registry import Registry


def dataset_types_by_collection(registry: Registry) -> dict[str, set[str]]:
    """Return the types of the datasets that each collection holds or names, by its name.

    A chain has none of its own.
    """
    types = {
        registered.key: registered.dataset_type.name for registered in registry.dataset_types.all()
    }
    collections = {collection.key: collection.name for collection in registry.collections.all()}
    found: dict[str, set[str]] = {name: set() for name in collections.values()}
    for _, tables in registry.dataset_types.groups().values():
        pairs = [
            (tables.dataset.c.dataset_type_id, tables.dataset.c.run_id),
            (tables.tag.c.dataset_type_id, tables.tag.c.collection_id),
            (tables.calibration.c.dataset_type_id, tables.calibration.c.collection_id),
        ]
        for type_column, collection_column in pairs:
            select = sa.select(type_column, collection_column).distinct()
            for type_key, collection_key in registry.database.fetch_rows(select):
                found[collections[collection_key]].add(types[type_key])
    return found


def counts_in_runs(registry: Registry, runs: Iterable[str]) -> dict[str, int]:
    """Return how many datasets of each type some RUN collections hold, by name of the type.

    Raises
    ------
    UnknownCollectionError
        If there is no such collection.
    """
    types = {
        registered.key: registered.dataset_type.name for registered in registry.dataset_types.all()
    }
    keys = [registry.collections.get(name).key for name in runs]
    counts: Counter[str] = Counter()
    for _, tables in registry.dataset_types.groups().values():
        table = tables.dataset
        select = (
            sa.select(table.c.dataset_type_id, sa.func.count().label("count"))
            .where(table.c.run_id.in_(keys))
            .group_by(table.c.dataset_type_id)
        )
        for type_key, count in registry.database.fetch_rows(select):
            counts[types[type_key]] += count
    return dict(sorted(counts.items()))
