"""The options about logging that stand before a subcommand.

Checks what is typed; sets nothing.
"""

from __future__ import annotations

from typing import Any

import click

from butler_core.errors import near_misses

#: Number of each level; VERBOSE and TRACE are Rubin's, between and below those of Python.
LEVELS = {
    "CRITICAL": 50,
    "ERROR": 40,
    "WARNING": 30,
    "INFO": 20,
    "VERBOSE": 15,
    "DEBUG": 10,
    "TRACE": 5,
}


class LevelType(click.ParamType):  # type: ignore[type-arg] # generic in newer click only
    """``LEVEL`` or ``COMPONENT=LEVEL``, read as (component or None, number)."""

    name = "level"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str | None, int]:
        """Read one value; click reports what is wrong with it."""
        if isinstance(value, tuple):
            return value
        component, equals, level = str(value).rpartition("=")
        name = level.strip().upper()
        if name not in LEVELS:
            self.fail(
                f"no log level {level!r}; there are {', '.join(LEVELS)}."
                f"{near_misses(name, LEVELS)}",
                param,
                ctx,
            )
        return (component.strip() if equals else None), LEVELS[name]


class LabelType(click.ParamType):  # type: ignore[type-arg] # as above
    """``KEY=VALUE``, read as a pair."""

    name = "label"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, str]:
        """Read one value; click reports what is wrong with it."""
        if isinstance(value, tuple):
            return value
        key, equals, text = str(value).partition("=")
        if not equals or not key.strip():
            self.fail(f"{value!r} is not of the form KEY=VALUE", param, ctx)
        return key.strip().upper(), text.strip()


def log_options() -> list[click.Parameter]:
    """Return the options, to stand before any subcommand."""
    return [
        click.Option(
            ["--log-level"],
            multiple=True,
            type=LevelType(),
            metavar="LEVEL|COMPONENT=LEVEL ...",
            help="Least level of the messages shown, of this program's packages or of one logger; "
            f"'.=LEVEL' means all loggers. Levels: {', '.join(LEVELS)}.",
        ),
        click.Option(["--long-log"], is_flag=True, help="Show messages with time, file and line."),
        click.Option(
            ["--log-file"],
            multiple=True,
            metavar="FILE ...",
            help="Append messages to this file too; as JSON, a record a line, if it ends in .json.",
        ),
        click.Option(
            ["--log-tty/--no-log-tty"],
            default=True,
            help="Show messages on the terminal (default).",
        ),
        click.Option(
            ["--log-label"],
            multiple=True,
            type=LabelType(),
            metavar="KEY=VALUE ...",
            help="Labels to add to every message of the long form and of JSON files.",
        ),
    ]
