"""Dimension records: one table per element, as columns in and out, with their overlaps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from butler_core.dimensions.dimension import DimensionElement
from butler_core.dimensions.universe import DimensionUniverse
from butler_core.errors import DimensionError, MissingRecordError, RecordConflictError
from butler_core.registry.backend import OnConflict
from butler_core.registry.database import Columns, Database
from butler_core.registry.schema import Schema


class DimensionRecordTables:
    """Stores and finds dimension records.

    Records travel as columns, by the names of the element's table: its
    `fields`, then ``region`` (encoded bytes), ``begin_ns`` and ``end_ns``
    where it has them.
    """

    def __init__(self, database: Database, schema: Schema) -> None:
        self._database = database
        self._schema = schema

    @property
    def universe(self) -> DimensionUniverse:
        """The universe whose elements are stored."""
        return self._schema.universe

    def column_names(self, element: DimensionElement) -> list[str]:
        """Return the names of all columns of an element's records, in table order."""
        if element.has_table:
            return [column.name for column in self._schema.elements[element.name].columns]
        return list(element.fields)

    # -------------------------------------------------------------- storing
    def insert(
        self,
        element_name: str,
        columns: Mapping[str, Sequence[Any]],
        *,
        on_conflict: OnConflict = "raise",
    ) -> int:
        """Insert records given as columns and return how many were new.

        Parameters
        ----------
        columns
            Values by column; a column that is left out is null.
        on_conflict
            What to do with a record whose key exists: ``raise``, ``skip`` it,
            or ``replace`` the values given in what is stored.

        Raises
        ------
        RecordConflictError
            If a key exists and ``on_conflict`` is ``raise``.
        MissingRecordError
            If a record refers to one that does not exist.
        """
        element = self.universe[element_name]
        if not element.has_table:
            return 0
        table = self._schema.elements[element.name]
        self._check_columns(element, columns)
        total = len(next(iter(columns.values()), ()))
        try:
            with self._database.transaction():
                self._database.lock(table)
                if on_conflict == "skip":
                    columns = self._without_existing(element, columns)
                elif on_conflict == "replace":
                    columns = _last_of_each(element.key_columns, columns)
                rule: OnConflict = "replace" if on_conflict == "replace" else "raise"
                self._database.insert_columns(table, columns, on_conflict=rule)
                if "region" in columns:
                    self._store_overlaps(element, columns, replace=on_conflict == "replace")
        except sa.exc.IntegrityError as error:
            raise self._explain(element, columns, error) from error
        return total if on_conflict == "replace" else len(next(iter(columns.values()), ()))

    def sync(self, element_name: str, values: Mapping[str, Any], *, update: bool = False) -> bool:
        """Store one record unless it is there already; return whether anything changed.

        Raises
        ------
        RecordConflictError
            If another record is stored under its key and ``update`` is False.
        """
        element = self.universe[element_name]
        table = self._schema.elements[element.name]
        self._check_columns(element, values)
        with self._database.transaction():
            self._database.lock(table)
            key = sa.and_(*(table.c[name] == values[name] for name in element.key_columns))
            stored = self._database.fetch_columns(sa.select(table).where(key))
            if not stored[element.key_columns[0]]:
                self.insert(element_name, {name: [value] for name, value in values.items()})
                return True
            changes = {
                name: (stored[name][0], value)
                for name, value in values.items()
                if stored[name][0] != value
            }
            if not changes:
                return False
            if not update:
                listed = ", ".join(
                    f"{n}: {old!r} is not {new!r}" for n, (old, new) in changes.items()
                )
                raise RecordConflictError(
                    f"the stored {element.name} record {self._key_text(element, values)} differs "
                    f"({listed}); update it explicitly to replace it"
                )
            merged = {name: [value[0]] for name, value in stored.items()}
            merged |= {name: [value] for name, value in values.items()}
            self.insert(element_name, merged, on_conflict="replace")
            return True

    def _check_columns(self, element: DimensionElement, columns: Mapping[str, Any]) -> None:
        known = self.column_names(element)
        unknown = [name for name in columns if name not in known]
        missing = [name for name in element.key_columns if name not in columns]
        if unknown or missing:
            raise DimensionError(
                f"records of {element.name!r} have the columns {', '.join(known)}; "
                f"{_listed('unknown', unknown)}{_listed('missing', missing)}".rstrip("; ")
            )

    def _without_existing(
        self, element: DimensionElement, columns: Mapping[str, Sequence[Any]]
    ) -> Mapping[str, Sequence[Any]]:
        """Drop rows whose key is stored already or stands earlier in the columns."""
        stale = set(self._conflicting(element, columns))
        if not stale:
            return columns
        count = len(columns[element.key_columns[0]])
        keep = [i for i in range(count) if i not in stale]
        return {name: [column[i] for i in keep] for name, column in columns.items()}

    def _conflicting(
        self, element: DimensionElement, columns: Mapping[str, Sequence[Any]]
    ) -> list[int]:
        """Return the rows whose key is stored already or stands earlier in the columns."""
        existing = self._existing_keys(element, columns)
        keys = zip(*(columns[name] for name in element.key_columns), strict=True)
        stale = []
        for i, key in enumerate(keys):
            if key in existing:
                stale.append(i)
            existing.add(key)
        return stale

    def _existing_keys(
        self, element: DimensionElement, columns: Mapping[str, Sequence[Any]]
    ) -> set[tuple[Any, ...]]:
        table = self._schema.elements[element.name]
        keys = {name: columns[name] for name in element.key_columns}
        with self._database.staged(keys, dict(table.c)) as staged:
            match = sa.and_(*(staged.c[name] == table.c[name] for name in keys))
            select = sa.select(*(table.c[name] for name in keys)).join_from(staged, table, match)
            return set(self._database.fetch_rows(select))

    def _store_overlaps(
        self, element: DimensionElement, columns: Mapping[str, Sequence[Any]], *, replace: bool
    ) -> None:
        from butler_core import region

        regions = columns["region"]
        present = [i for i, value in enumerate(regions) if value is not None]
        overlap = self._schema.overlaps[element.name]
        keys = element.key_columns
        if replace:
            with self._database.staged({n: columns[n] for n in keys}, dict(overlap.c)) as staged:
                same = [overlap.c[name] == staged.c[name] for name in keys]
                stale = sa.exists(sa.select(sa.literal(1)).select_from(staged).where(*same))
                self._database.execute(sa.delete(overlap).where(stale))
        if not present:
            return
        level = int(self.universe.common_skypix.removeprefix("htm"))
        rows, pixels = region.envelopes([regions[i] for i in present], level=level)
        owner = [present[i] for i in rows.tolist()]
        stored: dict[str, Sequence[Any]] = {n: [columns[n][i] for i in owner] for n in keys}
        self._database.insert_columns(overlap, stored | {"pixel": pixels.tolist()})

    def _explain(
        self, element: DimensionElement, columns: Mapping[str, Sequence[Any]], error: Exception
    ) -> DimensionError:
        """Say which key was there, which record was missing, or which name was taken twice."""
        if stale := self._conflicting(element, columns):
            values = {name: columns[name][stale[0]] for name in element.key_columns}
            return RecordConflictError(
                f"there is a {element.name} record {self._key_text(element, values)} already "
                f"({len(stale)} such in all)"
            )
        for name in [*element.implied, *element.required]:
            other = self.universe[name]
            if other is element or not other.has_table:
                continue
            ours = [element.column_of(part) for part in other.required]
            keys = {
                theirs: columns[our] for theirs, our in zip(other.key_columns, ours, strict=True)
            }
            missing = set(zip(*keys.values(), strict=True)) - self._existing_keys(other, keys)
            if missing:
                shown = dict(zip(other.required, min(missing, key=repr), strict=True))
                return MissingRecordError(
                    f"a {element.name} record refers to {name} {shown}, of which there is no "
                    f"record ({len(missing)} such in all); insert those first"
                )
        return RecordConflictError(
            f"{element.name} records cannot be stored: {error.__cause__ or error}"
        )

    def _key_text(self, element: DimensionElement, values: Mapping[str, Any]) -> str:
        names = zip(element.required, element.key_columns, strict=True)
        return "{" + ", ".join(f"{name}: {values[column]!r}" for name, column in names) + "}"

    # --------------------------------------------------------------- finding
    def fetch(self, element_name: str, where: Mapping[str, Any] | None = None) -> Columns:
        """Return records as columns, in key order.

        Parameters
        ----------
        where
            Values that key columns must have.
        """
        element = self.universe[element_name]
        select = self.select(element)
        for name, value in (where or {}).items():
            select = select.where(select.selected_columns[name] == value)
        return self._database.fetch_columns(select)

    def count(self, element_name: str) -> int:
        """Return how many records of an element there are."""
        inner = self.select(self.universe[element_name]).order_by(None).subquery()
        return int(self._database.fetch_scalar(sa.select(sa.func.count()).select_from(inner)))

    def select(self, element: DimensionElement) -> sa.Select[Any]:
        """Return the query for all records of an element that has a table or is a view."""
        if element.view_of is not None:
            table = self._schema.elements[element.view_of]
            key = table.c[element.name].label(element.key_columns[0])
            return sa.select(key).distinct().order_by(key)
        table = self._schema.elements[element.name]
        return sa.select(table).order_by(*(table.c[name] for name in element.key_columns))

    def delete(self, element_name: str, where: Mapping[str, Any]) -> int:
        """Delete the records whose key columns have the values given; return how many."""
        table = self._schema.elements[element_name]
        condition = sa.and_(*(table.c[name] == value for name, value in where.items()))
        return self._database.execute(sa.delete(table).where(condition))


def _last_of_each(
    keys: Sequence[str], columns: Mapping[str, Sequence[Any]]
) -> Mapping[str, Sequence[Any]]:
    """Keep, of rows with the same key, the last."""
    places = {key: i for i, key in enumerate(zip(*(columns[name] for name in keys), strict=True))}
    keep = sorted(places.values())
    return {name: [column[i] for i in keep] for name, column in columns.items()}


def _listed(word: str, names: Sequence[str]) -> str:
    return f"{word}: {', '.join(names)}; " if names else ""
