"""Makes objects of a graph's rows: quanta with their datasets."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from butler_core.datasets.dataset_ref import DatasetRef
from butler_core.dimensions.data_coordinate import DataCoordinate
from butler_core.dimensions.group import DimensionGroup
from pipetask.quantum_graph.graph_quantum import GraphQuantum

if TYPE_CHECKING:
    from pipetask.quantum_graph.graph import QuantumGraph

_Row = tuple[Any, ...]


class QuantumMaker:
    """Makes quanta of one block of rows; each data ID of the block is made once.

    Parameters
    ----------
    names
        Columns of data IDs: dimensions and record fields.
    groups
        Dimension groups by number.
    """

    def __init__(
        self, graph: QuantumGraph, names: Sequence[str], groups: Sequence[DimensionGroup]
    ) -> None:
        self._graph = graph
        self._names = names
        self._groups = groups
        self._types = graph.dataset_types
        self._run = graph.output_run
        #: By the number of a data ID: it, and all that is known with it.
        self._data_ids: dict[int, tuple[DataCoordinate, Mapping[str, Any]]] = {}

    def make(self, quanta: Sequence[_Row], edges: Sequence[_Row]) -> list[GraphQuantum]:
        """Return the quanta of rows, and of the rows of their edges."""
        by_quantum: dict[int, list[_Row]] = {}
        for edge in edges:
            by_quantum.setdefault(edge[0], []).append(edge)
        return [self._quantum(row, by_quantum.get(row[0], [])) for row in quanta]

    def _quantum(self, row: _Row, edges: Sequence[_Row]) -> GraphQuantum:
        number, task_number, id_, data_id_number, group, *values = row
        label, connections = self._graph.declared(task_number)
        inputs: dict[str, list[DatasetRef]] = {}
        outputs: dict[str, list[DatasetRef]] = {}
        for connection in connections:
            side = inputs if connection.role in ("input", "prerequisite") else outputs
            side[connection.name] = []
        path_values: dict[uuid.UUID, Mapping[str, Any]] = {}
        numbers: dict[uuid.UUID, int] = {}
        existing: set[uuid.UUID] = set()
        for edge in edges:
            _, connection_number, dataset, type_, dataset_id, run, own_number, own_group, *own = (
                edge
            )
            name = connections[connection_number].name
            data_id, known = self._data_id(own_number, own_group, own)
            ref = DatasetRef(self._types[type_], data_id, run or self._run, dataset_id)
            numbers[dataset_id] = dataset
            if name in inputs:
                inputs[name].append(ref)
                if run is not None:
                    existing.add(dataset_id)
                    if run != self._run:
                        continue
            else:
                outputs[name].append(ref)
            path_values[dataset_id] = known
        return GraphQuantum(
            number,
            id_,
            label,
            self._data_id(data_id_number, group, values)[0],
            {name: tuple(refs) for name, refs in inputs.items()},
            {name: tuple(refs) for name, refs in outputs.items()},
            path_values,
            numbers,
            frozenset(existing),
        )

    def _data_id(
        self, number: int, group_number: int, values: Sequence[Any]
    ) -> tuple[DataCoordinate, Mapping[str, Any]]:
        found = self._data_ids.get(number)
        if found is None:
            group = self._groups[group_number]
            known = dict(zip(self._names, values, strict=True))
            full = {name: known[name] for name in group.names}
            coordinate = DataCoordinate(group, tuple(full[n] for n in group.required), full=full)
            found = self._data_ids[number] = coordinate, known
        return found
