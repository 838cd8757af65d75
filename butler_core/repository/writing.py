"""Puts one dataset: file and row as one step."""

from __future__ import annotations

import os
import uuid
from collections.abc import Mapping
from typing import Any

from butler_core.datasets.collection import Collection, CollectionType
from butler_core.datasets.dataset_id import new_ids
from butler_core.datasets.dataset_ref import DatasetRef
from butler_core.datasets.dataset_type import DatasetType
from butler_core.datastore.intake import path_is_taken
from butler_core.datastore.pending_files import StagedFile
from butler_core.dimensions.data_coordinate import DataCoordinate
from butler_core.errors import CollectionTypeError, UnknownCollectionError
from butler_core.queries.expansion import expand_columns
from butler_core.registry.dataset_types import RegisteredType
from butler_core.repository.expansion import complete_data_id
from butler_core.repository.repository import Repository


def put_dataset(
    repository: Repository,
    obj: Any,
    dataset_type: str,
    given: Mapping[str, Any],
    run: str,
    *,
    defaults: Mapping[str, Any],
    id_: uuid.UUID | None = None,
) -> DatasetRef:
    """Write an object and register it.

    The bytes and the file's name are on the disk before the row is committed,
    so whatever is found can be read.

    Raises
    ------
    DatasetExistsError
        If the run holds this dataset already.
    StorageClassMismatchError
        If the object is not of the storage class's type.
    PathTemplateError
        If its path is that of another dataset.
    """
    repository.require_writeable()
    registry = repository.registry
    registered = registry.dataset_types.get(dataset_type)
    group = registered.dataset_type.dimensions
    known = complete_data_id(registry, group, given, defaults)
    data_id = DataCoordinate.standardize({n: known[n] for n in group if n in known}, group=group)
    ref = DatasetRef(registered.dataset_type, data_id, run, id_ or uuid.UUID(bytes=new_ids(1)[0]))
    known_run = repository.known_runs.get(run)
    try:
        _write(repository, obj, registered, ref, known_run)
    except UnknownCollectionError:
        if known_run is None:
            raise
        # Another process has removed it since we looked.
        _write(repository, obj, registered, ref, None)
    return ref


def _write(
    repository: Repository,
    obj: Any,
    registered: RegisteredType,
    ref: DatasetRef,
    run: Collection | None,
) -> None:
    """Write one dataset's file and rows; a run is made only for what can be written."""
    # Alone, it is synced now, while nobody waits for the database; else with all others.
    is_alone = not repository.registry.database.in_transaction
    path = path_of(repository, ref)
    staged = repository.datastore.stage(obj, ref.dataset_type, path, is_to_sync=is_alone)
    try:
        _keep(repository, staged, registered, ref, run or ensure_run(repository, ref.run))
    except BaseException:
        staged.discard()
        raise


def _keep(
    repository: Repository,
    staged: StagedFile,
    registered: RegisteredType,
    ref: DatasetRef,
    run: Collection,
) -> None:
    """Register a dataset, and give its file the name."""
    registry = repository.registry
    path = staged.record.path
    columns = {name: [value] for name, value in ref.data_id.required.items()}
    with (
        registry.datasets.explained(registered, run, columns, [ref.id.bytes]),
        repository.transaction() as journal,
    ):
        # What a killed process left belongs to nobody and is replaced.
        is_taken = os.path.lexists(staged.target) and registry.files.owner_of(path) is not None
        registry.datasets.insert_stored(registered, run, ref, registry.files.row_of(staged.record))
        if is_taken:
            raise path_is_taken(path)
        journal.publish(staged)


def ensure_run(repository: Repository, name: str) -> Collection:
    """Return a RUN collection, made if it is not there.

    Raises
    ------
    CollectionTypeError
        If the name is of a collection of another type.
    """
    collections = repository.registry.collections
    found = collections.find([name]).get(name)
    if found is None:
        collections.register(name, CollectionType.RUN)
        found = collections.get(name)
    if found.type is not CollectionType.RUN:
        raise CollectionTypeError(f"{name!r} is a {found.type} collection; datasets go into a RUN")
    repository.known_runs.add(found)
    return found


def path_of(repository: Repository, ref: DatasetRef) -> str:
    """Return where a dataset's file goes, without extension."""
    fields = repository.datastore.fields_for(ref)
    values = {}
    if fields:
        columns = {name: [value] for name, value in ref.data_id.required.items()}
        found = expand_columns(repository.registry, ref.dataset_type.dimensions, columns, fields)
        values = {name: column[0] for name, column in found.items()}
    return repository.datastore.path_for(ref, values)


def paths_of(
    repository: Repository,
    dataset_type: DatasetType,
    run: str,
    columns: Mapping[str, list[Any]],
    ids: list[bytes],
) -> list[str]:
    """Return where the files of many datasets go, without extension.

    Parameters
    ----------
    columns
        Values of the type's required dimensions.
    """
    instruments = columns.get("instrument") or [None]
    template = repository.datastore.template_for(dataset_type, instruments[0])
    fields = expand_columns(
        repository.registry, dataset_type.dimensions, columns, template.fields
    ) if template.fields else {}  # fmt: skip
    texts = [str(uuid.UUID(bytes=id_)) for id_ in ids] if template.has_id else [""] * len(ids)
    return template.format_many(dataset_type, run, texts, fields)
