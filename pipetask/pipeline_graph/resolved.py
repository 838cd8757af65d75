"""A pipeline graph that knows its dataset types: dimensions, storage classes, roles."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from butler_core.datasets.dataset_type import DatasetType
from butler_core.dimensions.group import DimensionGroup
from butler_core.dimensions.universe import DimensionUniverse
from pipetask.pipeline_graph.nodes import ReadEdge, TaskNode
from pipetask.pipeline_graph.pipeline_graph import PipelineGraph

#: Storage classes of the dataset types that every run has.
CONFIG_STORAGE_CLASS = "Config"
METADATA_STORAGE_CLASS = "TaskMetadata"
LOG_STORAGE_CLASS = "ButlerLogRecords"
PACKAGES_DATASET_TYPE = "packages"
PACKAGES_STORAGE_CLASS = "Packages"


@dataclass(frozen=True)
class ResolvedPipelineGraph:
    """A pipeline graph in the light of one repository."""

    graph: PipelineGraph
    universe: DimensionUniverse
    #: Every dataset type by name, init outputs, metadata and logs included.
    dataset_types: Mapping[str, DatasetType]
    #: Names of those that the repository does not know yet.
    unregistered: frozenset[str]

    @property
    def tasks(self) -> tuple[TaskNode, ...]:
        """All tasks in an order in which they can run."""
        return self.graph.tasks

    def task_dimensions(self, label: str) -> DimensionGroup:
        """Return the dimensions of a task's quanta."""
        return self.universe.conform(self.graph.task(label).dimensions)

    @cached_property
    def overall_inputs(self) -> tuple[str, ...]:
        """Names of the regular inputs that no task of the pipeline writes, sorted."""
        names = {
            edge.dataset_type_name
            for node in self.tasks
            for edge in node.reads
            if not edge.is_prerequisite
        }
        return tuple(sorted(n for n in names if self.graph.producer_label(n) is None))

    @cached_property
    def constraining_inputs(self) -> tuple[str, ...]:
        """Names of the overall inputs that every reader needs and looks for at once."""
        return tuple(
            name
            for name in self.overall_inputs
            if all(_constrains(edge) for edge in self.graph.consumers(name))
        )

    @cached_property
    def prerequisites(self) -> tuple[ReadEdge, ...]:
        """All prerequisite inputs, task by task."""
        return tuple(edge for node in self.tasks for edge in node.reads if edge.is_prerequisite)

    @cached_property
    def outputs(self) -> tuple[str, ...]:
        """Names of everything quanta write, in task order: outputs, then metadata and log."""
        names = []
        for node in self.tasks:
            names += [edge.dataset_type_name for edge in node.writes]
            names += [node.metadata_dataset_type]
            names += [node.log_dataset_type] if node.log_dataset_type else []
        return tuple(names)

    @cached_property
    def dimensions(self) -> DimensionGroup:
        """All dimensions of tasks, their regular inputs and their outputs."""
        names: set[str] = set()
        for node in self.tasks:
            names |= set(self.task_dimensions(node.label).names)
            for edge in (*node.reads, *node.writes):
                if not (isinstance(edge, ReadEdge) and edge.is_prerequisite):
                    names |= set(self.dataset_types[edge.dataset_type_name].dimensions.names)
        return self.universe.conform(names)


def _constrains(edge: ReadEdge) -> bool:
    return edge.minimum > 0 and not getattr(edge.connection, "defer_graph_constraint", False)
