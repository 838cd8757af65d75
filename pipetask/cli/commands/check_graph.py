"""``pipetask check-graph``: reads all of a graph file."""

from __future__ import annotations

from pathlib import Path

import click

from butler_core.cli.subcommand import DocumentedArgument, Subcommand


@click.command("check-graph", cls=Subcommand)
@click.argument(
    "file",
    cls=DocumentedArgument,
    doc="FILE is a quantum graph file (.qg).",
    type=click.Path(dir_okay=False, path_type=Path),
)
def check_graph(file: Path) -> None:
    """Read a whole quantum graph file.

    Damage shows when a part is read; this reads every part and prints what
    there is.
    """
    from pipetask.quantum_graph.graph import QuantumGraph

    with QuantumGraph.open(file) as graph:
        counts = graph.check()
        click.echo(f"{file}: whole, {graph.digest[:16]}, for run {graph.output_run}")
        for name, count in counts.items():
            click.echo(f"  {count:>12,} {name}")
