"""Resolves a pipeline graph against the dataset types that a repository knows."""

from __future__ import annotations

from collections.abc import Callable

from butler_core.datasets.dataset_type import DatasetType
from butler_core.datasets.storage_class import StorageClassRegistry, can_convert
from butler_core.dimensions.group import DimensionGroup
from butler_core.dimensions.universe import DimensionUniverse
from butler_core.errors import ButlerError
from pipetask.errors import PipelineGraphError
from pipetask.pipeline_graph.nodes import Edge, ReadEdge, WriteEdge
from pipetask.pipeline_graph.pipeline_graph import PipelineGraph
from pipetask.pipeline_graph.resolved import (
    CONFIG_STORAGE_CLASS,
    LOG_STORAGE_CLASS,
    METADATA_STORAGE_CLASS,
    PACKAGES_DATASET_TYPE,
    PACKAGES_STORAGE_CLASS,
    ResolvedPipelineGraph,
)

#: Given a name, returns the dataset type registered under it, or None.
FindDatasetType = Callable[[str], DatasetType | None]


def resolve(
    graph: PipelineGraph,
    universe: DimensionUniverse,
    find: FindDatasetType,
    storage_classes: StorageClassRegistry | None = None,
) -> ResolvedPipelineGraph:
    """Return the graph with the definition of every dataset type.

    Raises
    ------
    PipelineGraphError
        If dimensions or storage classes do not fit; all faults at once.
    """
    resolver = _Resolver(graph, universe, find, storage_classes or StorageClassRegistry.default())
    return resolver.resolve()


class _Resolver:
    def __init__(
        self,
        graph: PipelineGraph,
        universe: DimensionUniverse,
        find: FindDatasetType,
        storage_classes: StorageClassRegistry,
    ) -> None:
        self._graph = graph
        self._universe = universe
        self._find = find
        self._storage_classes = storage_classes
        self._found: dict[str, DatasetType] = {}
        self._registered: set[str] = set()
        self._faults: list[str] = []

    def resolve(self) -> ResolvedPipelineGraph:
        for node in self._graph.tasks:
            self._guard(lambda: self._universe.conform(node.dimensions), f"task {node.label!r}")  # noqa: B023 - called at once
            for write in (*node.writes, *node.init_writes):
                self._guard(lambda: self._add_written(write), str(write))  # noqa: B023 - called at once
        if self._faults:
            raise self._error()
        for node in self._graph.tasks:
            self._add_automatic(node.label)
        for node in self._graph.tasks:
            for read in (*node.reads, *node.init_reads):
                self._guard(lambda: self._add_read(read), str(read))  # noqa: B023 - called at once
        if self._faults:
            raise self._error()
        unregistered = frozenset(self._found) - self._registered
        return ResolvedPipelineGraph(self._graph, self._universe, self._found, unregistered)

    def _error(self) -> PipelineGraphError:
        listed = "\n  ".join(self._faults)
        return PipelineGraphError(f"the pipeline does not fit the repository:\n  {listed}")

    def _guard(self, step: Callable[[], object], where: str) -> None:
        try:
            step()
        except ButlerError as error:
            self._faults.append(f"{where}: {error}")

    def _add_written(self, edge: WriteEdge) -> None:
        declared = self._declared(edge)
        known = self._known(edge.dataset_type_name)
        if known is None:
            self._found[declared.name] = declared
            return
        self._check_dimensions(edge, declared, known, "is registered with")
        self._check_storage(edge, edge.storage_class, known.storage_class, "is registered as")
        self._found[known.name] = known

    def _add_automatic(self, label: str) -> None:
        node = self._graph.task(label)
        dimensions = self._universe.conform(node.dimensions)
        empty = self._universe.empty
        self._add(DatasetType(node.config_dataset_type, empty, CONFIG_STORAGE_CLASS))
        self._add(DatasetType(PACKAGES_DATASET_TYPE, empty, PACKAGES_STORAGE_CLASS))
        self._add(DatasetType(node.metadata_dataset_type, dimensions, METADATA_STORAGE_CLASS))
        if node.log_dataset_type:
            self._add(DatasetType(node.log_dataset_type, dimensions, LOG_STORAGE_CLASS))

    def _add(self, dataset_type: DatasetType) -> None:
        known = self._known(dataset_type.name)
        if known is not None and known.dimensions != dataset_type.dimensions:
            self._faults.append(
                f"dataset type {known.name!r} is registered with {known.dimensions}, but the run "
                f"needs {dataset_type.dimensions}; give the task another label"
            )
        self._found[dataset_type.name] = known or dataset_type

    def _add_read(self, edge: ReadEdge) -> None:
        name = edge.dataset_type_name
        declared = self._declared(edge)
        producer = self._graph.producer_label(name)
        known = self._found.get(name) or self._known(name)
        if known is None:
            if edge.component is not None:
                self._faults.append(
                    f"{edge} reads {edge.connection.name!r}, but no dataset type {name!r} is "
                    "registered"
                )
                return
            self._found[name] = declared
            return
        said = f"has in {producer!r}, which writes it," if producer else "is registered with"
        self._check_dimensions(edge, declared, known, said)
        stored = known.storage_class
        if edge.component is not None:
            stored = self._storage_classes.get(stored).component(edge.component)
        self._check_storage(edge, stored, edge.storage_class, "is read as")
        self._found[name] = known

    def _declared(self, edge: Edge) -> DatasetType:
        is_calibration = bool(getattr(edge.connection, "is_calibration", False))
        dimensions = self._with_skypix(edge)
        self._storage_classes.get(edge.storage_class)
        return DatasetType(edge.dataset_type_name, dimensions, edge.storage_class, is_calibration)

    def _with_skypix(self, edge: Edge) -> DimensionGroup:
        """Return the dimensions, ``skypix`` standing for whatever pixelization is registered."""
        names = set(edge.dimensions)
        if "skypix" in names:
            known = self._known(edge.dataset_type_name)
            pixels = known.dimensions.skypix if known else ()
            names = (names - {"skypix"}) | set(pixels or (self._universe.common_skypix,))
        return self._universe.conform(names)

    def _known(self, name: str) -> DatasetType | None:
        found = self._find(name)
        if found is not None:
            self._registered.add(name)
        return found

    def _check_dimensions(
        self, edge: Edge, ours: DatasetType, theirs: DatasetType, said: str
    ) -> None:
        if ours.dimensions != theirs.dimensions:
            self._faults.append(
                f"{edge} declares {ours.name!r} with {ours.dimensions}, which {said} "
                f"{theirs.dimensions}"
            )

    def _check_storage(self, edge: Edge, source: str, target: str, said: str) -> None:
        if source == target:
            return
        classes = self._storage_classes
        if not can_convert(classes.get(source), classes.get(target)):
            self._faults.append(
                f"{edge} has {edge.connection.name!r} as {source!r}, which cannot become "
                f"{target!r}, as "
                f"which it {said.removeprefix('is ')}"
            )
