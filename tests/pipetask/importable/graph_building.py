"""Builds graphs of specifications with the program under test, and reads them as plain sets."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from graph_oracle import Answer, key_of
from graph_specs import Task, make_pipeline

from butler_core import Butler
from pipetask.pipeline_graph import ResolvedPipelineGraph, build_pipeline_graph, resolve
from pipetask.quantum_graph import BuildRequest, QuantumGraph, build_quantum_graph
from pipetask.quantum_graph.build import BuildReport


def resolve_pipeline(butler: Butler, pipeline: Any) -> ResolvedPipelineGraph:
    """Return the graph of a pipeline, resolved against a repository."""
    registry = butler.repository.registry

    def find(name: str) -> Any:
        found = registry.dataset_types.find(name)
        return None if found is None else found.dataset_type

    return resolve(build_pipeline_graph(pipeline), registry.universe, find)


def build_graph(
    butler: Butler, tasks: Iterable[Task], inputs: Sequence[str], path: Path, **request: Any
) -> tuple[QuantumGraph, BuildReport]:
    """Build the graph of some tasks."""
    resolved = resolve_pipeline(butler, make_pipeline(tasks))
    asked = {"output_run": "u/out", **request}
    return build_quantum_graph(
        BuildRequest(butler.repository, resolved, tuple(inputs), **asked), path
    )


def answer_of(graph: QuantumGraph) -> Answer:
    """Return a graph's quanta and edges, metadata and logs aside; none may come twice."""
    answer = Answer()
    numbers: dict[Any, int] = {}
    for quantum in graph.iter_quanta():
        key = key_of(quantum.data_id, quantum.data_id.dimensions.required)
        assert (quantum.task_label, key) not in answer.quanta
        answer.quanta.add((quantum.task_label, key))
        assert all(numbers.setdefault(id_, n) == n for id_, n in quantum.numbers.items())
        for name, refs in {**quantum.inputs, **quantum.outputs}.items():
            if name.startswith("_"):
                continue
            for ref in refs:
                run = ref.run if name in quantum.inputs and ref.id in quantum.existing else None
                data_id = key_of(ref.data_id, ref.data_id.dimensions.required)
                edge = (quantum.task_label, key, name, data_id, run)
                assert edge not in answer.edges
                answer.edges.add(edge)
    return answer
