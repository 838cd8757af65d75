"""``butler transfer-from-graph``: registers what was run without a registry."""

from __future__ import annotations

from pathlib import Path

import click

from butler_core.cli.subcommand import DocumentedArgument, Subcommand


@click.command("transfer-from-graph", cls=Subcommand)
@click.argument(
    "graph",
    cls=DocumentedArgument,
    type=click.Path(dir_okay=False, path_type=Path),
    doc="GRAPH is the quantum graph file that was run.",
)
@click.argument("dest", cls=DocumentedArgument, doc="DEST is the data repository it was run in.")
@click.option("--register-dataset-types", is_flag=True, help="Register dataset types that are new.")
@click.option(
    "--update-output-chain/--no-update-output-chain",
    default=False,
    help="Put the run at the front of the chain that the graph was made for.",
)
@click.option(
    "--journal",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Folder of the journals, as it was given to `pipetask run-qbb`.",
)
def transfer_from_graph(
    graph: Path,
    dest: str,
    register_dataset_types: bool,
    update_output_chain: bool,
    journal: Path | None,
) -> None:
    """Register what `pipetask run-qbb` has made."""
    from dataclasses import replace

    from butler_core.repository.repository import Repository
    from pipetask.cli.graph_session import resolve_against
    from pipetask.cli.loaded_plan import plan_of_loaded
    from pipetask.execution.run import hold_run
    from pipetask.execution.transfer_graph import transfer_graph
    from pipetask.pipeline import Pipeline
    from pipetask.pipeline_graph import build_pipeline_graph
    from pipetask.quantum_graph.graph import QuantumGraph

    repository = Repository.open(dest, writeable=True)
    try:
        with QuantumGraph.open(graph) as opened:
            text = opened.header["pipeline"]
            pipeline = Pipeline.from_text(text, name=f"the pipeline in {graph}")
            resolved = resolve_against(repository, build_pipeline_graph(pipeline))
            plan = plan_of_loaded(repository, opened)
            if not update_output_chain:
                plan = replace(plan, chain=None)
            with hold_run(repository, opened.output_run, journal, recovers=False) as run:
                count = transfer_graph(
                    repository, opened, resolved, plan, run, with_types=register_dataset_types
                )
            click.echo(f"{count} datasets registered in run {opened.output_run!r}")
    finally:
        repository.close()
