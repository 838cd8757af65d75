"""Makes a repository ready for a run: dataset types, collections, configurations, init outputs."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Sequence
from typing import Any

from butler_core.butler.butler import Butler
from butler_core.failpoints import reach
from butler_core.repository.repository import Repository
from butler_core.repository.writing import ensure_run
from pipetask.errors import RunError
from pipetask.execution.init_values import init_values
from pipetask.execution.quantum_work import InputDataset, RunSetup, TaskSetup
from pipetask.execution.task_setups import code_facts, code_traces, task_setup
from pipetask.pipeline_graph.resolved import PACKAGES_DATASET_TYPE, ResolvedPipelineGraph
from pipetask.quantum_graph.graph import QuantumGraph
from pipetask.quantum_graph.graph_quantum import GraphTask

_LOG = logging.getLogger(__name__)


def register_dataset_types(repository: Repository, pipeline: ResolvedPipelineGraph) -> int:
    """Register everything that the pipeline writes; return how many were new."""
    types = repository.registry.dataset_types
    names = [*pipeline.outputs, *pipeline.graph.init_producers, PACKAGES_DATASET_TYPE]
    names += [node.config_dataset_type for node in pipeline.tasks]
    with repository.transaction():
        return sum(types.register(pipeline.dataset_types[name]) for name in names)


def require_registered(repository: Repository, pipeline: ResolvedPipelineGraph) -> None:
    """Raise RunError if the pipeline writes dataset types that are not registered."""
    written = {*pipeline.outputs, *pipeline.graph.init_producers, PACKAGES_DATASET_TYPE}
    written |= {node.config_dataset_type for node in pipeline.tasks}
    missing = sorted(n for n in written if repository.registry.dataset_types.find(n) is None)
    if missing:
        raise RunError(
            f"dataset types {', '.join(map(repr, missing))} are not registered; "
            "use --register-dataset-types"
        )


def prepare_run(
    repository: Repository,
    graph: QuantumGraph,
    pipeline: ResolvedPipelineGraph,
    *,
    with_init: bool = True,
    with_versions: bool = True,
    debugger: bool = False,
) -> RunSetup:
    """Write what a run has once, and return what its workers need to know.

    Configurations that the run has already must be the same.

    Parameters
    ----------
    with_init
        Whether to write configurations, versions and init outputs.
    with_versions
        Whether to keep the versions of installed packages.
    debugger
        Whether workers start the debugger where a task fails.

    Raises
    ------
    RunError
        If the run was made with another configuration.
    """
    ensure_run(repository, graph.output_run)
    butler = Butler(repository, run=graph.output_run)
    inputs = _input_collections(graph)
    setups: dict[str, TaskSetup] = {}
    traces = code_traces(graph)

    def find(name: str) -> InputDataset:
        return _find_init_input(butler, name, inputs)

    def setup_of(task: GraphTask) -> TaskSetup:
        setups[task.label] = task_setup(task, pipeline, traces[task.label], find)
        return setups[task.label]

    configs = {node.config_dataset_type for node in pipeline.tasks}
    with repository.transaction():
        values = init_values(graph, pipeline, setup_of, repository.datastore)
        for name, value in values if with_init else ():
            if with_versions or name != PACKAGES_DATASET_TYPE:
                _put_once(butler, value, name, must_equal=name in configs)
        for task in graph.tasks if not with_init else ():
            setup_of(task)
    reach("ready.committed")
    return RunSetup(
        key=uuid.uuid4().hex,
        root=str(repository.root),
        config=dict(repository.config),
        tasks=setups,
        log_level=logging.getLogger("pipetask").getEffectiveLevel(),
        debugger=debugger,
        code=code_facts(traces),
    )


def _input_collections(graph: QuantumGraph) -> Sequence[str]:
    import json

    return (graph.output_run, *json.loads(graph.header["input_collections"]))


def _put_once(butler: Butler, obj: Any, name: str, *, must_equal: bool = False) -> None:
    """Put a dataset of no dimensions unless the run has it."""
    found = butler.find_dataset(name, {}, collections=butler.run)
    if found is None:
        butler.put(obj, name, {})
        return
    if must_equal and butler.get(found) != obj:
        raise RunError(
            f"run {butler.run!r} was made with another {name!r}; choose another run, or the same "
            "configuration"
        )


def _find_init_input(butler: Butler, name: str, collections: Sequence[str]) -> InputDataset:
    is_known = butler.repository.registry.dataset_types.find(name) is not None
    found = butler.find_dataset(name, {}, collections=collections) if is_known else None
    if found is None:
        raise RunError(f"the init input {name!r} is in none of {', '.join(map(repr, collections))}")
    registry = butler.repository.registry
    key = registry.datasets.keys_of([found])[found.id.bytes]
    record = registry.files.get(key)
    if record is None:
        raise RunError(f"the init input {found} has no file")
    return InputDataset(found, record)
