"""``pipetask update-graph-run`` and ``pipetask split-graph``: new graph files of an old one."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from butler_core.cli.subcommand import DocumentedArgument, Subcommand

_FILE = click.Path(dir_okay=False, path_type=Path)


def _graph_argument() -> Callable[[Any], Any]:
    return click.argument(
        "qgraph", cls=DocumentedArgument, doc="QGRAPH is a quantum graph file (.qg).", type=_FILE
    )


@click.command("update-graph-run", cls=Subcommand)
@_graph_argument()
@click.argument("run", cls=DocumentedArgument, doc="RUN is the name of the new output run.")
@click.argument(
    "output_qgraph", cls=DocumentedArgument, doc="OUTPUT_QGRAPH is the file to make.", type=_FILE
)
@click.option(
    "--metadata-run-key",
    default="output_run",
    show_default=True,
    metavar="TEXT",
    help="Taken for Rubin's sake: the run of our graphs is always under this key.",
)
@click.option("--update-graph-id", is_flag=True, help="Give the new graph an id of its own.")
def update_graph_run(
    qgraph: Path, run: str, output_qgraph: Path, metadata_run_key: str, update_graph_id: bool
) -> None:
    """Write a graph for another output run, with new dataset ids."""
    from pipetask.cli.graph_session import require_good_names
    from pipetask.quantum_graph.graph import QuantumGraph
    from pipetask.quantum_graph.rewrite import update_run

    if metadata_run_key not in ("output_run", ""):
        raise click.UsageError(
            f"--metadata-run-key {metadata_run_key}: the run of our graphs is under 'output_run'"
        )
    require_good_names(run)
    facts = {"graph_id": str(uuid.uuid4())} if update_graph_id else {}
    with (
        QuantumGraph.open(qgraph) as graph,
        update_run(graph, run, output_qgraph, facts) as updated,
    ):
        click.echo(f"{output_qgraph}: {len(updated):,} quanta for run {updated.output_run}")


@click.command("split-graph", cls=Subcommand)
@_graph_argument()
@click.argument(
    "directory",
    cls=DocumentedArgument,
    doc="DIRECTORY is where the parts go, as LABEL.qg; it is made if it is not there.",
    type=click.Path(file_okay=False, path_type=Path),
)
@click.option(
    "-t", "--task", "tasks", multiple=True, metavar="LABEL", help="Write the quanta of a task."
)
@click.option(
    "--subset", "subsets", multiple=True, metavar="NAME", help="Write the quanta of a subset."
)
def split_graph(
    qgraph: Path, directory: Path, tasks: tuple[str, ...], subsets: tuple[str, ...]
) -> None:
    """Write parts of a graph as graphs of their own: one for each task, if none is named.

    A part reads what the parts before it have made, so run them in the order
    in which they are listed.
    """
    from pipetask.quantum_graph.graph import QuantumGraph
    from pipetask.quantum_graph.graph_parts import chosen_parts
    from pipetask.quantum_graph.rewrite import extract

    with QuantumGraph.open(qgraph) as graph:
        parts = chosen_parts(graph, tasks, subsets)
        directory.mkdir(parents=True, exist_ok=True)
        for name, numbers in parts.items():
            path = directory / f"{name}.qg"
            extract(graph, numbers, path).close()
            click.echo(f"{path}: {len(numbers):,} quanta")
