"""Reads and writes one quantum's datasets with the datastore alone."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from butler_core.datasets.dataset_ref import DatasetRef
from butler_core.datastore.file_datastore import FileDatastore
from butler_core.dimensions.data_coordinate import DataCoordinate
from butler_core.errors import DatasetNotFoundError
from pipetask.errors import TaskError
from pipetask.execution.output_files import OutputFiles
from pipetask.execution.quantum_work import (
    InputConnectionWork,
    InputDataset,
    OutputConnectionWork,
    OutputDataset,
    QuantumWork,
)
from pipetask.task import Struct


@dataclass(frozen=True, slots=True)
class InputHandle:
    """A deferred input: reads its dataset when asked to."""

    datastore: FileDatastore
    dataset: InputDataset
    component: str | None
    storage_class: str

    @property
    def ref(self) -> DatasetRef:
        """The dataset's reference."""
        return self.dataset.ref

    @property
    def data_id(self) -> DataCoordinate:
        """The dataset's data ID."""
        return self.dataset.ref.data_id

    dataId = data_id  # noqa: N815 - Rubin's spelling

    def get(
        self,
        *,
        component: str | None = None,
        parameters: Mapping[str, Any] | None = None,
    ) -> Any:
        """Read the dataset, or one component of it."""
        part = component or self.component
        return self.datastore.read(
            self.dataset.record,
            self.dataset.ref,
            component=part,
            parameters=parameters,
            storage_class=None if part else self.storage_class,
        )


@dataclass
class DatastoreContext:
    """A `QuantumContext` that needs no database."""

    datastore: FileDatastore
    work: QuantumWork
    log: logging.Logger
    files: OutputFiles
    #: Ids of inputs that were read.
    read: set[uuid.UUID] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._connections = {connection.name: connection for connection in self.work.inputs}
        self._inputs: dict[tuple[uuid.UUID, str, str], InputConnectionWork] = {
            (dataset.ref.id, *_seen_as(input_ref(connection, dataset))): connection
            for connection in self.work.inputs
            for dataset in connection.datasets
        }
        self._outputs: dict[uuid.UUID, tuple[OutputConnectionWork, OutputDataset]] = {
            dataset.ref.id: (connection, dataset)
            for connection in self.work.outputs
            for dataset in connection.datasets
        }

    @property
    def data_id(self) -> DataCoordinate:
        """The quantum's data ID."""
        return self.work.data_id

    def get(self, refs: Any) -> Any:
        """Read one or several inputs; see `QuantumContext.get`."""
        if isinstance(refs, Struct):
            return {name: self._get_all(value, self._connections.get(name)) for name, value in refs}
        return self._get_all(refs, None)

    def _get_all(self, refs: Any, connection: InputConnectionWork | None) -> Any:
        if refs is None:
            return None
        if isinstance(refs, DatasetRef):
            return self._get_one(refs, connection)
        return [self._get_one(ref, connection) for ref in refs]

    def _get_one(self, ref: DatasetRef, connection: InputConnectionWork | None) -> Any:
        connection = connection or self._inputs.get((ref.id, *_seen_as(ref)))
        found = [d for d in connection.datasets if d.ref.id == ref.id] if connection else []
        if connection is None or not found:
            raise DatasetNotFoundError(f"{ref} is no input of this quantum")
        handle = InputHandle(
            self.datastore, found[0], connection.component, connection.storage_class
        )
        self.read.add(ref.id)
        return handle if connection.is_deferred else handle.get()

    def put(self, datasets: Any, refs: Any) -> None:
        """Write one or several outputs; see `QuantumContext.put`."""
        if isinstance(refs, Struct):
            for name, ref in refs:
                self.put(getattr(datasets, name), ref)
        elif datasets is None or refs is None:
            return
        elif isinstance(refs, DatasetRef):
            self._put_one(datasets, refs)
        else:
            refs = list(refs)
            if len(datasets) != len(refs):
                raise TaskError(
                    f"{self.work.task_label} returned {len(datasets)} datasets where the quantum "
                    "has "
                    f"{len(refs)} {refs[0].dataset_type.name if refs else ''} to write"
                )
            for one, ref in zip(datasets, refs, strict=True):
                if one is not None:
                    self._put_one(one, ref)

    def _put_one(self, obj: Any, ref: DatasetRef) -> None:
        try:
            connection, dataset = self._outputs[ref.id]
        except KeyError:
            raise TaskError(f"{ref} is no output of this quantum") from None
        self.files.write(obj, dataset, storage_class=connection.storage_class)


def input_ref(connection: InputConnectionWork, dataset: InputDataset) -> DatasetRef:
    """Return a dataset's reference as a task sees it: its component, its storage class."""
    dataset_type = dataset.ref.dataset_type
    if connection.component is not None:
        seen = dataset_type.make_component(connection.component, connection.storage_class)
    else:
        seen = dataset_type.with_storage_class(connection.storage_class)
    return replace(dataset.ref, dataset_type=seen)


def _seen_as(ref: DatasetRef) -> tuple[str, str]:
    return ref.dataset_type.name, ref.dataset_type.storage_class
