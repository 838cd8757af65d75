"""From command-line options to a pipeline and its graph."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from butler_core.errors import near_misses
from pipetask.errors import PipelineError, PipetaskError
from pipetask.pipeline import Pipeline

if TYPE_CHECKING:
    from pipetask.pipeline_graph.pipeline_graph import PipelineGraph


def make_pipeline(options: Mapping[str, Any], actions: Iterable[tuple[str, str]]) -> Pipeline:
    """Load a pipeline and change it by the options given, left to right.

    Raises
    ------
    PipetaskError
        If an option does not fit the pipeline.
    """
    from pipetask.pipeline_graph import labels_between

    if options["pipeline"]:
        pipeline = Pipeline.from_file(options["pipeline"], labels_between=labels_between)
    else:
        pipeline = Pipeline("made on the command line")
    for name, value in actions:
        pipeline = _ACTIONS[name](pipeline, value)
    if not pipeline.task_labels:
        raise click.UsageError("no pipeline: give one with -p FILE, or tasks with -t TASK")
    until = options.get("until")
    if until and until not in pipeline.task_labels:
        raise PipetaskError(
            f"--until {until!r}: the pipeline has no such task."
            f"{near_misses(until, pipeline.task_labels)}"
        )
    pipeline = _selected(pipeline, f"<={until}" if until else None)
    return _selected(pipeline, options["select_tasks"])


def _add_task(pipeline: Pipeline, text: str) -> Pipeline:
    name, _, label = text.partition(":")
    return pipeline.add_task(label or name.rpartition(".")[2], name)


def _delete(pipeline: Pipeline, label: str) -> Pipeline:
    return pipeline.remove_task(label)


def _set_field(pipeline: Pipeline, text: str) -> Pipeline:
    from pipetask.config_overrides import command_line_override

    label, override = command_line_override(text)
    return pipeline.add_override(label, override.field, override.value, source=f"-c {text}")


def _load_file(pipeline: Pipeline, text: str) -> Pipeline:
    label, colon, path = text.partition(":")
    if not colon or not path:
        raise PipelineError(f"-C takes LABEL:FILE, not {text!r}")
    if not Path(path).is_file():
        raise PipelineError(f"-C {text}: there is no file {path!r}")
    return pipeline.add_file_override(label, path, source=f"-C {text}")


def _set_instrument(pipeline: Pipeline, name: str) -> Pipeline:
    return pipeline.with_instrument(name)


_ACTIONS = {
    "task": _add_task,
    "delete": _delete,
    "config": _set_field,
    "config_file": _load_file,
    "instrument": _set_instrument,
}


def _selected(pipeline: Pipeline, expression: str | None) -> Pipeline:
    if not expression:
        return pipeline
    from pipetask.pipeline.task_expressions import select_tasks
    from pipetask.pipeline_graph import build_pipeline_graph

    graph = build_pipeline_graph(pipeline).to_networkx()
    subsets = {name: subset.tasks for name, subset in pipeline.subsets.items()}
    labels = select_tasks(expression, pipeline.task_labels, subsets, graph)
    if not labels:
        raise PipetaskError(
            f"--select-tasks {expression!r} selects none of {', '.join(pipeline.task_labels)}"
        )
    return pipeline.subset_from_labels([x for x in pipeline.task_labels if x in labels])


def write_pipeline_outputs(
    options: Mapping[str, Any], pipeline: Pipeline, graph: PipelineGraph | None
) -> None:
    """Write the pipeline, and drawings of it, where the options say."""
    if options["save_pipeline"]:
        pipeline.write(options["save_pipeline"])
    if options["pipeline_dot"] and graph is not None:
        from pipetask.draw import pipeline_as_dot

        options["pipeline_dot"].write_text(pipeline_as_dot(graph), encoding="utf-8")
    if options["pipeline_mermaid"] and graph is not None:
        from pipetask.draw import pipeline_as_mermaid

        options["pipeline_mermaid"].write_text(pipeline_as_mermaid(graph), encoding="utf-8")


def print_shown(items: Iterable[str], **parts: Any) -> None:
    """Print what --show asks for.

    Parameters
    ----------
    **parts
        What there is to show; the fields of `pipetask.draw.show.ShowContext`.
    """
    for item in items:
        from pipetask.draw.show import ShowContext, show

        for line in show(item, ShowContext(**parts)):
            click.echo(line)
