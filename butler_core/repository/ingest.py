"""Takes existing files in as datasets: columns all the way."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from butler_core.datasets.dataset_id import DatasetIdMode, new_ids, reproducible_ids
from butler_core.datasets.dataset_ref import DatasetRef
from butler_core.datastore.transfer_mode import TransferMode
from butler_core.errors import IngestError
from butler_core.registry.database import Columns
from butler_core.repository.repository import Repository
from butler_core.repository.writing import ensure_run, paths_of


@dataclass(frozen=True, slots=True)
class FileDataset:
    """A file and the datasets in it: one, for most formats."""

    path: str | Path
    refs: tuple[DatasetRef, ...]
    #: Name of the formatter that reads it; the dataset type's own if None.
    formatter: str | None = None

    @classmethod
    def of(
        cls, path: str | Path, refs: DatasetRef | Iterable[DatasetRef], formatter: str | None = None
    ) -> FileDataset:
        """Make one from a single reference or several."""
        return cls(path, (refs,) if isinstance(refs, DatasetRef) else tuple(refs), formatter)


@dataclass(frozen=True, slots=True)
class IngestRequest:
    """Files to take in as datasets of one type in one run."""

    dataset_type: str
    run: str
    paths: Sequence[str | Path]
    #: Values of the type's required dimensions, one for each path.
    columns: Mapping[str, Sequence[Any]]
    mode: TransferMode = TransferMode.AUTO
    id_mode: DatasetIdMode = DatasetIdMode.UNIQUE
    #: Ids that the datasets have already, 16 bytes each.
    ids: Sequence[bytes] | None = None
    formatter: str | None = None
    #: Storage class that the files hold, if not the dataset type's.
    storage_class: str | None = None
    track_file_attrs: bool = True


def ingest_files(repository: Repository, request: IngestRequest) -> list[bytes]:
    """Take files in, all or none, and return the datasets' ids.

    Rows are inserted before files are brought in place, so that whatever file
    is in the way belongs to nobody; the database stays locked for writers
    until the files are in place and synced.

    Raises
    ------
    DatasetExistsError
        If the run holds one of the datasets already.
    TransferError
        If a file cannot be taken in.
    PathTemplateError
        If a dataset's path is that of another.
    MissingRecordError
        If a data ID names what has no dimension record.
    """
    repository.require_writeable()
    registry = repository.registry
    registered = registry.dataset_types.get(request.dataset_type)
    dataset_type = registered.dataset_type
    count = len(request.paths)
    columns: Columns = {n: list(request.columns[n]) for n in dataset_type.dimensions.required}
    ids = (
        list(request.ids)
        if request.ids is not None
        else _make_ids(request, repository, columns, count)
    )
    run = ensure_run(repository, request.run)
    with repository.transaction() as journal:
        keys = registry.datasets.insert(registered, run, columns, ids=ids).keys
        targets = (
            [""] * count
            if request.mode is TransferMode.DIRECT
            else paths_of(repository, dataset_type, run.name, columns, ids)
        )
        batch = repository.datastore.ingest(
            dataset_type,
            request.paths,
            targets,
            request.mode,
            is_taken=lambda path: registry.files.owner_of(path) is not None,
            formatter=request.formatter,
            storage_class=request.storage_class,
            track_file_attrs=request.track_file_attrs,
        )
        journal.add_batch(batch)
        registry.files.insert(keys, batch.records)
    registry.database.refresh_statistics()
    return ids


def _make_ids(
    request: IngestRequest, repository: Repository, columns: Columns, count: int
) -> list[bytes]:
    if not request.id_mode.is_reproducible:
        return new_ids(count)
    group = repository.registry.dataset_types.get(request.dataset_type).dataset_type.dimensions
    rows = list(zip(*columns.values(), strict=True)) if columns else [()] * count
    return reproducible_ids(request.id_mode, request.dataset_type, request.run, group, rows)


def ingest_file_datasets(
    repository: Repository,
    datasets: Iterable[FileDataset],
    *,
    mode: TransferMode,
    track_file_attrs: bool = True,
) -> list[DatasetRef]:
    """Take in files given as objects, grouped by type, run and formatter, in one transaction.

    Raises
    ------
    IngestError
        If a file is given with no dataset.
    """
    groups: dict[tuple[str, str, str | None], list[tuple[str | Path, DatasetRef]]] = {}
    for dataset in datasets:
        if not dataset.refs:
            raise IngestError(f"the file {str(dataset.path)!r} was given with no dataset in it")
        for ref in dataset.refs:
            key = (ref.dataset_type.name, ref.run, dataset.formatter)
            groups.setdefault(key, []).append((dataset.path, ref))
    with repository.transaction():
        for (name, run, formatter), members in groups.items():
            group = members[0][1].dataset_type.dimensions
            ingest_files(
                repository,
                IngestRequest(
                    dataset_type=name,
                    run=run,
                    paths=[path for path, _ in members],
                    columns={n: [ref.data_id[n] for _, ref in members] for n in group.required},
                    mode=mode,
                    ids=[ref.id.bytes for _, ref in members],
                    formatter=formatter,
                    track_file_attrs=track_file_attrs,
                ),
            )
    return [ref for members in groups.values() for _, ref in members]
