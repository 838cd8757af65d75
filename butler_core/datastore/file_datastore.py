"""A datastore in a directory: one file per dataset.

Writes, reads, takes in and removes files. Knows no database: what it needs to
know of a file is a `FileRecord`, which the caller keeps.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from butler_core.datasets.dataset_ref import DatasetRef
from butler_core.datasets.dataset_type import DatasetType
from butler_core.datasets.storage_class import StorageClass, StorageClassRegistry
from butler_core.datastore import zip_member
from butler_core.datastore.file_record import FileRecord
from butler_core.datastore.file_transfer import temporary_name
from butler_core.datastore.intake import FileIntake, TakenFile
from butler_core.datastore.new_file import write_fault, write_new_file
from butler_core.datastore.path_template import FittedTemplate, TemplateTable
from butler_core.datastore.pending_files import IngestBatch, StagedFile
from butler_core.datastore.syncing import sync_files
from butler_core.datastore.transfer_mode import TransferMode
from butler_core.errors import ReadFileError, WriteFileError
from butler_core.formatters.formatter import Formatter, ReadRequest
from butler_core.formatters.formatter_table import FormatterTable, formatter_name


class FileDatastore:
    """Files below a root directory.

    Parameters
    ----------
    root
        Where relative paths of records start.
    checksum
        ``blake2b``, ``sha256`` or ``none``: what is computed of each file written.
    camera_folder
        Folder with YAML files of cameras that are not packaged, by which raw
        files are read; it need not exist.
    """

    def __init__(
        self,
        root: Path,
        *,
        templates: TemplateTable,
        formatters: FormatterTable,
        storage_classes: StorageClassRegistry,
        checksum: str = "blake2b",
        camera_folder: Path | None = None,
    ) -> None:
        self.root = root
        self._templates = templates
        self._formatters = formatters
        self._storage_classes = storage_classes
        self._checksum = checksum
        self._camera_folder = camera_folder

    # ------------------------------------------------------------------ paths
    def template_for(self, dataset_type: DatasetType, instrument: str | None) -> FittedTemplate:
        """Return the path template of a dataset type; its ``fields`` must be known to write."""
        return self._templates.template_for(dataset_type, instrument)

    def fields_for(self, ref: DatasetRef) -> tuple[str, ...]:
        """Return the dimensions and record fields whose values `path_for` needs."""
        return self._template_of(ref).fields

    def path_for(self, ref: DatasetRef, values: Mapping[str, Any]) -> str:
        """Return where a dataset will be written, relative to the root, without extension.

        Parameters
        ----------
        values
            A value for each of `fields_for`.
        """
        return self._template_of(ref).format(ref.dataset_type, ref.run, str(ref.id), values)

    def _template_of(self, ref: DatasetRef) -> FittedTemplate:
        instrument = ref.data_id.get("instrument")
        return self.template_for(ref.dataset_type, None if instrument is None else str(instrument))

    def extension_of(self, dataset_type: DatasetType) -> str:
        """Return the extension that files of a dataset type are written with."""
        storage_class = self._storage_classes.get(dataset_type.storage_class)
        return self._formatters.for_writing(dataset_type.name, storage_class).extension

    def expected_record(self, dataset_type: DatasetType, path: str) -> FileRecord:
        """Return the record that a dataset of a type will have, but for size and checksum.

        Parameters
        ----------
        path
            What `path_for` gives.
        """
        storage_class = self._storage_classes.get(dataset_type.storage_class)
        formatter = self._formatters.for_writing(dataset_type.name, storage_class)
        name = formatter_name(formatter)
        return FileRecord(path + formatter.extension, name, dataset_type.storage_class)

    def absolute(self, path: str) -> str:
        """Return a record's path as one that can be opened: a local path or a URL."""
        if "://" in path:
            return path
        return str(self.root / path)

    def uri(self, record: FileRecord) -> str:
        """Return a record's file as a URI."""
        path = self.absolute(record.path)
        return path if "://" in path else Path(path).absolute().as_uri()

    def storage_class(self, name: str) -> StorageClass:
        """Return a storage class by name."""
        return self._storage_classes.get(name)

    # ---------------------------------------------------------------- writing
    def stage(
        self, obj: Any, dataset_type: DatasetType, path: str, *, is_to_sync: bool
    ) -> StagedFile:
        """Write a dataset under a temporary name, to be published or discarded.

        Parameters
        ----------
        path
            Where it will go, relative to the root; the formatter's extension
            is added.
        is_to_sync
            Whether the bytes are to be on the disk when this returns.

        Raises
        ------
        StorageClassMismatchError
            If the object is not what the storage class asks for.
        WriteFileError
            If it cannot be written; nothing is left behind.
        """
        storage_class = self._storage_classes.get(dataset_type.storage_class)
        checked = storage_class.check(obj)
        formatter = self._formatters.for_writing(dataset_type.name, storage_class)
        record_path = path + formatter.extension
        target = self.root / record_path
        temporary = temporary_name(target)
        try:
            size, checksum = write_new_file(
                formatter,
                checked,
                temporary,
                root=self.root,
                checksum=self._checksum,
                is_to_sync=is_to_sync,
            )
        except BaseException as error:
            with contextlib.suppress(OSError):  # what hinders the writing may hinder this too
                temporary.unlink(missing_ok=True)
            if isinstance(error, OSError) and not isinstance(error, WriteFileError):
                raise write_fault(target, error) from error
            raise
        name = formatter_name(formatter)
        record = FileRecord(record_path, name, dataset_type.storage_class, size, checksum)
        return StagedFile(record, temporary, target, is_to_sync)

    # ---------------------------------------------------------------- reading
    def read(
        self,
        record: FileRecord,
        ref: DatasetRef,
        *,
        component: str | None = None,
        parameters: Mapping[str, Any] | None = None,
        storage_class: str | None = None,
    ) -> Any:
        """Read a dataset or a part of it.

        Parameters
        ----------
        storage_class
            Another one to have it as, if it can be converted.

        Raises
        ------
        ReadFileError
            If the file is absent or broken.
        """
        stored = self._storage_classes.get(record.storage_class)
        formatter = self._formatters.for_reading(record.formatter)
        with zip_member.local_file(self.absolute(record.path)) as path:
            request = ReadRequest(
                path=path,
                storage_class=stored,
                component=component,
                parameters=parameters or {},
                data_id=ref.data_id.mapping,
                camera_directories=self._camera_directories(),
            )
            found = formatter.read(request)
        wanted = storage_class or ref.dataset_type.storage_class
        if component is None and wanted != record.storage_class:
            return self._storage_classes.get(wanted).check(found)
        return found

    def _camera_directories(self) -> tuple[str, ...]:
        """Return the folder of users' own cameras, if there is one yet."""
        folder = self._camera_folder
        return (str(folder),) if folder is not None and folder.is_dir() else ()

    def exists(self, record: FileRecord) -> bool:
        """Return whether a record's file is there."""
        path, _ = zip_member.split(self.absolute(record.path))
        if "://" in path:
            import fsspec

            return bool(fsspec.open(path).fs.exists(path))
        return Path(path).exists()

    # ---------------------------------------------------------------- ingest
    def ingest(
        self,
        dataset_type: DatasetType,
        sources: Sequence[str | Path],
        targets: Sequence[str],
        mode: TransferMode,
        *,
        is_taken: Callable[[str], bool],
        formatter: str | None = None,
        storage_class: str | None = None,
        track_file_attrs: bool = True,
    ) -> IngestBatch:
        """Take files in, all or none, and sync them once.

        Parameters
        ----------
        targets
            Where each goes, without extension; the source's own is kept.
        is_taken
            Whether a file that is at a path already belongs to a dataset; what
            belongs to nobody is replaced.
        formatter
            Name of the formatter that reads them; the dataset type's if None.

        Raises
        ------
        TransferError
            If one cannot be taken in; nothing is then left behind.
        PathTemplateError
            If two datasets would share a path.
        """
        if formatter is None:
            stored = self._storage_classes.get(dataset_type.storage_class)
            formatter = formatter_name(self._formatters.for_writing(dataset_type.name, stored))
        storage_class = storage_class or dataset_type.storage_class
        intake = FileIntake(self.root, mode, is_taken)
        batch = intake.batch
        names = list(map(str, sources))
        shared = len(set(names)) < len(names)
        known: dict[str, TakenFile] = {}
        try:
            for source, target in zip(names, targets, strict=True):
                taken = known.get(source) or intake.take_in(source, target)
                if shared:
                    known[source] = taken
                size = taken.size if track_file_attrs else None
                is_shared = shared or taken.is_in_place
                batch.records.append(
                    FileRecord(
                        taken.path, formatter, storage_class, size, None, is_shared=is_shared
                    )
                )
            sync_files(batch.made, self.root)
        except BaseException:
            batch.undo()
            raise
        return batch

    # --------------------------------------------------------------- removing
    def remove(self, records: Iterable[FileRecord]) -> int:
        """Remove files below the root, not those recorded by absolute path; return how many."""
        removed = 0
        directories: set[Path] = set()
        for record in records:
            if "://" in record.path or os.path.isabs(record.path):  # noqa: PTH117 - text
                continue
            path = self.root / zip_member.split(record.path)[0]
            try:
                path.unlink()
            except FileNotFoundError:
                continue
            removed += 1
            directories.add(path.parent)
        for directory in sorted(directories, key=lambda path: -len(path.parts)):
            self.remove_empty(directory)
        return removed

    def remove_empty(self, directory: Path) -> None:
        """Remove a directory and those above it, as far as they are empty."""
        while directory != self.root:
            try:
                directory.rmdir()
            except OSError:
                return
            directory = directory.parent

    def formatter_named(self, name: str) -> Formatter:
        """Return the formatter of a record."""
        return self._formatters.for_reading(name)

    def require_readable(self, record: FileRecord) -> str:
        """Return a record's local path or URL, or raise ReadFileError if nothing is there."""
        if not self.exists(record):
            raise ReadFileError(f"the file {self.absolute(record.path)!r} is not there")
        return self.absolute(record.path)
