"""What a run has once, as objects: versions, configurations, init outputs."""

from __future__ import annotations

import importlib.metadata
import platform
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from butler_core.datastore.file_datastore import FileDatastore
from pipetask.errors import RunError
from pipetask.execution.quantum_work import TaskSetup
from pipetask.execution.worker import make_task
from pipetask.pipeline_graph.resolved import PACKAGES_DATASET_TYPE, ResolvedPipelineGraph
from pipetask.quantum_graph.graph import QuantumGraph
from pipetask.quantum_graph.graph_quantum import GraphTask


def init_values(
    graph: QuantumGraph,
    pipeline: ResolvedPipelineGraph,
    setup_of: Callable[[GraphTask], TaskSetup],
    datastore: FileDatastore,
) -> Iterator[tuple[str, Any]]:
    """Give name and value of each dataset that a run has once, those that others need first.

    Parameters
    ----------
    setup_of
        Called for each task in turn, when all that its constructor needs has been given.

    Raises
    ------
    RunError
        If a task does not set what its constructor is to make.
    """
    yield PACKAGES_DATASET_TYPE, _packages()
    for task in graph.tasks:
        node = pipeline.graph.task(task.label)
        setup = setup_of(task)
        yield node.config_dataset_type, _plain_config(task.config)
        if node.init_writes:
            made = make_task(setup, datastore)
            for edge in node.init_writes:
                value = getattr(made, edge.connection_name, None)
                if value is None:
                    raise RunError(f"{task.class_name} did not set its init output {edge}")
                yield edge.dataset_type_name, value


def _plain_config(text: str) -> Mapping[str, Any]:
    """Return a configuration as plain values."""
    import yaml

    return dict(yaml.safe_load(text) or {})


def _packages() -> dict[str, str]:
    """Return the versions of Python and of every distribution installed."""
    found = {d.metadata["Name"]: d.version for d in importlib.metadata.distributions()}
    return {"python": platform.python_version(), **dict(sorted(found.items()))}
