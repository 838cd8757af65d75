"""The options of ``pipetask build``, ``qgraph`` and ``run``, in groups."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from butler_core.cli.parameters import split_commas
from pipetask.cli.help_sections import SectionOption

_Command = TypeVar("_Command", bound=Callable[..., Any])
Decorator = Callable[[_Command], _Command]

_FILE = click.Path(dir_okay=False, path_type=Path)


class _NewFile(click.Path):
    """A file to be written: its directory must be there before any work begins."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        path = super().convert(value, param, ctx)
        if not Path(os.fsdecode(path)).absolute().parent.is_dir():
            self.fail(f"{str(path)!r} cannot be written: there is no such directory.", param, ctx)
        return path


_NEW_FILE = _NewFile(dir_okay=False, path_type=Path)

_option = functools.partial(click.option, cls=SectionOption)


def _section(title: str, *decorators: Decorator[Any]) -> Decorator[Any]:
    """Return one decorator that applies several, which help lists in order under a heading."""

    def decorate(command: _Command) -> _Command:
        n_before = len(getattr(command, "__click_params__", ()))
        for decorator in reversed(decorators):
            command = decorator(command)
        for param in getattr(command, "__click_params__", ())[n_before:]:
            param.section = title
        return command

    return decorate


def _debug(ctx: click.Context, _: click.Parameter, value: bool) -> None:
    if value:
        ctx.find_root().params["debug"] = True


def show_option() -> Decorator[Any]:
    """Declare --show."""
    return _section(
        "Show",
        _option(
            "--show",
            multiple=True,
            metavar="ITEM|ITEM=VALUE ...",
            help="Print something: pipeline, tasks, subsets, pipeline-graph, task-graph, inputs, "
            "config, config=[LABEL::]PATTERN, history=[LABEL::]FIELD, dump-config, "
            "dump-config=LABEL; with a quantum graph also graph, workflow, uri, stages.",
        ),
    )


def pipeline_options() -> Decorator[Any]:
    """Declare the options that make a pipeline."""
    return _section(
        "Pipeline",
        _option(
            "-p", "--pipeline", metavar="FILE", help="Pipeline file, with #LABELS to take a part."
        ),
        _option(
            "-t", "--task", multiple=True, metavar="TASK[:LABEL] ...", help="Add a task class."
        ),
        _option("--delete", multiple=True, metavar="LABEL ...", help="Take a task out."),
        _option(
            "-c",
            "--config",
            multiple=True,
            metavar="LABEL:NAME=VALUE ...",
            help="Set a configuration field.",
        ),
        _option(
            "-C",
            "--config-file",
            multiple=True,
            metavar="LABEL:FILE ...",
            help="Change a task's configuration by a Python file.",
        ),
        _option(
            "--instrument",
            multiple=True,
            metavar="INSTRUMENT ...",
            help="Instrument of the pipeline, by class or name.",
        ),
        _option("-s", "--save-pipeline", type=_NEW_FILE, help="Write the pipeline as YAML."),
        _option(
            "--select-tasks", metavar="EXPR", help="Keep the tasks that an expression selects."
        ),
        _option("--pipeline-dot", type=_NEW_FILE, help="Draw the pipeline for Graphviz."),
        _option("--pipeline-mermaid", type=_NEW_FILE, help="Draw the pipeline for Mermaid."),
    )


def repository_option(*, required: bool) -> Decorator[Any]:
    """Declare --butler-config."""
    return _option(
        "-b",
        "--butler-config",
        "repo",
        required=required,
        metavar="REPO",
        help="The data repository: directory, configuration file, or label.",
    )


def collection_options() -> Decorator[Any]:
    """Declare the options that say where data come from and go to."""
    return _section(
        "Repository, collections and data",
        repository_option(required=True),
        _option(
            "-i",
            "--input",
            "inputs",
            multiple=True,
            callback=split_commas,
            metavar="COLLECTION ...",
            help="Collections to search for inputs, in order.",
        ),
        _option(
            "-o",
            "--output",
            metavar="COLLECTION",
            help="CHAINED collection that will have the new run first and the inputs last.",
        ),
        _option(
            "--output-run",
            metavar="COLLECTION",
            help="RUN collection for outputs; OUTPUT/TIMESTAMP if not given.",
        ),
        _option(
            "--extend-run",
            is_flag=True,
            help="Write to the run that --output-run names, or the first in --output, and leave "
            "out quanta that are done.",
        ),
        _option(
            "--replace-run",
            is_flag=True,
            help="Take the first run out of --output before making a new one.",
        ),
        _option(
            "--prune-replaced",
            type=click.Choice(["unstore", "purge"]),
            help="Remove the files, or the run altogether, that --replace-run took out.",
        ),
        _option(
            "-d", "--data-query", "where", default="", metavar="QUERY", help="Data to process."
        ),
        _option(
            "--rebase",
            is_flag=True,
            help="Let --output have the inputs given now, if it had others before.",
        ),
    )


def graph_options() -> Decorator[Any]:
    """Declare the options that make a quantum graph."""
    return _section(
        "Quantum graph",
        _option(
            "-g", "--qgraph", "qgraph_file", type=_FILE, help="Take this quantum graph; build none."
        ),
        _option("--qgraph-id", metavar="TEXT", help="Id that the graph of --qgraph must have."),
        _option(
            "--qgraph-node-id",
            multiple=True,
            callback=split_commas,
            metavar="ID ...",
            help="Quanta of --qgraph to take, by number or id; all if not given.",
        ),
        _option(
            "--skip-existing-in",
            multiple=True,
            callback=split_commas,
            metavar="COLLECTION ...",
            help="Leave out quanta whose outputs are in these collections.",
        ),
        _option(
            "--skip-existing", is_flag=True, help="Leave out quanta whose outputs are in the run."
        ),
        _option(
            "--qgraph-datastore-records",
            is_flag=True,
            help="Write into the graph where the files of its inputs are, for run-qbb.",
        ),
        _option(
            "--reuse",
            is_flag=True,
            help="Leave out quanta that runs in the collections did with the same configuration, "
            "code and inputs; say of the others why they run.",
        ),
        _option(
            "--redo",
            multiple=True,
            callback=split_commas,
            metavar="LABEL ...",
            help="As --reuse, but run these tasks in any case.",
        ),
        _option(
            "--until",
            metavar="LABEL",
            help="Leave out the tasks that this one does not need.",
        ),
        _option("-q", "--save-qgraph", type=_NEW_FILE, help="Write the quantum graph to a file."),
        _option("--qgraph-dot", type=_NEW_FILE, help="Draw the quantum graph for Graphviz."),
        _option("--qgraph-mermaid", type=_NEW_FILE, help="Draw the quantum graph for Mermaid."),
        _option(
            "--dataset-query-constraint",
            default="all",
            show_default=True,
            metavar="TEXT",
            help="Which inputs must exist for a data ID to count: all, off, or names of dataset "
            "types.",
        ),
        _option(
            "--data-id-table",
            multiple=True,
            type=_FILE,
            metavar="FILE ...",
            help="Tables of data IDs, in any format astropy reads, to which the graph is limited.",
        ),
        _option(
            "--build-memory",
            type=click.IntRange(min=100),
            default=600,
            show_default=True,
            metavar="MB",
            help="Memory for the tables of a graph that is built; what is more goes to disk.",
        ),
        _option(
            "--clobber-outputs", is_flag=True, help="Replace outputs that the run has already."
        ),
        _option("--summary", type=_NEW_FILE, help="Write a summary as JSON."),
    )


def execution_options() -> Decorator[Any]:
    """Declare the options that say how quanta run."""
    return _section(
        "Execution",
        _option(
            "-j",
            "--processes",
            type=click.IntRange(min=1),
            default=1,
            show_default=True,
            help="How many quanta to run at once.",
        ),
        _option(
            "--engine",
            type=click.Choice(["serial", "threads", "processes", "dask"]),
            help="Where quanta run; for -j 1 in this process, else in processes of their own.",
        ),
        _option(
            "--scheduler", metavar="ADDRESS", help="Dask scheduler to use, as tcp://HOST:PORT."
        ),
        _option(
            "--cluster",
            type=_FILE,
            metavar="FILE",
            help="Start the Dask cluster that this YAML file describes, such as one of Slurm jobs.",
        ),
        _option(
            "--timeout",
            type=click.FloatRange(min=0, min_open=True),
            help="Longest time for one quantum [s].",
        ),
        _option(
            "--retries",
            type=click.IntRange(min=0),
            default=0,
            show_default=True,
            help="How often a quantum that failed is tried again.",
        ),
        _option("--fail-fast", is_flag=True, help="Start nothing more after the first failure."),
        _option(
            "--accept-failures",
            is_flag=True,
            help="Run what waits for a quantum that failed without its outputs, and end with exit "
            "code 0.",
        ),
        _option(
            "--order",
            type=click.Choice(["depth-first", "critical-path"]),
            default="depth-first",
            show_default=True,
            help="Which ready quanta start first: those of later tasks, or those with the longest "
            "way to go.",
        ),
        _option(
            "--resources",
            multiple=True,
            metavar="LABEL:NAME=VALUE,... ...",
            help="What one quantum of a task takes: cores, memory, max-concurrent, retries, "
            "memory-factor, timeout; * for all other tasks.",
        ),
        _option(
            "--total-memory",
            metavar="SIZE",
            help="Memory that all quanta together may be given, for tasks with memory.",
        ),
        _option(
            "--metrics",
            type=_NEW_FILE,
            help="Keep counts in this file while the run goes on, for Prometheus to collect.",
        ),
        _option(
            "--patience",
            type=click.FloatRange(min=0),
            default=60,
            show_default=True,
            help="How long a database or a disk that refuses is asked again before the run stops "
            "[s].",
        ),
        _option(
            "--journal",
            type=click.Path(file_okay=False, path_type=Path),
            metavar="DIR",
            help="Local folder for the journals of runs, if not with the runs' files.",
        ),
        _option("--pdb", is_flag=True, help="Start the debugger where a task fails; needs -j 1."),
        _option(
            "--profile", type=_NEW_FILE, help="Write cProfile statistics of the run; needs -j 1."
        ),
        _option(
            "--debug",
            is_flag=True,
            expose_value=False,
            callback=_debug,
            help="Show the traceback of an error, as --debug before the subcommand does.",
        ),
        _option(
            "--start-method",
            type=click.Choice(["spawn", "fork", "forkserver"]),
            help="Taken for compatibility; workers are always started afresh.",
        ),
        _option(
            "--enable-implicit-threading",
            is_flag=True,
            help="Let numerical libraries use threads of their own in workers.",
        ),
        _option(
            "-n",
            "--cores-per-quantum",
            type=click.IntRange(min=1),
            default=1,
            show_default=True,
            help="Threads that numerical libraries may use for one quantum.",
        ),
        _option(
            "--memory-per-quantum",
            metavar="SIZE",
            help="Memory that a worker process may have, such as 3GB; plain numbers are MB.",
        ),
    )


def once_per_run_options() -> Decorator[Any]:
    """Declare the options that say what is written once for a run."""
    return _section(
        "What a run has once",
        _option(
            "--skip-init-writes", is_flag=True, help="Do not write configurations and init outputs."
        ),
        _option(
            "--init-only", is_flag=True, help="Write configurations and init outputs, run nothing."
        ),
        _option(
            "--register-dataset-types", is_flag=True, help="Register dataset types that are new."
        ),
        _option(
            "--no-versions", is_flag=True, help="Do not keep the versions of installed packages."
        ),
    )
