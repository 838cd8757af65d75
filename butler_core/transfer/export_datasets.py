"""Finds the datasets of an export, as columns."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from butler_core.datasets.dataset_ref import DatasetRef
from butler_core.datasets.dataset_type import DatasetType
from butler_core.errors import DatasetNotFoundError
from butler_core.registry.dataset_search import search_datasets
from butler_core.registry.registry import Registry


@dataclass(frozen=True, slots=True)
class ExportedDatasets:
    """Datasets of one type, each once: lists of equal length, in the order of run and data ID."""

    dataset_type: DatasetType
    keys: Sequence[int]
    #: 16 bytes each.
    ids: Sequence[bytes]
    #: Names of the runs that hold them.
    runs: Sequence[str]
    #: Values of the type's required dimensions.
    columns: Mapping[str, Sequence[Any]]

    @classmethod
    def of_rows(
        cls, dataset_type: DatasetType, rows: Iterable[tuple[Any, ...]]
    ) -> ExportedDatasets:
        """Make one of rows of run, key, id and data ID values, of which some may come twice."""
        names = dataset_type.dimensions.required
        ordered = sorted(set(rows), key=lambda row: (row[0], row[3:]))
        runs, keys, ids, *values = zip(*ordered, strict=True)
        return cls(dataset_type, keys, ids, runs, dict(zip(names, values, strict=True)))

    def rows(self) -> list[tuple[Any, ...]]:
        """Return run, key, id and data ID values of each."""
        return list(zip(self.runs, self.keys, self.ids, *self.columns.values(), strict=True))

    def data_ids(self) -> list[dict[str, Any]]:
        """Return the data IDs."""
        names = list(self.columns)
        return [dict(zip(names, row[3:], strict=True)) for row in self.rows()]

    def merged_with(self, other: ExportedDatasets) -> ExportedDatasets:
        """Return the datasets of both."""
        return ExportedDatasets.of_rows(self.dataset_type, [*self.rows(), *other.rows()])

    def in_run(self, run: str) -> ExportedDatasets:
        """Return those of one run."""
        rows = [row for row in self.rows() if row[0] == run]
        return ExportedDatasets.of_rows(self.dataset_type, rows)


def datasets_of_refs(registry: Registry, refs: Sequence[DatasetRef]) -> dict[str, ExportedDatasets]:
    """Return single datasets by name of their type.

    Raises
    ------
    DatasetNotFoundError
        If some do not exist.
    """
    stored = registry.datasets.find_ids([ref.id.bytes for ref in refs]) if refs else {}
    missing = [ref for ref in refs if ref.id.bytes not in stored]
    if missing:
        shown = ", ".join(map(str, missing[:3])) + (", ..." if len(missing) > 3 else "")
        raise DatasetNotFoundError(
            f"{len(missing)} of {len(refs)} datasets to export do not exist in "
            f"{registry.database.place!r}: {shown}"
        )
    by_type: dict[str, list[tuple[Any, ...]]] = {}
    types: dict[str, DatasetType] = {}
    for id_, (ref, key) in stored.items():
        types[ref.dataset_type.name] = ref.dataset_type
        row = (ref.run, key, id_, *ref.data_id.values_required)
        by_type.setdefault(ref.dataset_type.name, []).append(row)
    return {name: ExportedDatasets.of_rows(types[name], rows) for name, rows in by_type.items()}


def datasets_in(
    registry: Registry, dataset_types: Sequence[str], collections: Sequence[str]
) -> dict[str, ExportedDatasets]:
    """Return all datasets of some types in some collections, by name of their type.

    Parameters
    ----------
    dataset_types, collections
        Names or patterns; chains are opened.
    """
    if not dataset_types:
        return {}
    searched = registry.collections.flatten(collections)
    run_names = {collection.key: collection.name for collection in registry.collections.all()}
    found: dict[str, ExportedDatasets] = {}
    for registered in registry.dataset_types.resolve(dataset_types):
        dataset_type = registered.dataset_type
        search = search_datasets(registered, searched, find_first=False).subquery()
        names = ("run_id", "dataset_key", "id", *dataset_type.dimensions.required)
        rows = registry.database.fetch_rows(sa.select(*(search.c[name] for name in names)))
        if rows:
            named = ((run_names[row[0]], *row[1:]) for row in rows)
            found[dataset_type.name] = ExportedDatasets.of_rows(dataset_type, named)
    return found


def uuids(ids: Iterable[bytes]) -> list[uuid.UUID]:
    """Return ids as objects."""
    return [uuid.UUID(bytes=id_) for id_ in ids]
