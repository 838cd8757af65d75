"""The ``butler`` program."""

from __future__ import annotations

from butler_core.cli.command_table import COMMANDS
from butler_core.cli.program import Program

butler = Program(
    "butler",
    COMMANDS,
    help="Make, fill, search and tidy data repositories.\n\n"
    "The options here go before the name of the subcommand.",
    distribution="gen3-butler",
    loggers=("butler_core", "pipetask", "pipelines"),
)


def main() -> None:
    """Run the program with the arguments of the command line."""
    butler(prog_name="butler")
