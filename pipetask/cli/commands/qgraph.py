"""``pipetask qgraph``: a quantum graph, looked at and saved."""

from __future__ import annotations

import json
from typing import Any

import click

from pipetask.cli import options
from pipetask.cli.ordered_actions import PipelineCommand, actions_given

#: Options that name files to write.
_FILES = (
    "save_qgraph", "save_pipeline", "pipeline_dot", "pipeline_mermaid", "qgraph_dot",
    "qgraph_mermaid", "summary",
)  # fmt: skip


@click.command("qgraph", cls=PipelineCommand)
@options.show_option()
@options.pipeline_options()
@options.graph_options()
@options.collection_options()
@click.option(
    "--dry-run",
    is_flag=True,
    help="Write no file: only say how many quanta there are, and with --reuse why they would run.",
)
@click.pass_context
def qgraph(ctx: click.Context, /, dry_run: bool, **given: Any) -> None:
    """Build, show and save a quantum graph.

    Nothing is written to the repository. Prints how many quanta each task has.
    The options -t, --delete, -c, -C and --instrument are applied from left to
    right.
    """
    from pipetask.cli.graph_session import (
        graph_session,
        graph_summary,
        nothing_to_do_is_fine,
        print_graph_table,
        write_graph_outputs,
    )
    from pipetask.cli.pipeline_session import print_shown

    if dry_run:
        given |= dict.fromkeys(_FILES)
    with (
        nothing_to_do_is_fine(),
        graph_session(given, actions_given(ctx), writeable=False) as session,
    ):
        write_graph_outputs(given, session)
        if given["summary"]:
            text = json.dumps(graph_summary(session), indent=1)
            given["summary"].write_text(text + "\n", encoding="utf-8")
        print_graph_table(session)
        print_shown(given["show"], **session.shown())
