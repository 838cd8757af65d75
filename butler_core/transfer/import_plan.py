"""Makes of an export file what can be registered: columns, ids, paths. Changes nothing.

All that is wrong with the file, as far as it shows without changing the
repository, is found here and told in one error.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from butler_core.datasets.collection import CollectionType
from butler_core.datasets.dataset_id import DatasetIdMode, reproducible_ids
from butler_core.datasets.dataset_type import DatasetType
from butler_core.errors import DatasetTypeError, DimensionError, ExportFileError, near_misses
from butler_core.registry.registry import Registry
from butler_core.repository.repository import Repository
from butler_core.timespan import Timespan
from butler_core.transfer.export_document import (
    CollectionEntry,
    DatasetBlock,
    ExportDocument,
    FileId,
    parse_document,
)
from butler_core.transfer.import_request import ImportRequest, find_export_file, find_files
from butler_core.transfer.observing_days import ObservingDays
from butler_core.transfer.old_universes import bring_up_to_date
from butler_core.transfer.record_columns import columns_of_records, typed_values
from butler_core.transfer.yaml_reader import read_yaml


@dataclass(slots=True)
class PlannedDatasets:
    """Datasets of one type in one run: lists of equal length."""

    dataset_type: DatasetType
    run: str
    ids: list[bytes]
    #: Values of the type's required dimensions.
    columns: dict[str, list[Any]]
    #: Of files that exist; None for datasets that get none.
    paths: list[str | None]
    #: Names of formatters; None for the dataset type's own.
    formatters: list[str | None]

    def rows(self) -> list[tuple[Any, ...]]:
        """Return the data IDs as value tuples."""
        return list(zip(*self.columns.values(), strict=True)) or [()] * len(self.ids)


@dataclass(frozen=True, slots=True)
class PlannedAssociation:
    """Datasets that a collection is to name."""

    collection: str
    ids: list[bytes]
    #: Validity range; None in a TAGGED collection.
    timespan: Timespan | None


@dataclass(slots=True)
class ImportPlan:
    """Everything that an import will do."""

    #: Columns by element, an element after all it refers to.
    records: dict[str, dict[str, list[Any]]] = field(default_factory=dict)
    collections: list[CollectionEntry] = field(default_factory=list)
    dataset_types: list[DatasetType] = field(default_factory=list)
    datasets: list[PlannedDatasets] = field(default_factory=list)
    associations: list[PlannedAssociation] = field(default_factory=list)


def plan_import(repository: Repository, request: ImportRequest) -> ImportPlan:
    """Read an export file and see what is to be done.

    Raises
    ------
    ExportFileError
        If the file is absent, is no export file, names what does not exist,
        or lacks files; all faults are in the message.
    """
    path = find_export_file(request)
    try:
        document = parse_document(read_yaml(path.read_text(encoding="utf-8")))
    except (OSError, UnicodeDecodeError, ExportFileError) as error:
        raise ExportFileError(f"the export file {str(path)!r} cannot be read: {error}") from error
    for name in request.skip_dimensions:
        repository.registry.universe[name]
    planner = _Planner(repository, document)
    planner.plan_records(request.skip_dimensions)
    planner.plan_dataset_types()
    planner.plan_collections()
    planner.plan_datasets()
    planner.plan_associations()
    blocks = planner.plan.datasets
    asked = [(block.paths, block.formatters) for block in blocks]
    for block, paths in zip(blocks, find_files(request, path, asked, planner.faults), strict=True):
        block.paths = paths
    if planner.faults:
        raise ExportFileError(
            "\n  - ".join([f"the export file {str(path)!r} cannot be imported:", *planner.faults])
        )
    return planner.plan


class _Planner:
    """Fills a plan, section by section, and notes faults."""

    def __init__(self, repository: Repository, document: ExportDocument) -> None:
        self.plan = ImportPlan()
        self.faults = document.faults
        self._registry: Registry = repository.registry
        self._document = document
        self._types: dict[str, DatasetType] = {}
        self._ids: dict[FileId, bytes] = {}
        self._owners: dict[bytes, tuple[str, str, tuple[Any, ...]]] = {}
        self._seen: set[bytes] = set()
        instruments = document.records.get("instrument", ())
        class_names = {str(r.get("name")): str(r.get("class_name") or "") for r in instruments}
        days = ObservingDays(repository, class_names)
        bring_up_to_date(document, self._registry.universe, days.start_s)

    def plan_records(self, skipped: frozenset[str]) -> None:
        universe, records = self._registry.universe, self._document.records
        for name in records:
            if name not in universe:
                self.faults.append(
                    f"no dimension element {name!r} in universe {universe.namespace} "
                    f"{universe.version}.{near_misses(name, [e.name for e in universe])}"
                )
        for element in universe.stored_elements:
            if element.name in records and element.name not in skipped:
                try:
                    columns = columns_of_records(element, records[element.name])
                except DimensionError as error:
                    self.faults.append(str(error))
                    continue
                self.plan.records[element.name] = columns

    def plan_dataset_types(self) -> None:
        universe = self._registry.universe
        for entry in self._document.dataset_types.values():
            try:
                dataset_type = DatasetType.of(
                    entry.name,
                    entry.dimensions,
                    entry.storage_class,
                    universe=universe,
                    is_calibration=entry.is_calibration,
                )
            except (DimensionError, DatasetTypeError) as error:
                self.faults.append(f"line {entry.line} (dataset_type {entry.name!r}): {error}")
                continue
            self._types[entry.name] = dataset_type
            self.plan.dataset_types.append(dataset_type)

    def plan_collections(self) -> None:
        self.plan.collections = list(self._document.collections.values())
        named = {child for entry in self.plan.collections for child in entry.children}
        absent = named - self._document.collections.keys()
        unknown = sorted(absent - self._registry.collections.find(absent).keys())
        if unknown:
            self.faults.append(
                f"chains name the collections {', '.join(map(repr, unknown))}, which are neither "
                "in the file nor in the repository"
            )

    # ------------------------------------------------------------- datasets
    def plan_datasets(self) -> None:
        for block in self._document.datasets:
            dataset_type = self._type_of(block)
            if dataset_type is None:
                continue
            place = f"line {block.line} ({block.dataset_type!r} in {block.run!r})"
            columns = self._data_ids(block, dataset_type, place)
            if columns is None:
                continue
            planned = PlannedDatasets(
                dataset_type, block.run, [], columns, block.paths, block.formatters
            )
            planned.ids = self._give_ids(planned, block.ids)
            self._drop_repeated(planned, place)
            self.plan.datasets.append(planned)

    def _type_of(self, block: DatasetBlock) -> DatasetType | None:
        known = self._types.get(block.dataset_type)
        if known is not None or block.dataset_type in self._document.dataset_types:
            return known  # None if its definition is a fault already
        registered = self._registry.dataset_types.find(block.dataset_type)
        if registered is not None:
            return registered.dataset_type
        self.faults.append(
            f"line {block.line}: the dataset type {block.dataset_type!r} is neither in the file "
            f"nor in the repository.{near_misses(block.dataset_type, self._types)}"
        )
        return None

    def _data_ids(
        self, block: DatasetBlock, dataset_type: DatasetType, place: str
    ) -> dict[str, list[Any]] | None:
        group, count = dataset_type.dimensions, len(self.faults)
        columns: dict[str, list[Any]] = {}
        for name in group.required:
            values = [data_id.get(name) for data_id in block.data_ids]
            if None in values:
                lacking = block.data_ids[values.index(None)]
                self.faults.append(f"{place}: the data ID {lacking} lacks {name!r}")
                continue
            key = group.universe[name].key
            assert key is not None, "a group holds dimensions only"
            columns[name] = typed_values(key, values, self.faults, f"{name!r}, {place}")
        return columns if len(self.faults) == count else None

    def _give_ids(self, planned: PlannedDatasets, given: Sequence[FileId]) -> list[bytes]:
        """Return ids; integers, which one repository gave itself, become UUIDs of the data ID."""
        if set(map(type, given)) <= {uuid.UUID}:
            ids = [i.bytes for i in given if isinstance(i, uuid.UUID)]
        else:
            group = planned.dataset_type.dimensions
            rows = list(zip(*planned.columns.values(), strict=True)) or [()] * len(given)
            made = reproducible_ids(
                DatasetIdMode.DATAID_TYPE_RUN, planned.dataset_type.name, planned.run, group, rows
            )
            pairs = zip(given, made, strict=True)
            ids = [i.bytes if isinstance(i, uuid.UUID) else new for i, new in pairs]
        self._ids.update(zip(given, ids, strict=True))
        return ids

    def _drop_repeated(self, planned: PlannedDatasets, place: str) -> None:
        """Keep each dataset once: files with several datasets are listed with each of them."""
        name, run = planned.dataset_type.name, planned.run
        keep = []
        for i, (id_, row) in enumerate(zip(planned.ids, planned.rows(), strict=True)):
            owner = self._owners.setdefault(id_, (name, run, row))
            if owner != (name, run, row):
                self.faults.append(
                    f"{place}: the dataset id {uuid.UUID(bytes=id_)} is given to {row} and, before "
                    f"it, to {owner[0]!r} {owner[2]} in {owner[1]!r}"
                )
            elif id_ not in self._seen:
                self._seen.add(id_)
                keep.append(i)
        if len(keep) < len(planned.ids):
            planned.ids = [planned.ids[i] for i in keep]
            columns = planned.columns.items()
            planned.columns = {name: [values[i] for i in keep] for name, values in columns}
            planned.paths = [planned.paths[i] for i in keep]
            planned.formatters = [planned.formatters[i] for i in keep]

    # --------------------------------------------------------- associations
    def plan_associations(self) -> None:
        absent: list[FileId] = []
        for entry in self._document.associations:
            outside = [i for i in entry.ids if i not in self._ids and isinstance(i, uuid.UUID)]
            stored = self._registry.datasets.find_ids([i.bytes for i in outside]) if outside else {}
            self._ids.update((i, i.bytes) for i in outside if i.bytes in stored)
            absent += [i for i in entry.ids if i not in self._ids]
            ids = [self._ids[i] for i in entry.ids if i in self._ids]
            self.plan.associations.append(PlannedAssociation(entry.collection, ids, entry.timespan))
            self._check_collection(entry.collection, entry.type, entry.line)
        if absent:
            shown = ", ".join(str(i) for i in absent[:5]) + (", ..." if len(absent) > 5 else "")
            self.faults.append(
                f"associations name {len(absent)} datasets that are neither in the file nor in the "
                f"repository: {shown}"
            )

    def _check_collection(self, name: str, type_: CollectionType, line: int) -> None:
        stored = self._registry.collections.find([name])
        entry = self._document.collections.get(name) or stored.get(name)
        if entry is None:
            self.plan.collections.append(CollectionEntry(name, type_))
            self._document.collections[name] = self.plan.collections[-1]
        elif entry.type is not type_:
            self.faults.append(f"line {line}: {name!r} is {entry.type}, not {type_}")
