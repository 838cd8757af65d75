"""Finds single datasets, each by one statement that is compiled once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from butler_core.datasets.collection import Collection
from butler_core.datastore.file_record import FileRecord
from butler_core.registry.database import Database
from butler_core.registry.dataset_search import search_datasets
from butler_core.registry.dataset_types import RegisteredType
from butler_core.registry.prepared_statement import StatementCache, placeholder
from butler_core.registry.schema import Schema

_FILE_FIELDS = ("path", "formatter", "storage_class", "size", "checksum", "is_shared")


@dataclass(frozen=True, slots=True)
class FoundDataset:
    """A dataset that some collection holds or names."""

    key: int
    #: 16 bytes.
    id: bytes
    run_id: int
    #: Place of the collection in the list searched.
    rank: int
    #: Validity, TAI [ns since 1970]; unbounded outside CALIBRATION collections.
    begin_ns: int
    end_ns: int
    #: None if it has no file.
    record: FileRecord | None


class DatasetLookup:
    """Looks datasets up by data ID, or by id."""

    def __init__(self, database: Database, schema: Schema) -> None:
        self._database = database
        self._schema = schema
        self._statements = StatementCache(database.dialect)

    def find(
        self,
        registered: RegisteredType,
        collections: Sequence[Collection],
        values: Mapping[str, Any],
    ) -> list[FoundDataset]:
        """Return the datasets of a type and data ID, those of the first collection first.

        Parameters
        ----------
        collections
            Without chains, in the order searched.
        values
            Of the type's required dimensions.
        """
        key = (registered.key, tuple((c.key, c.type) for c in collections))
        statement = self._statements.get(key, lambda: self._search(registered, collections))
        assert statement is not None
        rows = self._database.fetch_prepared(statement, values)
        return sorted((_found(row) for row in rows), key=lambda found: found.rank)

    def find_id(self, registered: RegisteredType, id_: bytes) -> FoundDataset | None:
        """Return the dataset with an id, if it is of a type's dimensions."""
        key = (registered.group_id, "id")
        statement = self._statements.get(key, lambda: self._by_id(registered))
        assert statement is not None
        rows = self._database.fetch_prepared(statement, {"id": id_})
        return _found(rows[0]) if rows else None

    def _search(
        self, registered: RegisteredType, collections: Sequence[Collection]
    ) -> sa.Select[Any]:
        found = search_datasets(registered, collections, find_first=False).subquery()
        select = self._with_files(found, found.c.rank, found.c.begin_ns, found.c.end_ns)
        names = registered.dataset_type.dimensions.required
        return select.where(*(found.c[name] == placeholder(name, found.c[name]) for name in names))

    def _by_id(self, registered: RegisteredType) -> sa.Select[Any]:
        table = registered.tables.dataset
        unknown = [sa.literal(0, sa.BigInteger).label(name) for name in ("rank", "begin", "end")]
        select = self._with_files(table, *unknown)
        return select.where(table.c.id == placeholder("id", table.c.id))

    def _with_files(self, found: Any, *more: Any) -> sa.Select[Any]:
        files = self._schema.file_record
        fields = [files.c[name] for name in _FILE_FIELDS]
        same = files.c.dataset_key == found.c.dataset_key
        return sa.select(
            found.c.dataset_key, found.c.id, found.c.run_id, *more, *fields
        ).select_from(found.outerjoin(files, same))


def _found(row: tuple[Any, ...]) -> FoundDataset:
    key, id_, run_id, rank, begin_ns, end_ns, *file = row
    record = None if file[0] is None else FileRecord(*file)
    return FoundDataset(key, id_, run_id, rank, begin_ns, end_ns, record)
