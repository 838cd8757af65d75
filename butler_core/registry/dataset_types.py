"""Dataset types and the dimension groups they use."""

from __future__ import annotations

from collections.abc import Iterable

import sqlalchemy as sa

from butler_core.datasets.collection import is_glob, matches
from butler_core.datasets.dataset_type import DatasetType
from butler_core.dimensions.group import DimensionGroup
from butler_core.errors import (
    DatasetTypeConflictError,
    DatasetTypeError,
    DatasetTypeInUseError,
    UnknownDatasetTypeError,
    near_misses,
)
from butler_core.registry.database import Database
from butler_core.registry.schema import DatasetTables, Schema


class RegisteredType:
    """A dataset type with its key and the tables its datasets are in."""

    __slots__ = ("dataset_type", "group_id", "key", "tables")

    def __init__(
        self, dataset_type: DatasetType, key: int, group_id: int, tables: DatasetTables
    ) -> None:
        self.dataset_type = dataset_type
        self.key = key
        self.group_id = group_id
        self.tables = tables


class DatasetTypeTable:
    """What dataset types there are.

    A definition never changes while it exists, so what was read once is kept
    until a transaction is undone; what is not known is looked up again.
    """

    def __init__(self, database: Database, schema: Schema) -> None:
        self._database = database
        self._schema = schema
        self._table = schema.dataset_type
        self._groups = schema.dimension_group
        self._known: dict[str, RegisteredType] = {}
        self._rollbacks = database.rollbacks

    def refresh(self) -> None:
        """Read all definitions anew."""
        self._rollbacks = self._database.rollbacks
        rows = self._database.fetch_rows(
            sa.select(self._table, self._groups.c.dimensions)
            .join(self._groups, self._groups.c.group_id == self._table.c.group_id)
            .order_by(self._table.c.name)
        )
        known = {}
        for key, name, storage_class, is_calibration, group_id, dimensions in rows:
            group = self._schema.universe.conform(dimensions.split(",") if dimensions else ())
            known[name] = RegisteredType(
                DatasetType(name, group, storage_class, bool(is_calibration)),
                key,
                group_id,
                self._schema.dataset_tables(group_id, group),
            )
        self._known = known  # at once: another thread may be reading

    def find(self, name: str) -> RegisteredType | None:
        """Return a dataset type by name (a component's name finds its parent), or None."""
        parent = name.partition(".")[0]
        if parent not in self._known or self._rollbacks != self._database.rollbacks:
            self.refresh()
        return self._known.get(parent)

    def get(self, name: str) -> RegisteredType:
        """Return a dataset type by name.

        Raises
        ------
        UnknownDatasetTypeError
            If it is not registered.
        """
        found = self.find(name)
        if found is None:
            raise UnknownDatasetTypeError(
                f"no dataset type {name.partition('.')[0]!r} is registered."
                f"{near_misses(name.partition('.')[0], self._known)}"
            )
        return found

    def resolve(self, expression: Iterable[str]) -> list[RegisteredType]:
        """Return dataset types by name or pattern, by name; a name that is unknown raises."""
        self.refresh()
        found: dict[str, RegisteredType] = {}
        for name in expression:
            if is_glob(name):
                found.update((n, t) for n, t in self._known.items() if matches(n, name))
            else:
                found[name.partition(".")[0]] = self.get(name)
        return [found[name] for name in sorted(found)]

    def all(self) -> list[RegisteredType]:
        """Return every dataset type, by name."""
        self.refresh()
        return list(self._known.values())

    def groups(self) -> dict[int, tuple[DimensionGroup, DatasetTables]]:
        """Return every dimension group in use, by key, with its tables."""
        self.refresh()
        found = {}
        rows = self._database.fetch_rows(
            sa.select(self._groups.c.group_id, self._groups.c.dimensions)
        )
        for group_id, dimensions in rows:
            group = self._schema.universe.conform(dimensions.split(",") if dimensions else ())
            found[group_id] = (group, self._schema.dataset_tables(group_id, group))
        return found

    def register(self, dataset_type: DatasetType) -> bool:
        """Register a dataset type; return False if it was there with the same definition.

        Raises
        ------
        DatasetTypeConflictError
            If it is registered with another definition.
        DatasetTypeError
            If it is a component.
        """
        if dataset_type.component is not None:
            raise DatasetTypeError(
                f"{dataset_type.name!r} is a component, which is never registered; "
                f"register {dataset_type.parent_name!r}"
            )
        existing = self.find(dataset_type.name)
        if existing is not None:
            self._check_same(existing.dataset_type, dataset_type)
            return False
        with self._database.transaction():
            self._database.lock(self._groups)
            group_id = self._ensure_group(dataset_type.dimensions)
            self._database.insert_columns(
                self._table,
                {
                    "name": [dataset_type.name],
                    "storage_class": [dataset_type.storage_class],
                    "is_calibration": [dataset_type.is_calibration],
                    "group_id": [group_id],
                },
                on_conflict="skip",
            )
            self.refresh()
        self._check_same(self.get(dataset_type.name).dataset_type, dataset_type)
        return True

    def _check_same(self, ours: DatasetType, theirs: DatasetType) -> None:
        if ours != theirs:
            raise DatasetTypeConflictError(
                f"dataset type {ours.name!r} is registered as {_describe(ours)}; "
                f"asked for {_describe(theirs)}"
            )

    def _ensure_group(self, group: DimensionGroup) -> int:
        text = ",".join(group.required)
        select = sa.select(self._groups.c.group_id).where(self._groups.c.dimensions == text)
        group_id = self._database.fetch_scalar(select)
        if group_id is None:
            self._database.insert_columns(self._groups, {"dimensions": [text]})
            group_id = self._database.fetch_scalar(select)
            tables = self._schema.dataset_tables(group_id, group)
            self._database.create_tables(
                self._schema.metadata, [tables.dataset, tables.tag, tables.calibration]
            )
        return int(group_id)

    def remove(self, name: str) -> None:
        """Forget a dataset type of which no dataset exists.

        Raises
        ------
        DatasetTypeInUseError
            If datasets of it exist.
        """
        registered = self.get(name)
        try:
            with self._database.transaction():
                self._database.execute(
                    sa.delete(self._table).where(self._table.c.dataset_type_id == registered.key)
                )
        except sa.exc.IntegrityError as error:
            raise DatasetTypeInUseError(
                f"dataset type {name!r} cannot go while datasets of it exist; remove them first"
            ) from error
        self.refresh()


def _describe(dataset_type: DatasetType) -> str:
    calibration = ", a calibration" if dataset_type.is_calibration else ""
    return f"{dataset_type.dimensions} of {dataset_type.storage_class!r}{calibration}"
