"""Help is fast, complete, and has what users of the peer's program look for."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from pipetask.cli.command_table import COMMANDS
from pipetask.cli.pipetask_program import pipetask as program

HEAVY = ("astropy", "sqlalchemy", "duckdb", "numpy", "pydantic", "rich", "yaml")

PEER: dict[str, list[str]] = json.loads(
    (Path(__file__).parent / "recorded_options.json").read_text()
)

#: Options of the peer that are left out on purpose: coverage is the developer's business, graphs
#: are not fixed up, mocks are tasks like any other, and partial outputs are no outcome here.
LEFT_OUT = {
    "--coverage",
    "--cov-report",
    "--no-cov-report",
    "--cov-packages",
    "--graph-fixup",
    "--mock",
    "--mock-failure",
    "--unmocked-dataset-types",
    "--raise-on-partial-outputs",
    "--no-raise-on-partial-outputs",
}


def command_of(name: str) -> click.Command:
    command = program.get_command(click.Context(program), name)
    assert command is not None
    return command


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_table_has_the_first_line_of_each_commands_help(name: str) -> None:
    command = command_of(name)

    assert command.name == name
    assert command.help is not None
    assert COMMANDS[name].help == command.help.splitlines()[0]


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_option_and_argument_is_described(name: str) -> None:
    undescribed = [
        param.name
        for param in command_of(name).params
        if not (getattr(param, "help", None) or getattr(param, "doc", None))
    ]

    assert undescribed == []


@pytest.mark.parametrize("args", [["--help"], *([name, "--help"] for name in sorted(COMMANDS))])
def test_help_imports_nothing_heavy(args: list[str]) -> None:
    code = (
        "import sys\nfrom pipetask.cli import main\n"
        "try:\n    main()\nexcept SystemExit as end:\n    assert end.code == 0\n"
        f"loaded = [name for name in {HEAVY!r} if name in sys.modules]\n"
        "commands = [name for name in sys.modules if '.cli.commands.' in name]\n"
        "print(loaded, len(commands), file=sys.stderr)"
    )

    result = subprocess.run(
        [sys.executable, "-c", code, *args], capture_output=True, text=True, check=False
    )

    assert result.stdout.startswith("Usage: pipetask")
    assert result.stderr == f"[] {len(args) - 1}\n"


def test_help_lists_every_command() -> None:
    result = CliRunner().invoke(program, ["--help"])

    listed = [
        line.split()[0]
        for line in result.output.partition("Commands:")[2].splitlines()
        if line[2:3].strip()
    ]
    assert listed == sorted(COMMANDS)


@pytest.mark.parametrize("name", sorted(PEER))
def test_options_of_the_peer_are_there(name: str) -> None:
    ours = {
        option
        for param in command_of(name).params
        if isinstance(param, click.Option)
        for option in (*param.opts, *param.secondary_opts)
    }

    assert set(PEER[name]) - ours - LEFT_OUT == set()
    assert ours & LEFT_OUT == set()


@pytest.mark.parametrize("name", ["build", "qgraph", "run"])
def test_long_helps_have_sections(name: str) -> None:
    lines = CliRunner().invoke(program, [name, "--help"]).output.splitlines()

    titles = [line for line in lines if line[:1].isupper() and line.endswith(":")]
    assert titles[:2] == ["Show:", "Pipeline:"]
    assert titles[-1] == "Other options:"
