"""What ``--show uri`` prints: where a run would read and write."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator

from butler_core.datasets.dataset_ref import DatasetRef
from butler_core.datastore.file_datastore import FileDatastore
from butler_core.datastore.file_record import FileRecord
from pipetask.draw.show import ShowContext
from pipetask.execution.input_files import RegistryFiles
from pipetask.execution.quantum_work import InputDataset, OutputDataset, QuantumWork
from pipetask.execution.work_source import WorkSource
from pipetask.quantum_graph.graph_quantum import GraphQuantum

#: Stands behind the URI of what is not written yet.
_PREDICTED = "#predicted"


def show_uris(what: ShowContext, _value: str) -> Iterator[str]:
    """Go through quanta with the URIs of what they read and write.

    Metadata and logs that no task reads share archives, whose names are given
    when they are written.
    """
    graph, repository = what.quantum_graph, what.repository
    assert graph is not None
    assert repository is not None
    source = WorkSource(repository.datastore, graph, RegistryFiles(repository))
    datastore = repository.datastore
    predicted: dict[uuid.UUID, str] = {}
    for number in range(len(graph)):
        quantum, work = source.quantum(number), source.work(number)
        task = graph.task(quantum.task_label)
        yield f"Quantum {quantum.id}: {task.label} ({task.class_name})"
        yield "  inputs:"
        stored = {dataset.ref.id: dataset for c in work.inputs for dataset in c.datasets}
        for ref in _distinct(quantum.inputs.values()):
            yield f"    {_input_uri(datastore, ref, stored, predicted)}"
        yield "  outputs:"
        for dataset in _outputs(work):
            uri = _predicted_uri(datastore, dataset)
            predicted[dataset.ref.id] = uri
            yield f"    {uri}"
        for ref in _archived(quantum, work):
            yield f"    {ref.dataset_type.name}: in an archive of the run {ref.run!r}"


def _distinct(connections: Iterable[tuple[DatasetRef, ...]]) -> Iterator[DatasetRef]:
    """Go through datasets, each once."""
    yield from {ref.id: ref for refs in connections for ref in refs}.values()


def _outputs(work: QuantumWork) -> list[OutputDataset]:
    """Return the outputs that become files of their own."""
    outputs = [dataset for connection in work.outputs for dataset in connection.datasets]
    return [*outputs, *(note for note in (work.metadata_file, work.log_file) if note is not None)]


def _archived(quantum: GraphQuantum, work: QuantumWork) -> Iterator[DatasetRef]:
    """Go through the outputs that become parts of an archive."""
    own = {dataset.ref.id for dataset in _outputs(work)}
    yield from (ref for ref in _distinct(quantum.outputs.values()) if ref.id not in own)


def _input_uri(
    datastore: FileDatastore,
    ref: DatasetRef,
    stored: dict[uuid.UUID, InputDataset],
    predicted: dict[uuid.UUID, str],
) -> str:
    if ref.id in stored:
        return datastore.uri(stored[ref.id].record)
    return predicted.get(ref.id, f"{ref.dataset_type.name}@{ref.data_id}: no file is recorded")


def _predicted_uri(datastore: FileDatastore, dataset: OutputDataset) -> str:
    dataset_type = dataset.ref.dataset_type
    path = dataset.path + datastore.extension_of(dataset_type)
    record = FileRecord(path, "", dataset_type.storage_class, 0, None)
    return datastore.uri(record) + _PREDICTED
