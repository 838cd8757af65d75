"""Says of datasets, by their keys, of which type and in which run they are."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import sqlalchemy as sa

from butler_core.registry.database import Database
from butler_core.registry.dataset_types import DatasetTypeTable
from butler_core.registry.schema import GROUP_SHIFT, Schema


@dataclass(frozen=True, slots=True)
class DatasetLabel:
    """What a dataset is, to a reader."""

    dataset_type: str
    run: str


class DatasetLabels:
    """Looks labels up in bulk."""

    def __init__(self, database: Database, schema: Schema, types: DatasetTypeTable) -> None:
        self._database = database
        self._schema = schema
        self._types = types

    def find(self, keys: Iterable[int]) -> dict[int, DatasetLabel]:
        """Return the labels of those of the datasets that exist, by key."""
        by_group: dict[int, list[int]] = {}
        for key in keys:
            by_group.setdefault(key >> GROUP_SHIFT, []).append(key)
        groups = self._types.groups()
        types, runs = self._schema.dataset_type, self._schema.collection
        found: dict[int, DatasetLabel] = {}
        for group_id in by_group.keys() & groups.keys():
            table = groups[group_id][1].dataset
            column = table.c.dataset_key
            given = {"dataset_key": by_group[group_id]}
            with self._database.staged(given, {"dataset_key": column}) as staged:
                select = (
                    sa.select(column, types.c.name, runs.c.name.label("run"))
                    .select_from(staged)
                    .join(table, column == staged.c.dataset_key)
                    .join(types, types.c.dataset_type_id == table.c.dataset_type_id)
                    .join(runs, runs.c.collection_id == table.c.run_id)
                )
                rows = self._database.fetch_rows(select)
            found.update((key, DatasetLabel(name, run)) for key, name, run in rows)
        return found
