"""Imports what an export file describes: records, collections, datasets and their files.

All or nothing: what is wrong with the file is found first, and what is wrong
with it in this repository undoes the whole import.
"""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from butler_core.datasets.collection import CollectionType
from butler_core.datasets.dataset_ref import DatasetRef
from butler_core.errors import DatasetExistsError
from butler_core.registry.dataset_types import RegisteredType
from butler_core.registry.registry import Registry
from butler_core.repository.ingest import IngestRequest, ingest_files
from butler_core.repository.repository import Repository
from butler_core.repository.writing import ensure_run
from butler_core.transfer.export_document import CollectionEntry
from butler_core.transfer.import_plan import (
    ImportPlan,
    PlannedAssociation,
    PlannedDatasets,
    plan_import,
)
from butler_core.transfer.import_request import ImportRequest

__all__ = ["ImportRequest", "ImportSummary", "import_repository"]

#: Conflicting datasets that are named in an error.
_MAX_LISTED = 10

Stored = dict[bytes, tuple[DatasetRef, int]]


@dataclass(frozen=True, slots=True)
class ImportSummary:
    """How much was new; what the repository had before is not counted."""

    #: Dimension records by element.
    records: dict[str, int] = field(default_factory=dict)
    collections: int = 0
    dataset_types: int = 0
    datasets: int = 0
    files: int = 0
    #: Datasets named in TAGGED collections, and validity ranges in CALIBRATION collections.
    associations: int = 0


def import_repository(repository: Repository, request: ImportRequest) -> ImportSummary:
    """Import an export file of daf_butler (format 0 or 1.0.x) or of `export_repository`.

    Dimension records that exist stay as they are. Datasets keep their ids;
    one that the repository has already, with the same id, type, data ID and
    run, is left alone. Integer ids of the first formats become UUIDs that
    follow from dataset type, run and data ID. A chain gets the file's
    children; tags replace those of the same data ID.

    Raises
    ------
    ExportFileError
        If the file is broken, or lacks something; all faults at once.
    MissingRecordError
        If a record or data ID refers to a record that is neither in the file
        nor in the repository.
    DatasetExistsError
        If another dataset has one of the ids, or is of the same type, data ID
        and run.
    DatasetTypeConflictError
        If a dataset type is registered with another definition.
    CollectionTypeError
        If a collection exists with another type.
    ValidityConflictError
        If a validity range overlaps one of another dataset.
    """
    repository.require_writeable()
    plan = plan_import(repository, request)
    registry = repository.registry
    with repository.transaction():
        stored = registry.datasets.find_ids([i for block in plan.datasets for i in block.ids])
        _check_same(plan.datasets, stored)
        dataset_types = sum(registry.dataset_types.register(t) for t in plan.dataset_types)
        collections = _register_collections(registry, plan.collections)
        records = {
            name: registry.records.insert(name, columns, on_conflict="skip")
            for name, columns in plan.records.items()
        }
        counts: Counter[str] = Counter()
        for block in plan.datasets:
            new = [i for i, id_ in enumerate(block.ids) if id_ not in stored]
            counts["datasets"] += len(new)
            counts["files"] += _register_datasets(repository, block, new, request)
        associations = _associate(registry, plan)
    registry.database.refresh_statistics()
    return ImportSummary(
        records, collections, dataset_types, counts["datasets"], counts["files"], associations
    )


def _register_collections(registry: Registry, entries: Iterable[CollectionEntry]) -> int:
    entries = list(entries)
    count = sum(registry.collections.register(e.name, e.type, e.doc) for e in entries)
    for entry in entries:
        if entry.type is CollectionType.CHAINED:
            registry.collections.set_chain(entry.name, entry.children)
    return count


# ------------------------------------------------------------------ datasets
def _check_same(blocks: Iterable[PlannedDatasets], stored: Stored) -> None:
    """Raise DatasetExistsError if datasets of the file have ids that others have here."""
    if not stored:
        return
    faults = []
    for block in blocks:
        for id_, row in zip(block.ids, block.rows(), strict=True):
            if id_ not in stored:
                continue
            ref = stored[id_][0]
            ours = (ref.dataset_type.name, ref.run, ref.data_id.values_required)
            if ours != (block.dataset_type.name, block.run, row):
                data_id = dict(zip(block.columns, row, strict=True))
                faults.append(
                    f"{uuid.UUID(bytes=id_)} is {ref} here, and {block.dataset_type.name!r} of "
                    f"{data_id} in {block.run!r} in the file"
                )
    if faults:
        more = f"\n  and {len(faults) - _MAX_LISTED} more" if len(faults) > _MAX_LISTED else ""
        raise DatasetExistsError(
            "ids of datasets in the export file belong to other datasets of the repository, so "
            "they cannot be imported:\n  - " + "\n  - ".join(faults[:_MAX_LISTED]) + more
        )


def _register_datasets(
    repository: Repository, block: PlannedDatasets, new: list[int], request: ImportRequest
) -> int:
    """Register the new datasets of a block, with their files; return how many have one."""
    by_formatter: dict[tuple[bool, str | None], list[int]] = {}
    for i in new:
        has_file = block.paths[i] is not None
        key = (has_file, block.formatters[i] if has_file else None)
        by_formatter.setdefault(key, []).append(i)
    for (has_file, formatter), rows in by_formatter.items():
        ids = [block.ids[i] for i in rows]
        columns = {name: [values[i] for i in rows] for name, values in block.columns.items()}
        if not has_file:
            registered = repository.registry.dataset_types.get(block.dataset_type.name)
            run = ensure_run(repository, block.run)
            repository.registry.datasets.insert(registered, run, columns, ids=ids)
            continue
        ingest_files(
            repository,
            IngestRequest(
                dataset_type=block.dataset_type.name,
                run=block.run,
                paths=[path for path in (block.paths[i] for i in rows) if path is not None],
                columns=columns,
                mode=request.mode,
                ids=ids,
                formatter=formatter,
                track_file_attrs=request.track_file_attrs,
            ),
        )
    return sum(len(rows) for (has_file, _), rows in by_formatter.items() if has_file)


# -------------------------------------------------------------- associations
def _associate(registry: Registry, plan: ImportPlan) -> int:
    """Tag and certify; return how many tags and ranges are new."""
    ids = list(dict.fromkeys(id_ for entry in plan.associations for id_ in entry.ids))
    stored = registry.datasets.find_ids(ids) if ids else {}
    known = _KnownMembers(registry)
    return sum(
        _associate_one(registry, entry, name, keys, known)
        for entry in plan.associations
        for name, keys in _keys_by_type(entry, stored).items()
    )


def _keys_by_type(entry: PlannedAssociation, stored: Stored) -> dict[str, list[int]]:
    keys: dict[str, list[int]] = {}
    for id_ in dict.fromkeys(entry.ids):
        ref, key = stored[id_]
        keys.setdefault(ref.dataset_type.name, []).append(key)
    return keys


class _KnownMembers:
    """What collections named before the import, read once for each collection and type."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._known: dict[tuple[str, str], set[Any]] = {}

    def of(self, collection: str, registered: RegisteredType, *, is_tagged: bool) -> set[Any]:
        """Return keys of tagged datasets, or keys and both ends of validity ranges [TAI ns]."""
        place = (collection, registered.dataset_type.name)
        if place not in self._known:
            found = self._registry.collections.get(collection)
            if is_tagged:
                self._known[place] = set(self._registry.memberships.tagged(registered, found))
            else:
                ranges = self._registry.memberships.ranges(registered, found)
                names = ("dataset_key", "begin_ns", "end_ns")
                self._known[place] = set(zip(*(ranges[name] for name in names), strict=True))
        return self._known[place]


def _associate_one(
    registry: Registry,
    entry: PlannedAssociation,
    name: str,
    keys: list[int],
    members: _KnownMembers,
) -> int:
    """Name the datasets of one type in a collection, unless it names them already."""
    registered = registry.dataset_types.get(name)
    span = entry.timespan
    known = members.of(entry.collection, registered, is_tagged=span is None)
    new = [k for k in keys if (k if span is None else (k, span.begin_ns, span.end_ns)) not in known]
    if not new:
        return 0
    collection = registry.collections.get(entry.collection)
    if span is None:
        registry.memberships.associate(registered, collection, new)
    else:
        registry.memberships.certify(registered, collection, new, span)
    return len(new)
