"""What a pipeline graph is made of: tasks, and the edges to and from dataset types."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from pipetask.config import PipelineTaskConfig
from pipetask.connections import PipelineTaskConnections
from pipetask.connections.kinds import (
    Connection,
    DimensionedConnection,
    InputConnection,
    PrerequisiteInput,
)
from pipetask.task import PipelineTask


@dataclass(frozen=True)
class Edge:
    """A connection of a task to a dataset type."""

    task_label: str
    #: Name by which the task knows the connection.
    connection_name: str
    connection: Connection

    @property
    def dataset_type_name(self) -> str:
        """Name of the dataset type, without component."""
        return self.connection.dataset_type_name

    @property
    def storage_class(self) -> str:
        """Name of the storage class that the task sees."""
        return self.connection.storage_class

    @property
    def dimensions(self) -> tuple[str, ...]:
        """Names of the dimensions as declared; none for init connections."""
        connection = self.connection
        return connection.dimensions if isinstance(connection, DimensionedConnection) else ()

    @property
    def is_init(self) -> bool:
        """Whether the dataset is the task's, made or read once per run."""
        return not isinstance(self.connection, DimensionedConnection)

    def __str__(self) -> str:
        return f"{self.task_label}.{self.connection_name}"


@dataclass(frozen=True)
class ReadEdge(Edge):
    """An input of a task."""

    @property
    def component(self) -> str | None:
        """The component the task reads, if it does not read the whole."""
        return self.connection.component

    @property
    def is_prerequisite(self) -> bool:
        """Whether the datasets must exist before the graph is built."""
        return isinstance(self.connection, PrerequisiteInput)

    @property
    def is_calibration(self) -> bool:
        """Whether the datasets are looked up by validity."""
        return isinstance(self.connection, DimensionedConnection) and self.connection.is_calibration

    @property
    def minimum(self) -> int:
        """How many datasets a quantum needs at least."""
        return self.connection.minimum if isinstance(self.connection, InputConnection) else 1

    @property
    def is_deferred(self) -> bool:
        """Whether the task gets handles, not datasets."""
        return isinstance(self.connection, InputConnection) and self.connection.deferred


@dataclass(frozen=True)
class WriteEdge(Edge):
    """An output of a task."""


@dataclass(frozen=True)
class TaskNode:
    """A task of the pipeline, with its configuration made and frozen."""

    label: str
    #: Dotted name of its class.
    class_name: str
    task_class: type[PipelineTask]
    config: PipelineTaskConfig
    connections: PipelineTaskConnections

    def __str__(self) -> str:
        return self.label

    @property
    def dimensions(self) -> tuple[str, ...]:
        """Names of the dimensions of a quantum, as declared."""
        return tuple(self.connections.dimensions)

    @cached_property
    def reads(self) -> tuple[ReadEdge, ...]:
        """Its inputs and prerequisites, in order of declaration."""
        return tuple(
            ReadEdge(self.label, name, connection)
            for name, connection in self.connections.all_connections.items()
            if connection.group in ("inputs", "prerequisite_inputs")
        )

    @cached_property
    def writes(self) -> tuple[WriteEdge, ...]:
        """Its outputs, in order of declaration."""
        return self._writes("outputs")

    @cached_property
    def init_reads(self) -> tuple[ReadEdge, ...]:
        """Inputs of its constructor."""
        return tuple(
            ReadEdge(self.label, name, connection)
            for name, connection in self.connections.all_connections.items()
            if connection.group == "init_inputs"
        )

    @cached_property
    def init_writes(self) -> tuple[WriteEdge, ...]:
        """Outputs of its constructor."""
        return self._writes("init_outputs")

    def _writes(self, group: str) -> tuple[WriteEdge, ...]:
        return tuple(
            WriteEdge(self.label, name, connection)
            for name, connection in self.connections.all_connections.items()
            if connection.group == group
        )

    @property
    def config_dataset_type(self) -> str:
        """Name of the dataset type that keeps its configuration."""
        return f"{self.label}_config"

    @property
    def metadata_dataset_type(self) -> str:
        """Name of the dataset type that keeps what its quanta noted."""
        return f"{self.label}_metadata"

    @property
    def log_dataset_type(self) -> str | None:
        """Name of the dataset type that keeps its quanta's logs, if they are kept."""
        return f"{self.label}_log" if self.config.save_log_output else None
