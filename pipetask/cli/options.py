"""The options of ``pipetask build``, ``qgraph`` and ``run``, in groups."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from butler_core.cli.parameters import split_commas

_Command = TypeVar("_Command", bound=Callable[..., Any])
Decorator = Callable[[_Command], _Command]

_FILE = click.Path(dir_okay=False, path_type=Path)


def _all_of(*decorators: Decorator[Any]) -> Decorator[Any]:
    """Return one decorator that applies several, so that help lists them in order."""

    def decorate(command: _Command) -> _Command:
        for decorator in reversed(decorators):
            command = decorator(command)
        return command

    return decorate


def _debug(ctx: click.Context, _: click.Parameter, value: bool) -> None:
    if value:
        ctx.find_root().params["debug"] = True


def show_option() -> Decorator[Any]:
    """Declare --show."""
    return click.option(
        "--show",
        multiple=True,
        metavar="ITEM|ITEM=VALUE ...",
        help="Print something: pipeline, tasks, subsets, pipeline-graph, task-graph, inputs, "
        "config, config=[LABEL::]PATTERN, history=[LABEL::]FIELD, dump-config, dump-config=LABEL; "
        "with a quantum graph also graph, workflow, uri, stages.",
    )


def pipeline_options() -> Decorator[Any]:
    """Declare the options that make a pipeline."""
    return _all_of(
        click.option(
            "-p", "--pipeline", metavar="FILE", help="Pipeline file, with #LABELS to take a part."
        ),
        click.option(
            "-t", "--task", multiple=True, metavar="TASK[:LABEL] ...", help="Add a task class."
        ),
        click.option("--delete", multiple=True, metavar="LABEL ...", help="Take a task out."),
        click.option(
            "-c",
            "--config",
            multiple=True,
            metavar="LABEL:NAME=VALUE ...",
            help="Set a configuration field.",
        ),
        click.option(
            "-C",
            "--config-file",
            multiple=True,
            metavar="LABEL:FILE ...",
            help="Change a task's configuration by a Python file.",
        ),
        click.option(
            "--instrument",
            multiple=True,
            metavar="INSTRUMENT ...",
            help="Instrument of the pipeline, by class or name.",
        ),
        click.option("-s", "--save-pipeline", type=_FILE, help="Write the pipeline as YAML."),
        click.option(
            "--select-tasks", metavar="EXPR", help="Keep the tasks that an expression selects."
        ),
        click.option("--pipeline-dot", type=_FILE, help="Draw the pipeline for Graphviz."),
        click.option("--pipeline-mermaid", type=_FILE, help="Draw the pipeline for Mermaid."),
    )


def repository_option(*, required: bool) -> Decorator[Any]:
    """Declare --butler-config."""
    return click.option(
        "-b",
        "--butler-config",
        "repo",
        required=required,
        metavar="REPO",
        help="The data repository: directory, configuration file, or label.",
    )


def collection_options() -> Decorator[Any]:
    """Declare the options that say where data come from and go to."""
    return _all_of(
        repository_option(required=True),
        click.option(
            "-i",
            "--input",
            "inputs",
            multiple=True,
            callback=split_commas,
            metavar="COLLECTION ...",
            help="Collections to search for inputs, in order.",
        ),
        click.option(
            "-o",
            "--output",
            metavar="COLLECTION",
            help="CHAINED collection that will have the new run first and the inputs last.",
        ),
        click.option(
            "--output-run",
            metavar="COLLECTION",
            help="RUN collection for outputs; OUTPUT/TIMESTAMP if not given.",
        ),
        click.option(
            "--extend-run",
            is_flag=True,
            help="Write to the run that --output-run names, or the first in --output, and leave "
            "out quanta that are done.",
        ),
        click.option(
            "--replace-run",
            is_flag=True,
            help="Take the first run out of --output before making a new one.",
        ),
        click.option(
            "--prune-replaced",
            type=click.Choice(["unstore", "purge"]),
            help="Remove the files, or the run altogether, that --replace-run took out.",
        ),
        click.option(
            "-d", "--data-query", "where", default="", metavar="QUERY", help="Data to process."
        ),
        click.option(
            "--rebase",
            is_flag=True,
            help="Let --output have the inputs given now, if it had others before.",
        ),
    )


def graph_options() -> Decorator[Any]:
    """Declare the options that make a quantum graph."""
    return _all_of(
        click.option(
            "-g", "--qgraph", "qgraph_file", type=_FILE, help="Take this quantum graph; build none."
        ),
        click.option(
            "--qgraph-id", metavar="TEXT", help="Id that the graph of --qgraph must have."
        ),
        click.option(
            "--qgraph-node-id",
            multiple=True,
            callback=split_commas,
            metavar="ID ...",
            help="Quanta of --qgraph to take, by number or id; all if not given.",
        ),
        click.option(
            "--skip-existing-in",
            multiple=True,
            callback=split_commas,
            metavar="COLLECTION ...",
            help="Leave out quanta whose outputs are in these collections.",
        ),
        click.option(
            "--skip-existing", is_flag=True, help="Leave out quanta whose outputs are in the run."
        ),
        click.option(
            "--qgraph-datastore-records",
            is_flag=True,
            help="Taken for compatibility; a run looks up where its inputs are by itself.",
        ),
        click.option("-q", "--save-qgraph", type=_FILE, help="Write the quantum graph to a file."),
        click.option("--qgraph-dot", type=_FILE, help="Draw the quantum graph for Graphviz."),
        click.option("--qgraph-mermaid", type=_FILE, help="Draw the quantum graph for Mermaid."),
        click.option(
            "--dataset-query-constraint",
            default="all",
            show_default=True,
            metavar="TEXT",
            help="Which inputs must exist for a data ID to count: all, off, or names of dataset "
            "types.",
        ),
        click.option(
            "--data-id-table",
            multiple=True,
            type=_FILE,
            metavar="FILE ...",
            help="Tables of data IDs, in any format astropy reads, to which the graph is limited.",
        ),
        click.option(
            "--clobber-outputs", is_flag=True, help="Replace outputs that the run has already."
        ),
        click.option("--summary", type=_FILE, help="Write a summary as JSON."),
    )


def execution_options() -> Decorator[Any]:
    """Declare the options that say how quanta run."""
    return _all_of(
        click.option(
            "-j",
            "--processes",
            type=click.IntRange(min=1),
            default=1,
            show_default=True,
            help="How many quanta to run at once.",
        ),
        click.option(
            "--engine",
            type=click.Choice(["serial", "threads", "processes"]),
            help="Where quanta run; for -j 1 in this process, else in processes of their own.",
        ),
        click.option(
            "--timeout", type=click.IntRange(min=1), help="Longest time for one quantum [s]."
        ),
        click.option(
            "--fail-fast", is_flag=True, help="Start nothing more after the first failure."
        ),
        click.option(
            "--pdb", is_flag=True, help="Start the debugger where a task fails; needs -j 1."
        ),
        click.option(
            "--profile", type=_FILE, help="Write cProfile statistics of the run; needs -j 1."
        ),
        click.option(
            "--debug",
            is_flag=True,
            expose_value=False,
            callback=_debug,
            help="Show the traceback of an error, as --debug before the subcommand does.",
        ),
        click.option(
            "--start-method",
            type=click.Choice(["spawn", "fork", "forkserver"]),
            help="Taken for compatibility; workers are always started afresh.",
        ),
        click.option(
            "--enable-implicit-threading",
            is_flag=True,
            help="Let numerical libraries use threads of their own in workers.",
        ),
        click.option(
            "-n",
            "--cores-per-quantum",
            type=click.IntRange(min=1),
            default=1,
            show_default=True,
            help="Threads that numerical libraries may use for one quantum.",
        ),
        click.option(
            "--memory-per-quantum",
            metavar="SIZE",
            help="Memory that a worker process may have, such as 3GB; plain numbers are MB.",
        ),
    )


def once_per_run_options() -> Decorator[Any]:
    """Declare the options that say what is written once for a run."""
    return _all_of(
        click.option(
            "--skip-init-writes", is_flag=True, help="Do not write configurations and init outputs."
        ),
        click.option(
            "--init-only", is_flag=True, help="Write configurations and init outputs, run nothing."
        ),
        click.option(
            "--register-dataset-types", is_flag=True, help="Register dataset types that are new."
        ),
        click.option(
            "--no-versions", is_flag=True, help="Do not keep the versions of installed packages."
        ),
    )
