"""Datasets: registering, finding by id, counting and removing them, in bulk."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from butler_core.datasets.collection import Collection
from butler_core.datasets.dataset_id import DatasetIdMode, new_ids, reproducible_ids
from butler_core.datasets.dataset_ref import DatasetRef
from butler_core.dimensions.data_coordinate import DataCoordinate
from butler_core.errors import (
    DatasetError,
    DatasetExistsError,
    MissingRecordError,
    UnknownCollectionError,
)
from butler_core.registry.database import Columns, Database
from butler_core.registry.dataset_types import DatasetTypeTable, RegisteredType
from butler_core.registry.schema import GROUP_SHIFT, Schema

#: The table of files, and what it is to hold of one.
FileRow = tuple[sa.Table, Mapping[str, Any]]

#: TAI - UTC since 2017-01-01 (IERS Bulletin C 52); no later leap second has been announced.
_TAI_MINUS_UTC_NS = 37 * 1_000_000_000


@dataclass(frozen=True, slots=True)
class Registered:
    """What came of registering datasets: one entry each, in the order given."""

    keys: list[int]
    #: 16 bytes each.
    ids: list[bytes]


class DatasetTables:
    """The datasets of all types; each dimension group has a table."""

    def __init__(self, database: Database, schema: Schema, types: DatasetTypeTable) -> None:
        self._database = database
        self._schema = schema
        self._types = types
        self._collection = schema.collection

    # ------------------------------------------------------------ registering
    def insert(
        self,
        registered: RegisteredType,
        run: Collection,
        columns: Mapping[str, Sequence[Any]],
        *,
        ids: Sequence[bytes] | None = None,
        id_mode: DatasetIdMode = DatasetIdMode.UNIQUE,
    ) -> Registered:
        """Register datasets of one type in one run.

        Parameters
        ----------
        columns
            Values of the type's required dimensions, one list each.
        ids
            Their ids if they have some already; made by ``id_mode`` if None.

        Raises
        ------
        DatasetExistsError
            If the run holds one of these data IDs, or an id is taken.
        MissingRecordError
            If a data ID names what has no dimension record.
        """
        dataset_type = registered.dataset_type
        names = dataset_type.dimensions.required
        table = registered.tables.dataset
        count = len(next(iter(columns.values()))) if names else len(ids) if ids is not None else 1
        rows = list(zip(*(columns[n] for n in names), strict=True)) if names else [()] * count
        if ids is None:
            ids = (
                reproducible_ids(
                    id_mode, dataset_type.name, run.name, dataset_type.dimensions, rows
                )
                if id_mode.is_reproducible
                else new_ids(count)
            )
        stored: Columns = {
            "id": list(ids),
            "dataset_type_id": [registered.key] * count,
            "run_id": [run.key] * count,
            "ingest_ns": [time.time_ns() + _TAI_MINUS_UTC_NS] * count,
            **{name: list(columns[name]) for name in names},
        }
        with self.explained(registered, run, columns, ids), self._database.transaction():
            keys = self._database.give_keys(
                self._schema.dimension_group, registered.group_id, count
            )
            self._database.insert_columns(table, {"dataset_key": keys, **stored})
        return Registered(keys, list(ids))

    def insert_stored(
        self, registered: RegisteredType, run: Collection, ref: DatasetRef, file: FileRow
    ) -> int:
        """Register one dataset together with its file, and return its key.

        Parameters
        ----------
        run
            The collection of the reference's run.
        file
            From `FileRecordTable.row_of`.

        Raises
        ------
        sqlalchemy.exc.IntegrityError
            If it cannot be; the transaction can then only be undone. Use it
            inside `explained`.
        """
        dataset = {
            "id": ref.id.bytes,
            "dataset_type_id": registered.key,
            "run_id": run.key,
            "ingest_ns": time.time_ns() + _TAI_MINUS_UTC_NS,
            **ref.data_id.required,
        }
        groups, table = self._schema.dimension_group, registered.tables.dataset
        return self._database.insert_keyed(groups, registered.group_id, [(table, dataset), file])

    @contextmanager
    def explained(
        self,
        registered: RegisteredType,
        run: Collection,
        columns: Mapping[str, Sequence[Any]],
        ids: Sequence[bytes],
    ) -> Iterator[None]:
        """Say which of many datasets broke which rule, once their transaction is undone.

        Raises
        ------
        DatasetExistsError
            If the run holds one of the data IDs, or an id is taken.
        MissingRecordError
            If a data ID names what has no dimension record.
        UnknownCollectionError
            If the run is gone.
        """
        try:
            yield
        except sa.exc.IntegrityError as error:
            raise self._explain(registered, run, columns, ids, error) from error

    def _explain(
        self,
        registered: RegisteredType,
        run: Collection,
        columns: Mapping[str, Sequence[Any]],
        ids: Sequence[bytes],
        error: Exception,
    ) -> Exception:
        """Say which of many rows broke which rule."""
        dataset_type = registered.dataset_type
        group = dataset_type.dimensions
        own = self._collection.c.collection_id == run.key
        if self._database.fetch_scalar(sa.select(self._collection.c.name).where(own)) is None:
            return UnknownCollectionError(f"run {run.name!r} was removed meanwhile")
        if group.required:
            taken = self.existing(registered, run, columns)
            if taken:
                return DatasetExistsError(
                    f"run {run.name!r} holds {dataset_type.name!r} for "
                    f"{_data_id_text(group.required, taken[0])} already"
                    f"{_and_more(len(taken))}; use another run, or remove them first"
                )
            doubled = _first_doubled(list(zip(*(columns[n] for n in group.required), strict=True)))
            if doubled is not None:
                return DatasetExistsError(
                    f"{dataset_type.name!r} for {_data_id_text(group.required, doubled)} was given "
                    f"twice for run {run.name!r}"
                )
        elif self._holds_one(registered, run):
            return DatasetExistsError(
                f"run {run.name!r} holds {dataset_type.name!r} already; use another run, or remove "
                "it first"
            )
        for name in group.required:
            missing = self._missing_records(registered, name, columns)
            if missing:
                names = self._schema.universe[name].required
                return MissingRecordError(
                    f"there is no dimension record of {name} {_data_id_text(names, missing[0])}"
                    f"{_and_more(len(missing))}, so {dataset_type.name!r} cannot be registered "
                    "for it"
                )
        same = self.find_ids(ids)
        if same:
            ref = next(iter(same.values()))[0]
            return DatasetExistsError(
                f"the id {ref.id} belongs to {ref} already{_and_more(len(same))}"
            )
        return DatasetExistsError(
            f"{dataset_type.name!r} cannot be registered in run {run.name!r}: "
            f"{error.__cause__ or error}"
        )

    def _holds_one(self, registered: RegisteredType, run: Collection) -> bool:
        """Return whether a run holds any dataset of a type."""
        c = registered.tables.dataset.c
        mine = sa.and_(c.dataset_type_id == registered.key, c.run_id == run.key)
        found = sa.select(sa.literal(1)).where(mine).limit(1)
        return self._database.fetch_scalar(found) is not None

    def existing(
        self, registered: RegisteredType, run: Collection, columns: Mapping[str, Sequence[Any]]
    ) -> list[tuple[Any, ...]]:
        """Return those of the data IDs given that the run holds already, as value tuples."""
        table = registered.tables.dataset
        names = registered.dataset_type.dimensions.required
        with self._database.staged({n: columns[n] for n in names}, dict(table.c)) as staged:
            match = sa.and_(
                table.c.dataset_type_id == registered.key,
                table.c.run_id == run.key,
                *(table.c[name] == staged.c[name] for name in names),
            )
            given: list[Any] = [staged.c[n] for n in names]
            select = sa.select(*given).join_from(staged, table, match).order_by(*given)
            return self._database.fetch_rows(select)

    def _missing_records(
        self, registered: RegisteredType, name: str, columns: Mapping[str, Sequence[Any]]
    ) -> list[tuple[Any, ...]]:
        element = self._schema.universe[name]
        if not element.has_table:
            return []
        table = self._schema.elements[name]
        like = registered.tables.dataset.c
        with self._database.staged({n: columns[n] for n in element.required}, dict(like)) as staged:
            match = sa.and_(
                *(table.c[element.column_of(n)] == staged.c[n] for n in element.required)
            )
            select = (
                sa.select(*(staged.c[n] for n in element.required))
                .select_from(staged.outerjoin(table, match))
                .where(table.c[element.key_columns[-1]].is_(None))
                .order_by(*(staged.c[n] for n in element.required))
            )
            return self._database.fetch_rows(select)

    # ---------------------------------------------------------------- finding
    def find_ids(self, ids: Sequence[bytes]) -> dict[bytes, tuple[DatasetRef, int]]:
        """Return references and keys of the datasets with these ids, by id; others are left out."""
        found: dict[bytes, tuple[DatasetRef, int]] = {}
        types = {registered.key: registered for registered in self._types.all()}
        for group, tables in self._types.groups().values():
            remaining = [i for i in ids if i not in found]
            if not remaining:
                break
            table = tables.dataset
            with self._database.staged({"id": remaining}, {"id": table.c.id}) as staged:
                select = (
                    sa.select(
                        table.c.id,
                        table.c.dataset_key,
                        table.c.dataset_type_id,
                        self._collection.c.name,
                        *(table.c[name] for name in group.required),
                    )
                    .select_from(staged)
                    .join(table, table.c.id == staged.c.id)
                    .join(self._collection, self._collection.c.collection_id == table.c.run_id)
                )
                for id_, key, type_id, run, *values in self._database.fetch_rows(select):
                    data_id = DataCoordinate.from_required(group, tuple(values))
                    ref = DatasetRef(
                        types[type_id].dataset_type, data_id, run, uuid.UUID(bytes=id_)
                    )
                    found[id_] = (ref, key)
        return found

    def keys_of(self, refs: Iterable[DatasetRef]) -> dict[bytes, int]:
        """Return the keys of those of the datasets that exist, by id."""
        by_type: dict[str, list[bytes]] = {}
        for ref in refs:
            by_type.setdefault(ref.dataset_type.parent_name, []).append(ref.id.bytes)
        found: dict[bytes, int] = {}
        for name, ids in by_type.items():
            registered = self._types.find(name)
            if registered is None:
                continue
            table = registered.tables.dataset
            if len(ids) == 1:
                select = sa.select(table.c.id, table.c.dataset_key).where(table.c.id == ids[0])
                found.update(self._database.fetch_rows(select))
                continue
            with self._database.staged({"id": ids}, {"id": table.c.id}) as staged:
                select = sa.select(table.c.id, table.c.dataset_key).join_from(
                    staged, table, table.c.id == staged.c.id
                )
                found.update(self._database.fetch_rows(select))
        return found

    def in_run(self, run: Collection) -> dict[str, Columns]:
        """Return key, id and data ID columns of all datasets of a run, by dataset type name."""
        found = {}
        for registered in self._types.all():
            table = registered.tables.dataset
            names = registered.dataset_type.dimensions.required
            columns = self._database.fetch_columns(
                sa.select(
                    table.c.dataset_key, table.c.id, *(table.c[name] for name in names)
                ).where(table.c.dataset_type_id == registered.key, table.c.run_id == run.key)
            )
            if columns["dataset_key"]:
                found[registered.dataset_type.name] = columns
        return found

    def holds(self, registered: RegisteredType, collections: Sequence[Collection]) -> set[str]:
        """Return the names of those collections that hold any dataset of a type."""
        tables, held = registered.tables, set()
        for collection in collections:
            for table, column in (
                (tables.dataset, tables.dataset.c.run_id),
                (tables.tag, tables.tag.c.collection_id),
                (tables.calibration, tables.calibration.c.collection_id),
            ):
                select = (
                    sa.select(sa.literal(1))
                    .select_from(table)
                    .where(table.c.dataset_type_id == registered.key, column == collection.key)
                    .limit(1)
                )
                if self._database.fetch_scalar(select):
                    held.add(collection.name)
                    break
        return held

    # --------------------------------------------------------------- removing
    def delete(self, keys: Iterable[int]) -> int:
        """Forget datasets by key, their tags and validity ranges with them; return how many."""
        by_group: dict[int, list[int]] = {}
        for key in keys:
            by_group.setdefault(key >> GROUP_SHIFT, []).append(key)
        groups = self._types.groups()
        total = 0
        with self._database.transaction():
            for group_id, members in by_group.items():
                if group_id not in groups:
                    raise DatasetError(f"no dataset can have the keys {members[:3]}...")
                table = groups[group_id][1].dataset
                with self._database.staged(
                    {"dataset_key": members}, {"dataset_key": table.c.dataset_key}
                ) as staged:
                    total += self._database.execute(
                        sa.delete(table).where(
                            table.c.dataset_key.in_(sa.select(staged.c.dataset_key))
                        )
                    )
        return total


def _data_id_text(names: Sequence[str], values: Sequence[Any]) -> str:
    return "{" + ", ".join(f"{n}: {v!r}" for n, v in zip(names, values, strict=True)) + "}"


def _and_more(count: int) -> str:
    return f" (and {count - 1} more)" if count > 1 else ""


def _first_doubled(rows: Sequence[tuple[Any, ...]]) -> tuple[Any, ...] | None:
    seen: set[tuple[Any, ...]] = set()
    for row in rows:
        if row in seen:
            return row
        seen.add(row)
    return None
