"""``pipetask build``: a pipeline, looked at and saved."""

from __future__ import annotations

from typing import Any

import click

from pipetask.cli import options
from pipetask.cli.ordered_actions import PipelineCommand, actions_given

#: Items of --show that need no task class.
_WITHOUT_TASKS = {"pipeline", "subsets", "tasks"}


@click.command("build", cls=PipelineCommand)
@options.show_option()
@options.pipeline_options()
@options.repository_option(required=False)
@click.pass_context
def build(ctx: click.Context, /, **given: Any) -> None:
    """Build, show and save a pipeline.

    No data repository is needed; with one (-b), dataset types are checked
    against it. The options -t, --delete, -c, -C and --instrument are applied
    from left to right.
    """
    from pipetask.cli.pipeline_session import make_pipeline, print_shown, write_pipeline_outputs
    from pipetask.pipeline_graph import build_pipeline_graph

    pipeline = make_pipeline(given, actions_given(ctx))
    wanted = {item.partition("=")[0] for item in given["show"]}
    needs_tasks = wanted - _WITHOUT_TASKS or given["pipeline_dot"] or given["pipeline_mermaid"]
    graph = resolved = None
    if needs_tasks or not wanted or given["repo"]:
        graph = build_pipeline_graph(pipeline)
    if graph is not None and given["repo"]:
        from butler_core.cli.opening import open_for_reading
        from pipetask.cli.graph_session import resolve_against

        with open_for_reading(given["repo"]) as butler:
            resolved = resolve_against(butler.repository, graph)
    write_pipeline_outputs(given, pipeline, graph)
    print_shown(given["show"], pipeline=pipeline, pipeline_graph=graph, resolved=resolved)
