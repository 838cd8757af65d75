"""Makes a repository ready for a run: dataset types, collections, configurations, init outputs."""

from __future__ import annotations

import importlib.metadata
import logging
import platform
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from butler_core.butler.butler import Butler
from butler_core.failpoints import reach
from butler_core.repository.repository import Repository
from butler_core.repository.writing import ensure_run
from pipetask.errors import RunError
from pipetask.execution.quantum_work import InputDataset, RunSetup, TaskSetup
from pipetask.execution.worker import make_task
from pipetask.pipeline_graph.import_tasks import import_task
from pipetask.pipeline_graph.resolved import PACKAGES_DATASET_TYPE, ResolvedPipelineGraph
from pipetask.provenance.code_trace import digest_of, trace_code
from pipetask.quantum_graph.graph import QuantumGraph

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
    traces = {t.label: trace_code(import_task(t.class_name).__module__) for t in graph.tasks}
    with repository.transaction():
        if with_init and with_versions:
            _put_once(butler, _packages(), PACKAGES_DATASET_TYPE)
        for task in graph.tasks:
            node = pipeline.graph.task(task.label)
            if with_init:
                config = _plain_config(task.config)
                _put_once(butler, config, node.config_dataset_type, must_equal=True)
            init_inputs = {
                edge.connection_name: _find_init_input(butler, edge.dataset_type_name, inputs)
                for edge in node.init_reads
            }
            setups[task.label] = TaskSetup(
                task.label,
                task.class_name,
                task.config,
                init_inputs,
                digest_of(task.config.encode()),
                traces[task.label].digest,
            )
            if with_init and node.init_writes:
                made = make_task(setups[task.label], repository.datastore)
                for edge in node.init_writes:
                    value = getattr(made, edge.connection_name, None)
                    if value is None:
                        raise RunError(f"{task.class_name} did not set its init output {edge}")
                    _put_once(butler, value, edge.dataset_type_name)
    reach("ready.committed")
    return RunSetup(
        key=uuid.uuid4().hex,
        root=str(repository.root),
        config=dict(repository.config),
        tasks=setups,
        log_level=logging.getLogger("pipetask").getEffectiveLevel(),
        debugger=debugger,
        code={n: {"files": t.files, "versions": t.versions} for n, t in traces.items()},
    )


def _input_collections(graph: QuantumGraph) -> Sequence[str]:
    import json

    return (graph.output_run, *json.loads(graph.header["input_collections"]))


def _plain_config(text: str) -> Mapping[str, Any]:
    import yaml

    return dict(yaml.safe_load(text) or {})


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


def _packages() -> dict[str, str]:
    """Return the versions of Python and of every distribution installed."""
    found = {d.metadata["Name"]: d.version for d in importlib.metadata.distributions()}
    return {"python": platform.python_version(), **dict(sorted(found.items()))}
