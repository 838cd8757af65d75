"""The options of ``pipetask build``, ``qgraph`` and ``run``, in groups."""

from __future__ import annotations

from typing import Any

import click

from butler_core.cli.parameters import split_commas
from pipetask.cli.option_sections import FILE, NEW_FILE, Decorator, option, section


def show_option() -> Decorator[Any]:
    """Declare --show."""
    return section(
        "Show",
        option(
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
    return section(
        "Pipeline",
        option(
            "-p", "--pipeline", metavar="FILE", help="Pipeline file, with #LABELS to take a part."
        ),
        option("-t", "--task", multiple=True, metavar="TASK[:LABEL] ...", help="Add a task class."),
        option("--delete", multiple=True, metavar="LABEL ...", help="Take a task out."),
        option(
            "-c",
            "--config",
            multiple=True,
            metavar="LABEL:NAME=VALUE ...",
            help="Set a configuration field.",
        ),
        option(
            "-C",
            "--config-file",
            multiple=True,
            metavar="LABEL:FILE ...",
            help="Change a task's configuration by a Python file.",
        ),
        option(
            "--instrument",
            multiple=True,
            metavar="INSTRUMENT ...",
            help="Instrument of the pipeline, by class or name.",
        ),
        option("-s", "--save-pipeline", type=NEW_FILE, help="Write the pipeline as YAML."),
        option("--select-tasks", metavar="EXPR", help="Keep the tasks that an expression selects."),
        option("--pipeline-dot", type=NEW_FILE, help="Draw the pipeline for Graphviz."),
        option("--pipeline-mermaid", type=NEW_FILE, help="Draw the pipeline for Mermaid."),
    )


def repository_option(*, required: bool) -> Decorator[Any]:
    """Declare --butler-config."""
    return option(
        "-b",
        "--butler-config",
        "repo",
        required=required,
        metavar="REPO",
        help="The data repository: directory, configuration file, or label.",
    )


def collection_options() -> Decorator[Any]:
    """Declare the options that say where data come from and go to."""
    return section(
        "Repository, collections and data",
        repository_option(required=True),
        option(
            "-i",
            "--input",
            "inputs",
            multiple=True,
            callback=split_commas,
            metavar="COLLECTION ...",
            help="Collections to search for inputs, in order.",
        ),
        option(
            "-o",
            "--output",
            metavar="COLLECTION",
            help="CHAINED collection that will have the new run first and the inputs last.",
        ),
        option(
            "--output-run",
            metavar="COLLECTION",
            help="RUN collection for outputs; OUTPUT/TIMESTAMP if not given.",
        ),
        option(
            "--extend-run",
            is_flag=True,
            help="Write to the run that --output-run names, or the first in --output, and leave "
            "out quanta that are done.",
        ),
        option(
            "--replace-run",
            is_flag=True,
            help="Take the first run out of --output before making a new one.",
        ),
        option(
            "--prune-replaced",
            type=click.Choice(["unstore", "purge"]),
            help="Remove the files, or the run altogether, that --replace-run took out.",
        ),
        option("-d", "--data-query", "where", default="", metavar="QUERY", help="Data to process."),
        option(
            "--rebase",
            is_flag=True,
            help="Let --output have the inputs given now, if it had others before.",
        ),
    )


def graph_options() -> Decorator[Any]:
    """Declare the options that make a quantum graph."""
    return section("Quantum graph", *_which_quanta(), *_graph_files())


def _which_quanta() -> tuple[Decorator[Any], ...]:
    return (
        option(
            "-g", "--qgraph", "qgraph_file", type=FILE, help="Take this quantum graph; build none."
        ),
        option("--qgraph-id", metavar="TEXT", help="Id that the graph of --qgraph must have."),
        option(
            "--qgraph-node-id",
            multiple=True,
            callback=split_commas,
            metavar="ID ...",
            help="Quanta of --qgraph to take, by number or id; all if not given.",
        ),
        option(
            "--skip-existing-in",
            multiple=True,
            callback=split_commas,
            metavar="COLLECTION ...",
            help="Leave out quanta whose outputs are in these collections.",
        ),
        option(
            "--skip-existing", is_flag=True, help="Leave out quanta whose outputs are in the run."
        ),
        option(
            "--reuse",
            is_flag=True,
            help="Leave out quanta that runs in the collections did with the same configuration, "
            "code and inputs; say of the others why they run.",
        ),
        option(
            "--redo",
            multiple=True,
            callback=split_commas,
            metavar="LABEL ...",
            help="As --reuse, but run these tasks in any case.",
        ),
        option(
            "--retry-failed",
            is_flag=True,
            help="Run again what failed in the run that --output-run names, or the first in "
            "--output, and what waits for it; no pipeline is given.",
        ),
        option(
            "--until",
            metavar="LABEL",
            help="Leave out the tasks that this one does not need.",
        ),
        option("--clobber-outputs", is_flag=True, help="Replace outputs that the run has already."),
    )


def _graph_files() -> tuple[Decorator[Any], ...]:
    return (
        option(
            "--qgraph-datastore-records",
            is_flag=True,
            help="Write into the graph where the files of its inputs are, for run-qbb.",
        ),
        option("-q", "--save-qgraph", type=NEW_FILE, help="Write the quantum graph to a file."),
        option("--qgraph-dot", type=NEW_FILE, help="Draw the quantum graph for Graphviz."),
        option("--qgraph-mermaid", type=NEW_FILE, help="Draw the quantum graph for Mermaid."),
        option(
            "--dataset-query-constraint",
            default="all",
            show_default=True,
            metavar="TEXT",
            help="Which inputs must exist for a data ID to count: all, off, or names of dataset "
            "types.",
        ),
        option(
            "--data-id-table",
            multiple=True,
            type=FILE,
            metavar="FILE ...",
            help="Tables of data IDs, in any format astropy reads, to which the graph is limited.",
        ),
        option(
            "--build-memory",
            type=click.IntRange(min=100),
            default=600,
            show_default=True,
            metavar="MB",
            help="Memory for the tables of a graph that is built; what is more goes to disk.",
        ),
        option("--summary", type=NEW_FILE, help="Write a summary as JSON."),
    )


def once_per_run_options() -> Decorator[Any]:
    """Declare the options that say what is written once for a run."""
    return section(
        "What a run has once",
        option(
            "--skip-init-writes", is_flag=True, help="Do not write configurations and init outputs."
        ),
        option(
            "--init-only", is_flag=True, help="Write configurations and init outputs, run nothing."
        ),
        option(
            "--register-dataset-types", is_flag=True, help="Register dataset types that are new."
        ),
        option(
            "--no-versions", is_flag=True, help="Do not keep the versions of installed packages."
        ),
    )
