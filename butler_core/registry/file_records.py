"""Where datasets' files are, how they are read, and what they should be."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from butler_core.datastore.file_record import FileRecord
from butler_core.datastore.zip_member import MEMBER_MARK, split
from butler_core.registry.database import Columns, Database
from butler_core.registry.row_spool import Rows
from butler_core.registry.schema import DatasetTables, Schema

#: So many files are looked for one by one; for more, all records are gone through once.
_FEW = 8


class FileRecordTable:
    """One row per file of a dataset, found by the dataset's key."""

    def __init__(self, database: Database, schema: Schema) -> None:
        self._database = database
        self._table = schema.file_record

    def insert(self, keys: Sequence[int], records: Sequence[FileRecord]) -> None:
        """Store one record for each of the datasets."""
        self.insert_columns(
            {
                "dataset_key": list(keys),
                "path": [r.path for r in records],
                "formatter": [r.formatter for r in records],
                "storage_class": [r.storage_class for r in records],
                "size": [r.size for r in records],
                "checksum": [r.checksum for r in records],
                "is_shared": [r.is_shared for r in records],
            }
        )

    def row_of(self, record: FileRecord) -> tuple[sa.Table, dict[str, Any]]:
        """Return the table, and what is stored there of a record beside its dataset's key."""
        return self._table, {
            "path": record.path,
            "formatter": record.formatter,
            "storage_class": record.storage_class,
            "size": record.size,
            "checksum": record.checksum,
            "is_shared": record.is_shared,
        }

    def insert_columns(self, columns: Columns) -> None:
        """Store records given as columns, named as in the table."""
        self._database.insert_columns(self._table, columns)

    def get(self, key: int) -> FileRecord | None:
        """Return the record of one dataset, or None if it has no file."""
        c = self._table.c
        rows = self._database.fetch_rows(_select(self._table).where(c.dataset_key == key))
        return FileRecord(*rows[0][1:]) if rows else None

    def find(self, keys: Iterable[int]) -> dict[int, FileRecord]:
        """Return the records of many datasets, by key."""
        column = self._table.c.dataset_key
        with self._database.staged({"dataset_key": list(keys)}, {"dataset_key": column}) as staged:
            select = _select(self._table).join_from(
                staged, self._table, column == staged.c.dataset_key
            )
            return {key: FileRecord(*rest) for key, *rest in self._database.fetch_rows(select)}

    def columns_of(
        self, groups: Mapping[int, tuple[Any, DatasetTables]], ids: Sequence[bytes]
    ) -> Columns:
        """Return the records of datasets as columns: ``id``, and those of a record.

        Parameters
        ----------
        groups
            What the table of dataset types gives.
        ids
            Of any datasets; those without a file are left out.
        """
        names = ("path", "formatter", "storage_class", "size", "checksum")
        found: Columns = {name: [] for name in ("id", *names)}
        for _, tables in groups.values():
            table = tables.dataset
            with self._database.staged({"id": list(ids)}, {"id": table.c.id}) as staged:
                select = (
                    sa.select(table.c.id, *(self._table.c[name] for name in names))
                    .select_from(staged)
                    .join(table, table.c.id == staged.c.id)
                    .join(self._table, self._table.c.dataset_key == table.c.dataset_key)
                )
                for name, values in self._database.fetch_columns(select).items():
                    found[name] += values
        return found

    def pages(self, *names: str) -> Iterator[Rows]:
        """Give some columns of all records, page by page.

        Rule: nothing slow may run between pages; see `Database.stream_pages`.
        """
        return self._database.stream_pages(sa.select(*(self._table.c[name] for name in names)))

    def pages_with_checksum(self) -> Iterator[Rows]:
        """Give path and checksum of all records that have one, page by page, to work on."""
        c = self._table.c
        select = sa.select(c.path, c.checksum).where(c.checksum.is_not(None))
        return self._database.fetch_pages(select)

    def owner_of(self, path: str) -> int | None:
        """Return the key of a dataset whose file has this path; looks at every row."""
        c = self._table.c
        key = self._database.fetch_scalar(sa.select(c.dataset_key).where(c.path == path).limit(1))
        return None if key is None else int(key)

    def delete(self, keys: Iterable[int]) -> list[FileRecord]:
        """Delete the records of datasets and return those whose files nobody else needs."""
        keys = list(keys)
        column = self._table.c.dataset_key
        with self._database.transaction():
            found = self.find(keys)
            with self._database.staged({"dataset_key": keys}, {"dataset_key": column}) as staged:
                self._database.execute(
                    sa.delete(self._table).where(column.in_(sa.select(staged.c.dataset_key)))
                )
            shared = {split(record.path)[0] for record in found.values() if record.is_shared}
            needed = self._needed(shared)
        unique = {split(record.path)[0]: record for record in found.values()}
        return [record for path, record in unique.items() if path not in needed]

    def _needed(self, paths: set[str]) -> set[str]:
        """Return those of the files that any dataset is in, whole or as a member."""
        if len(paths) <= _FEW:
            return {path for path in paths if self.is_needed(path)}
        every = sa.select(self._table.c.path)
        return {
            path
            for page in self._database.stream_pages(every)
            for path in paths.intersection(split(row[0])[0] for row in page)
        }

    def is_needed(self, path: str) -> bool:
        """Return whether any dataset is in a file, whole or as a member."""
        column = self._table.c.path
        member = column.startswith(path + MEMBER_MARK, autoescape=True)
        select = sa.select(sa.literal(1)).where(sa.or_(column == path, member)).limit(1)
        return self._database.fetch_scalar(select) is not None


def _select(table: sa.Table) -> sa.Select[tuple[int, str, str, str, int | None, str | None, bool]]:
    c = table.c
    return sa.select(
        c.dataset_key, c.path, c.formatter, c.storage_class, c.size, c.checksum, c.is_shared
    )
