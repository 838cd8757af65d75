"""Makes the ``pipetask`` program of its command table."""

from __future__ import annotations

from butler_core.cli.program import Program
from pipetask.cli.command_table import COMMANDS

pipetask = Program(
    "pipetask",
    COMMANDS,
    help="Build pipelines and quantum graphs, and run them.\n\n"
    "The options here go before the name of the subcommand.",
    distribution="gen3-butler",
    loggers=("butler_core", "pipetask", "pipelines"),
)


def main() -> None:
    """Run the program with the arguments of the command line."""
    pipetask(prog_name="pipetask")
