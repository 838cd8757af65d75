"""``pipetask report``: what became of the quanta of a run."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import click

from butler_core.cli.subcommand import DocumentedArgument, Subcommand
from pipetask.cli.option_sections import NewFile

if TYPE_CHECKING:
    from pipetask.report.find_run import KnownRun

_BAD = 1


@click.command("report", cls=Subcommand)
@click.argument(
    "repo", cls=DocumentedArgument, doc="REPO is a data repository: directory, file, or label."
)
@click.argument(
    "names",
    cls=DocumentedArgument,
    doc="RUN is a RUN collection, a chain of them, or the file of a graph that was run.",
    nargs=-1,
    required=True,
    metavar="RUN ...",
)
@click.option(
    "--json",
    "json_file",
    type=NewFile(dir_okay=False, allow_dash=True, path_type=Path),
    metavar="FILE",
    help="Write everything as JSON to a file, or for - to stdout instead of the text.",
)
@click.option(
    "--journal",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Local folder of the runs' journals, as it was given to `pipetask run`.",
)
@click.pass_context
def report(
    ctx: click.Context,
    /,
    repo: str,
    names: tuple[str, ...],
    json_file: Path | None,
    journal: Path | None,
) -> None:
    """Say what became of the quanta of a run, and of those that failed, why.

    A run that is going on is reported as it stands.

    Exit code 0: every quantum succeeded or found no work; 1: not all did.
    """
    from butler_core.repository.repository import Repository
    from pipetask.cli.report_text import print_report
    from pipetask.report.find_run import find_runs
    from pipetask.report.quantum_states import quantum_states
    from pipetask.report.run_report import make_report

    repository = Repository.open(repo)
    ctx.call_on_close(repository.close)
    runs = [run for name in names for run in find_runs(repository, name, journal)]
    reports = []
    for number, run in enumerate(runs):
        with quantum_states(run.folder, run.graph_ids) as states:
            made = make_report(states, run.name, is_going_on=run.is_going_on)
        reports.append(made)
        if str(json_file) != "-":
            click.echo("\n" if number else "", nl=False)
            print_report(made, _command(repo, run, journal))
    if json_file is not None:
        text = json.dumps([made.to_json() for made in reports], indent=1)
        with click.open_file(str(json_file), "w") as stream:
            stream.write(text + "\n")
    if not all(made.is_good for made in reports):
        ctx.exit(_BAD)


def _command(repo: str, run: KnownRun, journal: Path | None) -> str:
    """Return the command that runs what is not done."""
    graph = str(run.folder.graph(run.graph_ids[-1]))
    words = ["run", "-b", repo, "-g", graph, "--extend-run"]
    if run.is_quantum_backed:
        words = ["run-qbb", repo, graph]
    return shlex.join(["pipetask", *words, *(["--journal", str(journal)] if journal else [])])
