"""``pipetask pre-exec-init-qbb`` and ``pipetask run-qbb``: running without a registry."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from butler_core.cli.subcommand import DocumentedArgument, Subcommand
from pipetask.cli.execution_options import execution_options
from pipetask.cli.option_sections import NEW_FILE

_FAILED = 1
_FILE = click.Path(dir_okay=False, path_type=Path)


def _arguments() -> Callable[[Any], Any]:
    def decorate(command: Any) -> Any:
        command = click.argument(
            "qgraph",
            cls=DocumentedArgument,
            type=_FILE,
            doc="QGRAPH is a quantum graph file made with --qgraph-datastore-records.",
        )(command)
        return click.argument(
            "repo",
            cls=DocumentedArgument,
            doc="REPO is a data repository: directory, configuration file, or label. Its registry "
            "is not touched.",
        )(command)

    return decorate


def _journal_option() -> Callable[[Any], Any]:
    return click.option(
        "--journal",
        type=click.Path(file_okay=False, path_type=Path),
        metavar="DIR",
        help="Folder for the journals, if not with the run's files.",
    )


@click.command("pre-exec-init-qbb", cls=Subcommand)
@_arguments()
@click.option("--qgraph-id", metavar="TEXT", help="Id that the graph must have.")
@_journal_option()
def pre_exec_init_qbb(repo: str, qgraph: Path, qgraph_id: str | None, journal: Path | None) -> None:
    """Write what a run has once, without a registry: configurations, versions, init outputs."""
    from pipetask.execution.quantum_backed import init_quantum_backed
    from pipetask.quantum_graph.graph import QuantumGraph

    with QuantumGraph.open(qgraph) as graph:
        graph.require_id(qgraph_id)
        count = init_quantum_backed(repo, graph, journal)
        click.echo(f"{count} datasets of run {graph.output_run!r} are written")


@click.command("run-qbb", cls=Subcommand)
@_arguments()
@click.option("--qgraph-id", metavar="TEXT", help="Id that the graph must have.")
@click.option(
    "--qgraph-node-id",
    multiple=True,
    metavar="ID ...",
    help="Quanta to run, by number or id, with commas between them; all if not given.",
)
@click.option("--label", multiple=True, metavar="LABEL ...", help="Tasks whose quanta to run.")
@click.option(
    "--part",
    metavar="K/N",
    help="The K-th of N equal parts of these quanta, K from 0: for jobs of an array.",
)
@execution_options()
@click.option("--summary", type=NEW_FILE, help="Write a summary as JSON.")
@click.pass_context
def run_qbb(ctx: click.Context, /, repo: str, qgraph: Path, **given: Any) -> None:
    """Run quanta of a graph without a registry.

    What is made is noted in a journal beside the run's graph, until `butler
    transfer-from-graph` registers it. Quanta that are done are left out.

    Exit code 0: every quantum succeeded or found no work; 1: some failed;
    2: wrong usage.
    """
    from dataclasses import replace
    from functools import partial

    from pipetask.cli.choosing_quanta import quanta_chosen
    from pipetask.cli.resource_options import warn_of_strangers
    from pipetask.cli.run_options import run_options
    from pipetask.cli.run_progress import watching
    from pipetask.cli.summary_text import print_summary
    from pipetask.execution.quantum_backed import run_quantum_backed
    from pipetask.quantum_graph.graph import QuantumGraph

    how = run_options(given)
    with QuantumGraph.open(qgraph) as graph:
        graph.require_id(given["qgraph_id"])
        chosen = quanta_chosen(graph, given["qgraph_node_id"], given["label"], given["part"])
        warn_of_strangers(how.rules, [task.label for task in graph.tasks])
        own = replace(how, chosen=chosen)
        summary = run_quantum_backed(repo, graph, own, partial(watching, graph, given["metrics"]))
    if summary is None:
        click.echo("Nothing to do: all quanta asked for are done already.")
        return
    print_summary(summary, "the same command")
    if given["summary"]:
        given["summary"].write_text(json.dumps(summary.to_json(), indent=1) + "\n")
    if not summary.is_good:
        ctx.exit(_FAILED)
