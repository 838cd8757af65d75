"""Where the files of inputs are: the registry tells, or the graph itself."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable, Mapping
from typing import Protocol

from butler_core.datasets.dataset_ref import DatasetRef
from butler_core.datastore.file_datastore import FileDatastore
from butler_core.datastore.file_record import FileRecord
from butler_core.repository.repository import Repository
from pipetask.errors import GraphFileError
from pipetask.quantum_graph.graph import QuantumGraph
from pipetask.quantum_graph.graph_quantum import GraphQuantum

Files = Mapping[uuid.UUID, FileRecord]


class InputFiles(Protocol):
    """Finds files that are there before quanta run."""

    def find(self, quanta: Iterable[GraphQuantum], known: Collection[uuid.UUID]) -> Files:
        """Return the records of the inputs of quanta that are not known yet, by dataset id."""
        ...


class RegistryFiles:
    """Asks the registry.

    Parameters
    ----------
    is_part
        Whether other runs of the same graph may have made inputs.
    """

    def __init__(self, repository: Repository, *, is_part: bool = False) -> None:
        self._registry = repository.registry
        self._is_part = is_part

    def find(self, quanta: Iterable[GraphQuantum], known: Collection[uuid.UUID]) -> Files:
        """Return the records of the inputs of quanta that are not known yet, by dataset id."""
        wanted: dict[uuid.UUID, DatasetRef] = {}
        for quantum in quanta:
            for refs in quantum.inputs.values():
                for ref in refs:
                    is_there = self._is_part or ref.id in quantum.existing
                    if is_there and ref.id not in known:
                        wanted[ref.id] = ref
        if not wanted:
            return {}
        keys = self._registry.datasets.keys_of(wanted.values())
        records = self._registry.files.find(keys.values())
        return {uuid.UUID(bytes=id_): records[key] for id_, key in keys.items() if key in records}


class GraphFiles:
    """Asks the graph, and for what its own quanta make, the datastore.

    Raises
    ------
    GraphFileError
        If the graph does not say where files are.
    """

    def __init__(self, datastore: FileDatastore, graph: QuantumGraph) -> None:
        if not graph.has_files:
            raise GraphFileError(
                f"the graph in {str(graph.path)!r} does not say where the files of its inputs are; "
                "build it with `pipetask qgraph --qgraph-datastore-records`"
            )
        self._datastore = datastore
        self._graph = graph

    def find(self, quanta: Iterable[GraphQuantum], known: Collection[uuid.UUID]) -> Files:
        """Return the records of the inputs of quanta that are not known yet, by dataset id."""
        by_number: dict[int, uuid.UUID] = {}
        made: dict[uuid.UUID, tuple[GraphQuantum, DatasetRef]] = {}
        for quantum in quanta:
            for refs in quantum.inputs.values():
                for ref in refs:
                    if ref.id in known:
                        continue
                    if ref.id in quantum.existing:
                        by_number[quantum.numbers[ref.id]] = ref.id
                    if ref.run == self._graph.output_run:  # perhaps by another part of the graph
                        made[ref.id] = quantum, ref
        stored = self._stored(list(by_number))
        found = {by_number[number]: record for number, record in stored.items()}
        for id_ in made.keys() - found.keys():
            record = self._made(*made[id_])
            if record is not None:
                found[id_] = record
        return found

    def _stored(self, numbers: list[int]) -> dict[int, FileRecord]:
        """Return the records of datasets that existed before, by their numbers."""
        if not numbers:
            return {}
        rows = self._graph.fetch(
            "SELECT dataset, path, formatter, storage_class, size, checksum FROM file "
            "WHERE dataset IN (SELECT unnest(?))",
            [numbers],
        )
        return {
            number: FileRecord(path, formatter, storage_class, size, checksum)
            for number, path, formatter, storage_class, size, checksum in rows
        }

    def _made(self, quantum: GraphQuantum, ref: DatasetRef) -> FileRecord | None:
        """Return the record of what another quantum was to make, if it is there."""
        path = self._datastore.path_for(ref, quantum.path_values[ref.id])
        record = self._datastore.expected_record(ref.dataset_type, path)
        return record if self._datastore.exists(record) else None
