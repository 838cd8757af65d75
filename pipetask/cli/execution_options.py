"""The options of ``pipetask run`` and ``run-qbb`` that say how quanta run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from pipetask.cli.option_sections import FILE, NEW_FILE, Decorator, option, section


def _debug(ctx: click.Context, _: click.Parameter, value: bool) -> None:
    if value:
        ctx.find_root().params["debug"] = True


def execution_options() -> Decorator[Any]:
    """Declare the options that say how quanta run."""
    return section("Execution", *_engine_options(), *_failure_options(), *_resource_options())


def _engine_options() -> tuple[Decorator[Any], ...]:
    return (
        option(
            "-j",
            "--processes",
            type=click.IntRange(min=1),
            default=1,
            show_default=True,
            help="How many quanta to run at once.",
        ),
        option(
            "--engine",
            type=click.Choice(["serial", "threads", "processes", "dask"]),
            help="Where quanta run; for -j 1 in this process, else in processes of their own.",
        ),
        option("--scheduler", metavar="ADDRESS", help="Dask scheduler to use, as tcp://HOST:PORT."),
        option(
            "--cluster",
            type=FILE,
            metavar="FILE",
            help="Start the Dask cluster that this YAML file describes, such as one of Slurm jobs.",
        ),
        option(
            "--order",
            type=click.Choice(["depth-first", "critical-path"]),
            default="depth-first",
            show_default=True,
            help="Which ready quanta start first: those of later tasks, or those with the longest "
            "way to go.",
        ),
        option(
            "--metrics",
            type=NEW_FILE,
            help="Keep counts in this file while the run goes on, for Prometheus to collect.",
        ),
        option(
            "--journal",
            type=click.Path(file_okay=False, path_type=Path),
            metavar="DIR",
            help="Local folder for the journals of runs, if not with the runs' files.",
        ),
        option(
            "--start-method",
            type=click.Choice(["spawn", "fork", "forkserver"]),
            help="Taken for compatibility; workers are always started afresh.",
        ),
    )


def _failure_options() -> tuple[Decorator[Any], ...]:
    return (
        option(
            "--timeout",
            type=click.FloatRange(min=0, min_open=True),
            help="Longest time for one quantum [s].",
        ),
        option(
            "--retries",
            type=click.IntRange(min=0),
            default=0,
            show_default=True,
            help="How often a quantum that failed is tried again.",
        ),
        option("--fail-fast", is_flag=True, help="Start nothing more after the first failure."),
        option(
            "--accept-failures",
            is_flag=True,
            help="Run what waits for a quantum that failed without its outputs, and end with exit "
            "code 0.",
        ),
        option(
            "--patience",
            type=click.FloatRange(min=0),
            default=60,
            show_default=True,
            help="How long a database or a disk that refuses is asked again before the run stops "
            "[s].",
        ),
        option("--pdb", is_flag=True, help="Start the debugger where a task fails; needs -j 1."),
        option(
            "--profile", type=NEW_FILE, help="Write cProfile statistics of the run; needs -j 1."
        ),
        option(
            "--debug",
            is_flag=True,
            expose_value=False,
            callback=_debug,
            help="Show the traceback of an error, as --debug before the subcommand does.",
        ),
    )


def _resource_options() -> tuple[Decorator[Any], ...]:
    return (
        option(
            "--resources",
            multiple=True,
            metavar="LABEL:NAME=VALUE,... ...",
            help="What one quantum of a task takes: cores, memory, max-concurrent, retries, "
            "memory-factor, timeout; * for all other tasks.",
        ),
        option(
            "--total-memory",
            metavar="SIZE",
            help="Memory that all quanta together may be given, for tasks with memory.",
        ),
        option(
            "--enable-implicit-threading",
            is_flag=True,
            help="Let numerical libraries use threads of their own in workers.",
        ),
        option(
            "-n",
            "--cores-per-quantum",
            type=click.IntRange(min=1),
            default=1,
            show_default=True,
            help="Threads that numerical libraries may use for one quantum.",
        ),
        option(
            "--memory-per-quantum",
            metavar="SIZE",
            help="Memory that a worker process may have, such as 3GB; plain numbers are MB.",
        ),
    )
