"""Exports parts of a repository: an export file that daf_butler reads, too, and datasets' files."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from butler_core.datasets.dataset_ref import DatasetRef
from butler_core.datastore.file_transfer import temporary_name
from butler_core.datastore.transfer_mode import TransferMode
from butler_core.errors import ExportFileError
from butler_core.repository.repository import Repository
from butler_core.repository.writing import paths_of
from butler_core.transfer.export_collections import (
    Section,
    association_sections,
    collection_section,
    exported_collections,
)
from butler_core.transfer.export_datasets import (
    ExportedDatasets,
    datasets_in,
    datasets_of_refs,
    uuids,
)
from butler_core.transfer.export_document import FORMAT_VERSION
from butler_core.transfer.export_files import ExportFolder
from butler_core.transfer.export_records import RecordCollection, export_rows
from butler_core.transfer.formatter_names import exported_formatter
from butler_core.transfer.yaml_writer import document_lines

__all__ = ["ExportRequest", "ExportSummary", "export_repository"]


@dataclass(frozen=True, slots=True)
class ExportRequest:
    """What to export, and where to."""

    #: Folder that receives the files and the export file; the current one if None.
    directory: Path | None = None
    #: The export file, relative to the folder.
    filename: Path = Path("export.yaml")
    #: Single datasets.
    refs: Sequence[DatasetRef] = ()
    #: Names or patterns of dataset types, all of whose datasets in ``searched`` are exported.
    dataset_types: Sequence[str] = ()
    #: Collections, by name or pattern, that are exported with their tags and validity ranges of
    #: the datasets exported; chains with all that they name. Runs of datasets come by themselves.
    collections: Sequence[str] = ()
    #: Where datasets of ``dataset_types`` are looked for; in ``collections`` if None.
    searched: Sequence[str] | None = None
    #: Elements all of whose records are exported, beside those that datasets refer to.
    elements: Sequence[str] = ()
    #: How files come into the folder; None leaves them, with paths relative to the repository.
    transfer: TransferMode | None = None


@dataclass(frozen=True, slots=True)
class ExportSummary:
    """How much was exported."""

    #: The export file.
    path: Path
    #: Dimension records by element.
    records: dict[str, int] = field(default_factory=dict)
    collections: int = 0
    dataset_types: int = 0
    datasets: int = 0
    files: int = 0
    #: Datasets named in TAGGED collections, and validity ranges in CALIBRATION collections.
    associations: int = 0


def export_repository(repository: Repository, request: ExportRequest) -> ExportSummary:
    """Write an export file (format 1.0.2) and bring datasets' files beside it.

    Formatters are named as daf_butler names its own, where it has one that
    reads such files. Datasets without a file are exported without a path;
    daf_butler cannot import these.

    Raises
    ------
    DatasetNotFoundError
        If one of the references is to no dataset of the repository.
    TransferError
        If a file cannot be brought into the folder; nothing is then left.
    """
    export = _Export(repository, request)
    folder = ExportFolder(request.directory or Path(), request.transfer or TransferMode.DIRECT)
    try:
        return export.write(folder)
    except BaseException:
        folder.undo()
        raise


class _Export:
    """Everything that goes into one export file."""

    def __init__(self, repository: Repository, request: ExportRequest) -> None:
        registry = repository.registry
        self._repository, self._registry, self._request = repository, registry, request
        searched = request.collections if request.searched is None else request.searched
        self.datasets = datasets_of_refs(registry, request.refs)
        for name, found in datasets_in(registry, request.dataset_types, searched).items():
            known = self.datasets.get(name)
            self.datasets[name] = found if known is None else known.merged_with(found)
        self.datasets = dict(sorted(self.datasets.items()))
        runs = {run for found in self.datasets.values() for run in found.runs}
        self.collections = exported_collections(registry, request.collections, runs)
        self.associations = list(association_sections(registry, self.collections, self.datasets))
        records = RecordCollection(registry)
        for found in self.datasets.values():
            records.add_data_ids(found.dataset_type.dimensions, found.columns)
        for element in request.elements:
            records.add_element(element)
        self.records = records.fetch()

    def write(self, folder: ExportFolder) -> ExportSummary:
        path = (self._request.directory or Path()) / self._request.filename
        universe = self._registry.universe
        header = {
            "description": "Butler Data Repository Export",
            "version": FORMAT_VERSION,
            "universe_version": universe.version,
            "universe_namespace": universe.namespace,
        }
        temporary = temporary_name(path)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with temporary.open("w", encoding="utf-8") as stream:
                stream.writelines(document_lines(header, "data", self._sections(folder)))
            folder.sync([temporary])
            temporary.rename(path)
        except OSError as error:
            raise ExportFileError(
                f"cannot write {str(path)!r}: {error.strerror or error}"
            ) from error
        finally:
            temporary.unlink(missing_ok=True)
        return ExportSummary(
            path,
            {name: len(next(iter(columns.values()))) for name, columns in self.records.items()},
            len(self.collections),
            len(self.datasets),
            sum(len(found.keys) for found in self.datasets.values()),
            folder.count,
            sum(count for _, count in self.associations),
        )

    # ------------------------------------------------------------- sections
    def _sections(self, folder: ExportFolder) -> Iterator[Section]:
        for name, columns in self.records.items():
            rows = list(export_rows(self._registry.universe[name], columns))
            yield {"type": "dimension", "element": name, "records": rows}
        for collection in self.collections:
            yield collection_section(collection)
        for found in self.datasets.values():
            dataset_type = found.dataset_type
            yield {
                "type": "dataset_type",
                "name": dataset_type.name,
                "dimensions": list(dataset_type.dimensions.names),
                "storage_class": dataset_type.storage_class,
                "is_calibration": dataset_type.is_calibration,
            }
            for run in sorted(set(found.runs)):
                records = self._dataset_records(found.in_run(run), folder)
                yield {
                    "type": "dataset",
                    "dataset_type": dataset_type.name,
                    "run": run,
                    "records": records,
                }
        for section, _ in self.associations:
            yield section

    def _dataset_records(self, found: ExportedDatasets, folder: ExportFolder) -> list[Section]:
        """Return one record for each file, with all the datasets in it."""
        files = self._registry.files.find(found.keys)
        by_path: dict[str, Section] = {}
        without: list[Section] = []
        rows = zip(found.keys, uuids(found.ids), found.data_ids(), strict=True)
        for i, (key, id_, data_id) in enumerate(rows):
            record = files.get(key)
            if record is None:
                without.append({"dataset_id": [id_], "data_id": [data_id]})
                continue
            section = by_path.setdefault(record.path, {"dataset_id": [], "data_id": []})
            section["dataset_id"].append(id_)
            section["data_id"].append(data_id)
            if "path" not in section:
                section["path"] = self._place(folder, record.path, found, i)
                section["formatter"] = exported_formatter(record.formatter, record.storage_class)
        return [*by_path.values(), *without]

    def _place(self, folder: ExportFolder, path: str, found: ExportedDatasets, row: int) -> str:
        """Bring a file in; one from outside the repository goes where its own would be."""
        if self._request.transfer is None:
            return folder.place(path, path)
        relative = path
        if os.path.isabs(path) or "://" in path:  # noqa: PTH117 - text
            columns = {name: [values[row]] for name, values in found.columns.items()}
            ids, run = [found.ids[row]], found.runs[row]
            stem = paths_of(self._repository, found.dataset_type, run, columns, ids)[0]
            relative = stem + "".join(PurePosixPath(path).suffixes[-1:])
        source = self._repository.datastore.absolute(path)
        if "://" not in source:
            source = os.path.abspath(source)  # noqa: PTH100 - keeps symbolic links
        return folder.place(source, relative)
