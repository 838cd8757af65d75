"""What workers need to know of each task of a graph."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from pipetask.execution.quantum_work import InputDataset, TaskSetup
from pipetask.pipeline_graph.import_tasks import import_task
from pipetask.pipeline_graph.resolved import ResolvedPipelineGraph
from pipetask.provenance.code_trace import CodeTrace, digest_of, trace_code
from pipetask.quantum_graph.graph import QuantumGraph
from pipetask.quantum_graph.graph_quantum import GraphTask


def code_traces(graph: QuantumGraph) -> Mapping[str, CodeTrace]:
    """Return what the code of each task is made of, by label."""
    return {t.label: trace_code(import_task(t.class_name).__module__) for t in graph.tasks}


def task_setup(
    task: GraphTask,
    pipeline: ResolvedPipelineGraph,
    trace: CodeTrace,
    find_init_input: Callable[[str], InputDataset],
) -> TaskSetup:
    """Return the setup of a task.

    Parameters
    ----------
    find_init_input
        Finds a dataset for the task's constructor by the name of its type.
    """
    return TaskSetup(
        task.label,
        task.class_name,
        task.config,
        {
            edge.connection_name: find_init_input(edge.dataset_type_name)
            for edge in pipeline.graph.task(task.label).init_reads
        },
        digest_of(task.config.encode()),
        trace.digest,
    )


def code_facts(traces: Mapping[str, CodeTrace]) -> dict[str, dict[str, Mapping[str, str]]]:
    """Return what the journal keeps of the code of tasks, by label."""
    return {n: {"files": t.files, "versions": t.versions} for n, t in traces.items()}
