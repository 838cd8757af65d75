"""What a quantum graph is asked to be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from butler_core.repository.repository import Repository
from pipetask.pipeline_graph.resolved import ResolvedPipelineGraph


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
    #: Quanta whose outputs exist in these collections are left out.
    skip_existing_in: tuple[str, ...] = ()
    #: Whether outputs that exist in the output run will be replaced.
    clobber_outputs: bool = False
    #: Bound on the memory of the build [MB]; None for four fifths of the machine's.
    memory_limit_mb: int | None = None
    #: Threads of the build; None for all cores.
    n_threads: int | None = None
