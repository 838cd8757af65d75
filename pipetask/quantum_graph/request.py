"""What a quantum graph is asked to be."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from butler_core.repository.repository import Repository
from pipetask.pipeline_graph.resolved import ResolvedPipelineGraph
from pipetask.quantum_graph.reuse_request import ReuseRequest


@dataclass(frozen=True)
class BuildRequest:
    """Everything that decides which quanta a graph has."""

    repository: Repository
    pipeline: ResolvedPipelineGraph
    #: Names of the collections that inputs are searched in, in order.
    input_collections: tuple[str, ...]
    #: Name of the RUN collection that outputs will go to.
    output_run: str
    #: Expression that the data IDs of quanta must fulfil.
    where: str = ""
    bind: Mapping[str, Any] = field(default_factory=dict)
    #: Values that the data IDs must have, such as a default instrument.
    data_id: Mapping[str, Any] = field(default_factory=dict)
    #: Names of the inputs that must exist for a data ID to count; None for all of them.
    constraining: frozenset[str] | None = None
    #: Tables of data IDs that the graph is limited to, as columns by dimension.
    data_id_tables: tuple[Mapping[str, Sequence[Any]], ...] = ()
    #: Quanta whose outputs exist in these collections are left out.
    skip_existing_in: tuple[str, ...] = ()
    #: Earlier runs whose quanta are left out where nothing has changed; then ``skip_existing_in``
    #: must name these runs.
    reuse: ReuseRequest | None = None
    #: Whether outputs that exist in the output run will be replaced.
    clobber_outputs: bool = False
    #: Whether the graph says where the files of its inputs are, so that it can be run without a
    #: registry.
    with_files: bool = False
    #: Bound on the memory of the build's tables [MB], beyond which they go to disk.
    memory_limit_mb: int = 600
    #: Threads of the build; None for all cores.
    n_threads: int | None = None

    @property
    def constraining_inputs(self) -> tuple[str, ...]:
        """Names of the overall inputs whose existence decides which data IDs there are."""
        names = self.pipeline.constraining_inputs
        if self.constraining is None:
            return names
        return tuple(name for name in names if name in self.constraining)
