"""Makes the work of quanta: what the graph says, and where inputs are."""

from __future__ import annotations

import bisect
import uuid
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from butler_core.datasets.dataset_ref import DatasetRef
from butler_core.datastore.file_datastore import FileDatastore
from butler_core.datastore.file_record import FileRecord
from pipetask.execution.input_files import InputFiles
from pipetask.execution.quantum_work import (
    InputConnectionWork,
    InputDataset,
    OutputConnectionWork,
    OutputDataset,
    QuantumWork,
)
from pipetask.quantum_graph.connection_row import ConnectionRow
from pipetask.quantum_graph.graph import QuantumGraph
from pipetask.quantum_graph.graph_quantum import GraphQuantum

#: Quanta and edges read from the graph at once, and how many such blocks are kept.
_BLOCK = 256
_BLOCK_EDGES = 5_000
_MAX_BLOCKS = 8


class WorkSource:
    """Reads quanta from a graph in blocks and completes them with file records.

    Remembers where the outputs of this run are for as long as a quantum that
    has not run needs them.

    Parameters
    ----------
    files
        Finds the files of datasets that existed before the run.
    """

    def __init__(self, datastore: FileDatastore, graph: QuantumGraph, files: InputFiles) -> None:
        self._datastore = datastore
        self._files = files
        self._graph = graph
        self._tasks = {task.label: task for task in graph.tasks}
        self._readers_left = graph.consumer_counts()
        self._ranges = _block_ranges(graph)
        self._blocks: OrderedDict[int, dict[int, GraphQuantum]] = OrderedDict()
        self._stored: dict[uuid.UUID, FileRecord] = {}
        #: Records of this run's outputs that are still needed, by dataset number.
        self._made: dict[int, FileRecord] = {}
        roles = {
            row.dataset_type for task in graph.tasks for row in task.connections
            if row.role in ("input", "prerequisite")
        }  # fmt: skip
        self._read_types = frozenset(roles)

    def quantum(self, number: int) -> GraphQuantum:
        """Return a quantum as the graph has it."""
        of_task = self._ranges[bisect.bisect_right(self._ranges, number, key=_first) - 1]
        block = number - (number - of_task.first) % of_task.size
        if block not in self._blocks:
            quanta = self._graph.quanta(range(block, min(block + of_task.size, of_task.end)))
            self._blocks[block] = {quantum.number: quantum for quantum in quanta}
            self._find_stored(quanta)
            if len(self._blocks) > _MAX_BLOCKS:
                self._blocks.popitem(last=False)
        self._blocks.move_to_end(block)
        return self._blocks[block][number]

    def _find_stored(self, quanta: Iterable[GraphQuantum]) -> None:
        """Look up the files of datasets that existed before the run."""
        self._stored |= self._files.find(quanta, self._stored)

    def most_together(self, task: int) -> int:
        """Return how many quanta of a task may travel together; the fewer, the more they read."""
        return next(blocks.size for blocks in self._ranges if blocks.task == task)

    # ------------------------------------------------------------------ work
    def work(self, number: int, attempt: int = 1) -> QuantumWork:
        """Return a quantum as a worker takes it. Inputs that were not made are left out."""
        quantum = self.quantum(number)
        rows = {row.name: row for row in self._tasks[quantum.task_label].connections}
        outputs = [
            OutputConnectionWork(
                name,
                tuple(self._output(quantum, ref) for ref in refs),
                rows[name].storage_class,
                rows[name].is_multiple,
            )
            for name, refs in quantum.outputs.items()
            if rows[name].role == "output"
        ]
        return QuantumWork(
            number,
            quantum.id,
            quantum.task_label,
            quantum.data_id,
            tuple(self._inputs(quantum, rows[name], refs) for name, refs in quantum.inputs.items()),
            tuple(outputs),
            self._note_file(quantum, rows, "_metadata"),
            self._note_file(quantum, rows, "_log"),
            attempt,
        )

    def _inputs(
        self, quantum: GraphQuantum, row: ConnectionRow, refs: Iterable[DatasetRef]
    ) -> InputConnectionWork:
        datasets = []
        for ref in refs:
            record = self._made.get(quantum.numbers[ref.id]) or self._stored.get(ref.id)
            if record is not None:
                datasets.append(InputDataset(ref, record))
        return InputConnectionWork(
            row.name,
            tuple(datasets),
            row.storage_class,
            row.component,
            row.is_multiple,
            row.is_deferred,
            row.minimum,
            row.role == "prerequisite",
        )

    def _output(self, quantum: GraphQuantum, ref: DatasetRef) -> OutputDataset:
        values = quantum.path_values[ref.id]
        return OutputDataset(ref, self._datastore.path_for(ref, values))

    def _note_file(
        self, quantum: GraphQuantum, rows: dict[str, ConnectionRow], name: str
    ) -> OutputDataset | None:
        """Return where metadata or log goes as a file of its own: if some task reads it."""
        if name not in rows or rows[name].dataset_type not in self._read_types:
            return None
        return self._output(quantum, quantum.outputs[name][0])

    # --------------------------------------------------------------- progress
    def made(self, quantum: GraphQuantum, records: Mapping[uuid.UUID, FileRecord]) -> None:
        """Remember where outputs are that a quantum will read."""
        for id_, record in records.items():
            number = quantum.numbers[id_]
            if self._readers_left[number] > 0:
                self._made[number] = record

    def ended(self, number: int) -> None:
        """Forget what only a quantum that ended needed."""
        quantum = self.quantum(number)
        for refs in quantum.inputs.values():
            for ref in refs:
                dataset = quantum.numbers[ref.id]
                self._readers_left[dataset] -= 1
                if self._readers_left[dataset] <= 0:
                    self._made.pop(dataset, None)
                    self._stored.pop(ref.id, None)


@dataclass(frozen=True, slots=True)
class _TaskBlocks:
    """The numbers of a task's quanta, cut into blocks."""

    task: int
    first: int
    #: One more than the last.
    end: int
    #: Quanta in a block.
    size: int


def _first(blocks: _TaskBlocks) -> int:
    return blocks.first


def _block_ranges(graph: QuantumGraph) -> list[_TaskBlocks]:
    """Return each task's quanta in blocks, smaller ones where quanta have many inputs."""
    rows = graph.fetch(
        "SELECT q.task, min(q.quantum), max(q.quantum) + 1, any_value(e.n) FROM quantum q JOIN "
        "(SELECT q.task, count(*) AS n FROM edge e JOIN quantum q USING (quantum) GROUP BY "
        "q.task) e "
        "USING (task) GROUP BY q.task ORDER BY 2"
    )
    return [
        _TaskBlocks(
            task, first, end, max(1, min(_BLOCK, _BLOCK_EDGES * (end - first) // max(n_edges, 1)))
        )
        for task, first, end, n_edges in rows
    ]
