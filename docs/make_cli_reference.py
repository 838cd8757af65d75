"""``python docs/make_cli_reference.py``: writes ``docs/cli.md``, the reference of all commands.

Takes everything from the commands themselves. ``--check`` writes nothing and
exits with 1 if the file is not current.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import click

from butler_core.cli.butler_program import butler
from butler_core.cli.program import Program
from butler_core.cli.subcommand import DocumentedArgument
from pipelines.night_report import main as night_report
from pipelines.simulated_night.__main__ import main as simulated_night
from pipetask.cli.pipetask_program import pipetask

TARGET = Path(__file__).with_name("cli.md")

_HEAD = """\
# Command-line reference

Made of the programs' own help by `python docs/make_cli_reference.py`; do not edit.

Options that can be given several times show `...`. Each subcommand also takes `-h`. Exit codes:
0 done, 1 an error or a failed quantum, 2 wrong usage, 130 interrupted.
"""
#: Options that every subcommand has, said once in the head of a program.
_SHARED = ("options_file",)
_CODE = re.compile(r"(`[^`]*`)")


def reference() -> str:
    """Return the page."""
    parts = [_HEAD]
    for program in (butler, pipetask):
        parts += _program(program)
    for name, command in (
        ("python -m pipelines.simulated_night", simulated_night),
        ("python -m pipelines.night_report", night_report),
    ):
        parts += [f"\n## {name}\n", *_command(command, name)]
    return "\n".join(parts).rstrip() + "\n"


def _program(program: Program) -> Iterator[str]:
    context = click.Context(program, info_name=program.name)
    yield f"\n## {program.name}\n"
    yield from _command(program, f"{program.name}")
    yield (
        "\nEvery subcommand takes `-@ FILE`, `--options-file FILE`: YAML with values of its "
        "options under its name."
    )
    for name in program.list_commands(context):
        command = program.get_command(context, name)
        assert command is not None
        yield f"\n### {program.name} {name}\n"
        yield from _command(command, f"{program.name} {name}")


def _command(command: click.Command, name: str) -> Iterator[str]:
    arguments = [param for param in command.params if isinstance(param, click.Argument)]
    options = [
        param
        for param in command.params
        if isinstance(param, click.Option) and not param.hidden and param.name not in _SHARED
    ]
    places = [*(["[OPTIONS]"] if options else []), *(_argument(param) for param in arguments)]
    if isinstance(command, click.Group):
        places.append("COMMAND [ARGS]...")
    yield f"`{' '.join([name, *places])}`"
    for paragraph in (command.help or "").split("\n\n"):
        yield "\n" + _text(paragraph)
    for param in arguments:
        if isinstance(param, DocumentedArgument) and param.doc:
            yield "\n" + _text(param.doc)
    if options:
        yield ""
        yield from (_option(option) for option in options)


def _argument(param: click.Argument) -> str:
    name = (param.metavar or (param.name or "").upper()).strip("[]").removesuffix("...").rstrip()
    name = f"{name}..." if param.nargs == -1 else name
    return name if param.required else f"[{name}]"


def _option(option: click.Option) -> str:
    names = ", ".join(f"`{name}`" for name in (*option.opts, *option.secondary_opts))
    takes = "" if option.is_flag or option.count else f" `{_metavar(option)}`"
    default = ""
    if option.show_default and option.default is not None and not callable(option.default):
        default = f" Default: `{option.default}`."
    return f"- {names}{takes}: {_text(option.help or '')}{default}"


def _metavar(option: click.Option) -> str:
    if option.metavar is not None:
        name = option.metavar.removesuffix("...").rstrip()
    elif isinstance(option.type, click.Choice):
        name = "|".join(str(choice) for choice in option.type.choices)
    else:
        name = option.type.name.upper().removesuffix(" RANGE")
    return f"{name} ..." if option.multiple else name


def _text(text: str) -> str:
    """Return a paragraph on one line, with what Markdown would take for its own escaped."""
    parts = _CODE.split(" ".join(text.replace("\b", "").split()))
    return "".join(
        part if part.startswith("`") else re.sub(r"([*<])", r"\\\1", part) for part in parts
    )


if __name__ == "__main__":
    if sys.argv[1:] == ["--check"]:
        sys.exit(TARGET.read_text(encoding="utf-8") != reference())
    TARGET.write_text(reference(), encoding="utf-8")
