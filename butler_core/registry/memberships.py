"""Which datasets are named by TAGGED and CALIBRATION collections."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from butler_core.datasets.collection import Collection, CollectionType
from butler_core.errors import (
    AmbiguousDatasetError,
    CollectionTypeError,
    DatasetExistsError,
    DatasetTypeError,
    ValidityConflictError,
)
from butler_core.registry.database import Columns, Database
from butler_core.registry.dataset_types import RegisteredType
from butler_core.timespan import Timespan, ns_to_iso


class MembershipTables:
    """Associates datasets, given by key, with collections that do not own them."""

    def __init__(self, database: Database) -> None:
        self._database = database

    # ------------------------------------------------------------------ tags
    def associate(
        self, registered: RegisteredType, collection: Collection, keys: Sequence[int]
    ) -> None:
        """Name datasets in a TAGGED collection; those that it names already stay.

        Raises
        ------
        DatasetExistsError
            If the collection names another dataset with the same data ID.
        AmbiguousDatasetError
            If two of the datasets have the same data ID.
        """
        _require(collection, CollectionType.TAGGED)
        tag = registered.tables.tag
        names = registered.dataset_type.dimensions.required
        try:
            with self._database.transaction():
                named = self._named(registered, collection, keys)
                rows = self._data_ids(
                    registered, [key for key in dict.fromkeys(keys) if key not in named]
                )
                doubled = _doubled(names, rows)
                if doubled is not None:
                    raise AmbiguousDatasetError(
                        f"two {registered.dataset_type.name!r} datasets have the data ID "
                        f"{doubled}; {collection.name!r} can name one of them only"
                    )
                self._insert(tag, registered, collection, rows, {})
        except sa.exc.IntegrityError as error:
            raise DatasetExistsError(
                f"{collection.name!r} names another {registered.dataset_type.name!r} for one "
                f"of {len(rows['dataset_key'])} data IDs already; disassociate it first"
            ) from error

    def _named(
        self, registered: RegisteredType, collection: Collection, keys: Sequence[int]
    ) -> set[int]:
        """Return those of the datasets that a TAGGED collection names."""
        tag = registered.tables.tag
        with self._staged_keys(registered, keys) as staged:
            select = (
                sa.select(tag.c.dataset_key)
                .join_from(staged, tag, tag.c.dataset_key == staged.c.dataset_key)
                .where(tag.c.collection_id == collection.key)
            )
            return {row[0] for row in self._database.fetch_rows(select)}

    def disassociate(
        self, registered: RegisteredType, collection: Collection, keys: Sequence[int]
    ) -> int:
        """Take datasets out of a TAGGED collection; return how many were in it."""
        _require(collection, CollectionType.TAGGED)
        tag = registered.tables.tag
        with self._database.transaction(), self._staged_keys(registered, keys) as staged:
            return self._database.execute(
                sa.delete(tag).where(
                    tag.c.collection_id == collection.key,
                    tag.c.dataset_key.in_(sa.select(staged.c.dataset_key)),
                )
            )

    # ---------------------------------------------------------- calibrations
    def certify(
        self,
        registered: RegisteredType,
        collection: Collection,
        keys: Sequence[int],
        timespan: Timespan,
    ) -> None:
        """Declare datasets valid for a time.

        Raises
        ------
        ValidityConflictError
            If another dataset with the same data ID is valid for part of it.
        DatasetTypeError
            If the dataset type is no calibration.
        """
        _require(collection, CollectionType.CALIBRATION)
        if not registered.dataset_type.is_calibration:
            raise DatasetTypeError(
                f"{registered.dataset_type.name!r} is not registered as a calibration, so it "
                "cannot be certified; register it with --is-calibration"
            )
        with self._database.transaction():
            self._database.lock(registered.tables.calibration)
            rows = self._data_ids(registered, keys)
            self._check_free(registered, collection, rows, timespan)
            count = len(rows["dataset_key"])
            span = {"begin_ns": [timespan.begin_ns] * count, "end_ns": [timespan.end_ns] * count}
            self._insert(registered.tables.calibration, registered, collection, rows, span)

    def decertify(
        self,
        registered: RegisteredType,
        collection: Collection,
        timespan: Timespan,
        data_ids: Columns | None = None,
    ) -> int:
        """Cut a time out of the validity of datasets; return how many ranges it touched.

        Parameters
        ----------
        data_ids
            Required values of the data IDs concerned; all of the type if None.
        """
        _require(collection, CollectionType.CALIBRATION)
        table = registered.tables.calibration
        with self._database.transaction():
            self._database.lock(table)
            touched = self._overlapping(registered, collection, timespan, data_ids)
            pieces: Columns = {name: [] for name in touched if name != "calibration_id"}
            for i in range(len(touched["calibration_id"])):
                held = Timespan(touched["begin_ns"][i], touched["end_ns"][i])
                for piece in held.difference(timespan):
                    for name, values in pieces.items():
                        values.append(touched[name][i])
                    pieces["begin_ns"][-1], pieces["end_ns"][-1] = piece.begin_ns, piece.end_ns
            keys = {"calibration_id": touched["calibration_id"]}
            with self._database.staged(keys, dict(table.c)) as staged:
                gone = sa.select(staged.c.calibration_id)
                self._database.execute(sa.delete(table).where(table.c.calibration_id.in_(gone)))
            self._database.insert_columns(table, pieces)
        return len(touched["calibration_id"])

    def ranges(self, registered: RegisteredType, collection: Collection) -> Columns:
        """Return all validity ranges of a type: dataset_key, data ID columns, begin_ns, end_ns."""
        table = registered.tables.calibration
        names = registered.dataset_type.dimensions.required
        return self._database.fetch_columns(
            sa.select(
                table.c.dataset_key, *(table.c[n] for n in names), table.c.begin_ns, table.c.end_ns
            )
            .where(
                table.c.dataset_type_id == registered.key, table.c.collection_id == collection.key
            )
            .order_by(*(table.c[n] for n in names), table.c.begin_ns)
        )

    def tagged(self, registered: RegisteredType, collection: Collection) -> list[int]:
        """Return the keys of the datasets of a type that a TAGGED collection names."""
        table = registered.tables.tag
        select = sa.select(table.c.dataset_key).where(
            table.c.dataset_type_id == registered.key, table.c.collection_id == collection.key
        )
        return [row[0] for row in self._database.fetch_rows(select)]

    def _overlapping(
        self,
        registered: RegisteredType,
        collection: Collection,
        timespan: Timespan,
        data_ids: Columns | None,
    ) -> Columns:
        table = registered.tables.calibration
        select = sa.select(table).where(
            table.c.dataset_type_id == registered.key,
            table.c.collection_id == collection.key,
            table.c.begin_ns < timespan.end_ns,
            table.c.end_ns > timespan.begin_ns,
        )
        names = registered.dataset_type.dimensions.required
        if data_ids is None or not names:
            return self._database.fetch_columns(select)
        given = {name: data_ids[name] for name in names}
        with self._database.staged(given, dict(table.c)) as staged:
            same = [table.c[name] == staged.c[name] for name in names]
            return self._database.fetch_columns(
                select.where(sa.exists(sa.select(staged.c[names[0]]).where(*same)))
            )

    def _check_free(
        self,
        registered: RegisteredType,
        collection: Collection,
        rows: Columns,
        timespan: Timespan,
    ) -> None:
        names = registered.dataset_type.dimensions.required
        what = registered.dataset_type.name
        if _doubled(names, rows) is not None:
            raise ValidityConflictError(
                f"two {what!r} datasets of one data ID cannot be certified for the same time in "
                f"{collection.name!r}"
            )
        taken = self._overlapping(registered, collection, timespan, rows)
        if taken["dataset_key"]:
            held = {n: taken[n][0] for n in names}
            begin, end = ns_to_iso(taken["begin_ns"][0]), ns_to_iso(taken["end_ns"][0])
            raise ValidityConflictError(
                f"{collection.name!r} has a {what!r} for {held} valid from {begin} to {end}, which "
                f"overlaps {timespan} ({len(taken['dataset_key'])} such in all); decertify it "
                "first or choose other dates"
            )

    # ---------------------------------------------------------------- shared
    def _staged_keys(self, registered: RegisteredType, keys: Sequence[int]) -> Any:
        column = registered.tables.dataset.c.dataset_key
        return self._database.staged({"dataset_key": list(keys)}, {"dataset_key": column})

    def _data_ids(self, registered: RegisteredType, keys: Sequence[int]) -> Columns:
        table = registered.tables.dataset
        names = registered.dataset_type.dimensions.required
        with self._staged_keys(registered, keys) as staged:
            return self._database.fetch_columns(
                sa.select(table.c.dataset_key, *(table.c[n] for n in names)).join_from(
                    staged, table, table.c.dataset_key == staged.c.dataset_key
                )
            )

    def _insert(
        self,
        table: sa.Table,
        registered: RegisteredType,
        collection: Collection,
        rows: Columns,
        more: Columns,
    ) -> None:
        count = len(rows["dataset_key"])
        owners: Columns = {
            "dataset_type_id": [registered.key] * count,
            "collection_id": [collection.key] * count,
        }
        self._database.insert_columns(table, owners | rows | more)


def _doubled(names: Sequence[str], rows: Columns) -> dict[str, Any] | None:
    """Return a data ID that stands twice in some rows, or None."""
    seen: set[tuple[Any, ...]] = set()
    for i in range(len(rows["dataset_key"])):
        values = tuple(rows[name][i] for name in names)
        if values in seen:
            return dict(zip(names, values, strict=True))
        seen.add(values)
    return None


def _require(collection: Collection, type_: CollectionType) -> None:
    if collection.type is not type_:
        raise CollectionTypeError(
            f"{collection.name!r} is a {collection.type} collection, not {type_}"
        )
