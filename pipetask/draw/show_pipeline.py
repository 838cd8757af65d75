"""What ``--show`` prints of a pipeline. Imports no task class itself."""

from __future__ import annotations

from collections.abc import Iterator

from pipetask.draw.show import ShowContext


def show_pipeline(what: ShowContext, _value: str) -> Iterator[str]:
    """Return the pipeline's YAML, with nothing left to import."""
    assert what.pipeline is not None
    return iter(what.pipeline.to_yaml().splitlines())


def show_tasks(what: ShowContext, _value: str) -> Iterator[str]:
    """Return each task's label and class."""
    assert what.pipeline is not None
    return iter([f"{task.label}: {task.class_name}" for task in what.pipeline.tasks.values()])


def show_subsets(what: ShowContext, _value: str) -> Iterator[str]:
    """Return each subset's label and the labels of its tasks, sorted."""
    assert what.pipeline is not None
    lines: list[str] = []
    for label, subset in what.pipeline.subsets.items():
        lines += [f"{label}:", *(f"  - {task}" for task in sorted(subset.tasks))]
    return iter(lines)


def show_pipeline_graph(what: ShowContext, _value: str) -> Iterator[str]:
    """Return a drawing of tasks and dataset types."""
    from pipetask.draw.pipeline_text import pipeline_as_text

    assert what.pipeline_graph is not None
    return iter(pipeline_as_text(what.pipeline_graph, what.resolved).splitlines())


def show_task_graph(what: ShowContext, _value: str) -> Iterator[str]:
    """Return a drawing of tasks alone."""
    from pipetask.draw.pipeline_text import tasks_as_text

    assert what.pipeline_graph is not None
    return iter(tasks_as_text(what.pipeline_graph, what.resolved).splitlines())


def show_inputs(what: ShowContext, _value: str) -> Iterator[str]:
    """Return the dataset types that tasks read and none writes: name, dimensions, storage class."""
    from pipetask.pipeline_graph.flow_graph import make_drawn_graph, make_flow_graph

    assert what.pipeline_graph is not None
    drawn = make_drawn_graph(make_flow_graph(what.pipeline_graph, what.resolved))
    lines = []
    for node in sorted(drawn):
        if node[0] == "dataset_type" and not drawn.in_degree(node):
            attributes = drawn.nodes[node]
            dimensions = f"{{{', '.join(attributes['dimensions'])}}}"
            if what.resolved is not None:
                dimensions = str(what.resolved.dataset_types[node[1]].dimensions)
            lines.append(f"{node[1]} {dimensions} {attributes['storage_class']}")
    return iter(lines)
