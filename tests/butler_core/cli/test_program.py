"""Tests of the framework: lazy commands, messages, exit codes, options before the subcommand."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import pty
import subprocess
import sys
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result

from butler_core.cli.butler_program import butler
from butler_core.cli.command_table import COMMANDS
from butler_core.cli.program import CommandEntry, Program
from butler_core.cli.progress import progress_bar
from butler_core.cli.subcommand import Subcommand
from butler_core.errors import ConfigError

HEAVY = ("astropy", "sqlalchemy", "duckdb", "numpy", "pydantic", "rich", "yaml")

Toy = Callable[..., Result]


def run_python(code: str, *args: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code, *args], capture_output=True, text=True, check=False
    )


@pytest.fixture
def toy(monkeypatch: pytest.MonkeyPatch) -> Toy:
    """Return a function that runs a program whose one command does what it is given."""

    def invoke(
        body: Callable[..., Any], *args: str, params: tuple[click.Parameter, ...] = ()
    ) -> Result:
        module = types.ModuleType("toy_commands")
        command = Subcommand("work", callback=body, params=list(params), help="Do something.")
        module.work = command  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, "toy_commands", module)
        program = Program(
            "toy",
            {"work": CommandEntry("toy_commands:work", "Do something.")},
            help="A toy.",
            distribution="gen3-butler",
            loggers=("toy",),
        )
        return CliRunner().invoke(program, list(args) or ["work"], prog_name="toy")

    return invoke


# ------------------------------------------------------------------ the table
@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_table_has_the_first_line_of_each_commands_help(name: str) -> None:
    command = butler.get_command(click.Context(butler), name)

    assert command is not None
    assert command.name == name
    assert command.help is not None
    assert COMMANDS[name].help == command.help.splitlines()[0]


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_option_and_argument_is_described(name: str) -> None:
    command = butler.get_command(click.Context(butler), name)
    assert command is not None

    undescribed = [
        param.name
        for param in command.params
        if not (getattr(param, "help", None) or getattr(param, "doc", None))
    ]

    assert undescribed == []


@pytest.mark.parametrize("args", [["--help"], ["query-datasets", "--help"], ["ingest-raws", "-h"]])
def test_help_imports_nothing_heavy(args: list[str]) -> None:
    code = (
        "import sys\nfrom butler_core.cli import main\n"
        "try:\n    main()\nexcept SystemExit as end:\n    assert end.code == 0\n"
        f"loaded = [name for name in {HEAVY!r} if name in sys.modules]\n"
        "commands = [name for name in sys.modules if '.cli.commands.' in name]\n"
        "print(loaded, len(commands), file=sys.stderr)"
    )

    result = run_python(code, *args)

    assert result.stdout.startswith("Usage:")
    expected_commands = 0 if args == ["--help"] else 1
    assert result.stderr == f"[] {expected_commands}\n"


def test_help_lists_every_command() -> None:
    result = CliRunner().invoke(butler, ["--help"])

    listed = [
        line.split()[0]
        for line in result.output.partition("Commands:")[2].splitlines()
        if line[2:3].strip()
    ]
    assert listed == sorted(COMMANDS)


def test_version_is_printed() -> None:
    result = CliRunner().invoke(butler, ["--version"], prog_name="butler")

    assert result.exit_code == 0
    assert result.output.startswith("butler of gen3-butler ")


# ------------------------------------------------------- messages, exit codes
def test_unknown_command_offers_a_near_miss() -> None:
    result = CliRunner().invoke(butler, ["query-dataset"])

    assert result.exit_code == 2
    assert "no command 'query-dataset'. Did you mean 'query-datasets'" in result.stderr


def test_our_errors_are_printed_alone(toy: Toy) -> None:
    def body() -> None:
        raise ConfigError("that cannot be")

    result = toy(body)

    assert (result.exit_code, result.stderr) == (1, "Error: that cannot be\n")


def test_debug_shows_the_traceback(toy: Toy) -> None:
    def body() -> None:
        raise ConfigError("that cannot be")

    result = toy(body, "--debug", "work")

    assert result.exit_code == 1
    assert "Traceback (most recent call last)" in result.stderr
    assert result.stderr.endswith("Error: that cannot be\n")


def test_unexpected_errors_are_one_line(toy: Toy) -> None:
    def body() -> None:
        raise ZeroDivisionError("oh")

    result = toy(body)

    assert result.exit_code == 1
    assert result.stderr.startswith("Error: ZeroDivisionError: oh. This is a bug; use --debug")
    assert result.stderr.count("\n") == 1


def test_errors_of_the_system_name_the_file(toy: Toy, tmp_path: Path) -> None:
    def body() -> None:
        (tmp_path / "absent").read_text()

    result = toy(body)

    assert result.exit_code == 1
    assert result.stderr == f"Error: {str(tmp_path / 'absent')!r}: No such file or directory\n"


def interrupt() -> None:
    raise KeyboardInterrupt


@pytest.mark.parametrize("where", ["running", "asking"])
def test_interrupt_exits_with_130(toy: Toy, where: str) -> None:
    def body() -> None:
        if where == "running":
            raise KeyboardInterrupt
        try:
            interrupt()
        except KeyboardInterrupt:
            raise click.Abort from None  # as click's prompts do

    result = toy(body)

    assert (result.exit_code, result.stderr) == (130, "Interrupted.\n")


def test_closed_pipe_is_quiet(pristine_repo: Path) -> None:
    code = "from butler_core.cli import main; main()"
    command = [sys.executable, "-c", code, "query-collections", str(pristine_repo)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        errors = process.stderr.read()

    assert errors == b""


# ------------------------------------------------------------------- logging
def test_short_log_has_name_and_level(toy: Toy) -> None:
    result = toy(lambda: logging.getLogger("toy.part").info("hello"))

    assert result.stderr == "toy.part INFO: hello\n"


def test_log_level_without_name_is_for_the_programs_packages(toy: Toy) -> None:
    def body() -> None:
        logging.getLogger("toy.part").log(5, "fine")
        logging.getLogger("other").info("hidden")

    result = toy(body, "--log-level", "trace", "work")

    assert result.stderr == "toy.part TRACE: fine\n"


@pytest.mark.parametrize(
    ("level", "shown"),
    [("other=VERBOSE", "other VERBOSE: v\n"), (".=INFO", ""), (".=VERBOSE", "other VERBOSE: v\n")],
)
def test_log_level_of_one_logger_and_of_all(toy: Toy, level: str, shown: str) -> None:
    result = toy(lambda: logging.getLogger("other").log(15, "v"), "--log-level", level, "work")

    assert result.stderr == shown


def test_bad_log_level_is_wrong_usage(toy: Toy) -> None:
    result = toy(lambda: None, "--log-level", "INFOO", "work")

    assert result.exit_code == 2
    assert "no log level 'INFOO'" in result.stderr
    assert "Did you mean 'INFO'" in result.stderr


def test_long_log_has_time_labels_file_and_line(toy: Toy) -> None:
    result = toy(
        lambda: logging.getLogger("toy").warning("hello"),
        *["--long-log", "--log-label", "night=7", "work"],
    )

    assert "WARNING 20" in result.stderr
    assert "toy (NIGHT=7)(test_program.py:" in result.stderr
    assert result.stderr.endswith(" - hello\n")


def test_log_files_are_appended_as_text_and_json(toy: Toy, tmp_path: Path) -> None:
    text, records = tmp_path / "a.log", tmp_path / "a.json"
    text.write_text("before\n")
    options = ["--no-log-tty", "--log-file", str(text), "--log-file", str(records)]

    result = toy(
        lambda: logging.getLogger("toy").info("hello %d", 7),
        *[*options, "--log-label", "night=7", "work"],
    )

    assert result.stderr == ""
    assert text.read_text() == "before\ntoy INFO: hello 7\n"
    record = json.loads(records.read_text())
    assert (record["message"], record["levelname"], record["name"]) == ("hello 7", "INFO", "toy")
    assert record["MDC"] == {"NIGHT": "7"}


def test_logging_is_put_back(toy: Toy) -> None:
    before = (
        logging.getLogger().handlers[:],
        logging.getLogger().level,
        logging.getLogger("toy").level,
    )

    toy(lambda: None, "--log-level", "toy=DEBUG", "work")

    after = (
        logging.getLogger().handlers[:],
        logging.getLogger().level,
        logging.getLogger("toy").level,
    )
    assert after == before


# -------------------------------------------------------------- options files
def echo(**values: Any) -> None:
    click.echo(json.dumps(values))


SIZE = click.Option(["--size-in-cm", "-s"], type=int, default=1)
NAMES = click.Option(["--name"], multiple=True)


def test_options_file_gives_defaults_and_typed_options_win(toy: Toy, tmp_path: Path) -> None:
    file = tmp_path / "options.yaml"
    file.write_text("other: {x: 1}\nwork, play:\n  size-in-cm: 7\n  name: a,b\n")

    from_file = toy(echo, "work", "-@", str(file), params=(SIZE, NAMES))
    typed = toy(echo, "work", "-s", "3", "--options-file", str(file), params=(SIZE, NAMES))

    assert json.loads(from_file.stdout) == {"size_in_cm": 7, "name": ["a,b"]}
    assert json.loads(typed.stdout) == {"size_in_cm": 3, "name": ["a,b"]}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("work: {size-in-mm: 7}", "'work' has no option 'size-in-mm'"),
        ("work: [1", "is not valid YAML"),
        ("work: 7", "must hold options and their values"),
        ("- work", "must map names of subcommands"),
        ("work: {size-in-cm: seven}", "'seven' is not a valid integer"),
    ],
)
def test_bad_options_file_is_wrong_usage(
    toy: Toy, tmp_path: Path, content: str, message: str
) -> None:
    file = tmp_path / "options.yaml"
    file.write_text(content)

    result = toy(echo, "work", "-@", str(file), params=(SIZE, NAMES))

    assert result.exit_code == 2
    assert message in " ".join(result.stderr.split())


def test_absent_options_file_is_wrong_usage(toy: Toy) -> None:
    result = toy(echo, "work", "-@", "/nowhere.yaml", params=(SIZE,))

    assert result.exit_code == 2
    assert "cannot read '/nowhere.yaml'" in result.stderr


# ------------------------------------------------------------------- progress
def test_progress_is_silent_where_there_is_no_terminal(toy: Toy) -> None:
    def body() -> None:
        with progress_bar("Working") as report:
            report(1, 2)
            click.echo("done")

    result = toy(body)

    assert (result.stdout, result.stderr) == ("done\n", "")


@pytest.mark.parametrize(("option", "shown"), [("--progress", True), ("--no-progress", False)])
def test_progress_is_shown_on_a_terminal_unless_declined(
    option: str, shown: bool, pristine_repo: Path, tmp_path: Path
) -> None:
    parent, child = pty.openpty()
    code = "from butler_core.cli import main; main()"
    args = [option, "export-calibs", str(pristine_repo), str(tmp_path / "new"), "Cam/calib/1"]

    result = subprocess.run(
        [sys.executable, "-c", code, *args], stderr=child, stdout=subprocess.PIPE, check=False
    )

    os.close(child)
    seen = b""
    with contextlib.suppress(OSError):  # the end of a terminal is an error
        while block := os.read(parent, 65536):
            seen += block
    os.close(parent)
    assert result.returncode == 0
    assert (b"Exporting" in seen) is shown
