"""What a graph file gives on demand: its tasks and its quanta, as objects."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from butler_core.datasets.dataset_ref import DatasetRef
from butler_core.dimensions.data_coordinate import DataCoordinate
from butler_core.dimensions.group import DimensionGroup
from pipetask.quantum_graph.connection_row import ConnectionRow


@dataclass(frozen=True)
class GraphTask:
    """A task of a graph, as its file has it."""

    number: int
    label: str
    class_name: str
    dimensions: DimensionGroup
    #: YAML of its configuration.
    config: str
    connections: tuple[ConnectionRow, ...]
    n_quanta: int


@dataclass(frozen=True)
class GraphQuantum:
    """One quantum with all its datasets."""

    number: int
    id: uuid.UUID
    task_label: str
    data_id: DataCoordinate
    #: Inputs and prerequisites by connection name.
    inputs: Mapping[str, tuple[DatasetRef, ...]]
    #: Outputs by connection name, ``_metadata`` and ``_log`` included.
    outputs: Mapping[str, tuple[DatasetRef, ...]]
    #: Values for path templates, by dataset id, of all that did not exist when it was built.
    path_values: Mapping[uuid.UUID, Mapping[str, Any]]
    #: Numbers of the datasets it reads and writes, by dataset id.
    numbers: Mapping[uuid.UUID, int]
    #: Ids of the inputs that existed when the graph was built.
    existing: frozenset[uuid.UUID]
