"""``pipetask run``: builds a quantum graph, or takes one, and runs it."""

from __future__ import annotations

import json
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pipetask.cli import options
from pipetask.cli.execution_options import execution_options
from pipetask.cli.ordered_actions import PipelineCommand, actions_given

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipetask.cli.graph_session import GraphSession
    from pipetask.execution.engines.engine import Engine
    from pipetask.execution.quantum_work import RunSetup
    from pipetask.execution.run_options import RunOptions
    from pipetask.execution.summary import RunSummary

_FAILED = 1


@click.command("run", cls=PipelineCommand)
@options.show_option()
@options.pipeline_options()
@options.graph_options()
@options.collection_options()
@execution_options()
@options.once_per_run_options()
@click.pass_context
def run(ctx: click.Context, /, **given: Any) -> None:
    """Build a quantum graph and run it.

    The options -t, --delete, -c, -C and --instrument are applied from left to
    right.

    Exit code 0: every quantum succeeded or found no work; 1: some failed;
    2: wrong usage.
    """
    from pipetask.cli.graph_session import (
        graph_session,
        nothing_to_do_is_fine,
        print_reasons,
        write_graph_outputs,
    )
    from pipetask.cli.pipeline_session import print_shown
    from pipetask.cli.resuming import graph_to_retry, quanta_to_run
    from pipetask.cli.run_options import run_options
    from pipetask.cli.run_session import make_ready
    from pipetask.cli.summary_text import print_summary
    from pipetask.execution.engines.engine import make_engine

    how = run_options(given)
    if given["retry_failed"]:
        given |= graph_to_retry(given)
    summary = None
    with (
        nothing_to_do_is_fine(),
        graph_session(given, actions_given(ctx), writeable=True) as session,
    ):
        chosen = None
        if given["qgraph_file"]:
            chosen = quanta_to_run(session.repository, session.graph, given)
        write_graph_outputs(given, session)
        print_reasons(session.report)
        print_shown(given["show"], **session.shown())
        if given["init_only"]:
            make_ready(session, given, chosen)
            click.echo(f"Run {session.graph.output_run!r} is ready; nothing was run.")
            return
        # Before anything is written: there may be no such scheduler.
        with closing(make_engine(how)) as engine:
            setup = make_ready(session, given, chosen)
            own = replace(how, chosen=chosen, durations_s=_durations(session, given))
            summary = _run(session, setup, own, engine, given["profile"], given["metrics"])
    if summary is None:
        return
    print_summary(summary, "the same command with --extend-run")
    if given["summary"]:
        text = json.dumps(summary.to_json(), indent=1)
        given["summary"].write_text(text + "\n", encoding="utf-8")
    if not summary.is_good:
        ctx.exit(_FAILED)


def _durations(session: GraphSession, given: Mapping[str, Any]) -> Mapping[str, float]:
    """Return what quanta took in earlier runs of the same chain, if their order depends on it."""
    from pipetask.execution.run_options import CRITICAL_PATH
    from pipetask.provenance.durations import mean_durations
    from pipetask.provenance.known_graph import known_graphs

    if given["order"] != CRITICAL_PATH:
        return {}
    collections = session.repository.registry.collections
    names = collections.find(n for n in (given["output"], session.graph.output_run) if n)
    runs = [found.name for found in collections.flatten(list(names))]
    root = given["journal"] or session.repository.datastore.root
    return mean_durations(known_graphs(root, runs))


def _run(
    session: GraphSession,
    setup: RunSetup,
    how: RunOptions,
    engine: Engine,
    profile_file: Path | None,
    metrics_file: Path | None,
) -> RunSummary:
    from pipetask.cli.resource_options import warn_of_strangers
    from pipetask.cli.run_progress import watching
    from pipetask.execution.run import run_graph

    warn_of_strangers(how.rules, [task.label for task in session.graph.tasks])
    with watching(session.graph, metrics_file, how.chosen) as watcher:
        how = replace(how, watcher=watcher)
        if profile_file is None:
            return run_graph(session.repository, session.graph, setup, how, session.run, engine)
        import cProfile

        profile = cProfile.Profile()
        summary = profile.runcall(
            run_graph, session.repository, session.graph, setup, how, session.run, engine
        )
        profile.dump_stats(profile_file)
        return summary
