"""Remembers in which order some options were given.

So ``-t A -c A:x=1 --delete A`` means what it says.
"""

from __future__ import annotations

from typing import Any

import click
from click.core import ParameterSource

from butler_core.cli.subcommand import Subcommand
from pipetask.cli.help_sections import write_sections

#: Options that change a pipeline, left to right.
ACTIONS = ("task", "delete", "config", "config_file", "instrument")
_KEY = "pipetask.actions"


class PipelineCommand(Subcommand):
    """A subcommand whose pipeline options are applied in the order given; its help has sections."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write what the options are."""
        write_sections(self, ctx, formatter)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse as usual, and note the order of the options; those of an options file go first."""
        options, _, order = self.make_parser(ctx).parse_args(args=list(args))
        taken: dict[str, int] = {}
        actions: list[tuple[str, str]] = []
        for parameter in order:
            name = parameter.name
            if name in ACTIONS:
                place = taken.get(name, 0)
                taken[name] = place + 1
                actions.append((name, options[name][place]))
        rest = super().parse_args(ctx, args)
        ctx.meta[_KEY] = _actions_of_file(ctx) + actions
        return rest


def _actions_of_file(ctx: click.Context) -> list[tuple[str, str]]:
    return [
        (name, value)
        for name in ctx.default_map or {}
        if name in ACTIONS and ctx.get_parameter_source(name) is ParameterSource.DEFAULT_MAP
        for value in ctx.params[name]
    ]


def actions_given(ctx: click.Context) -> list[tuple[str, Any]]:
    """Return the names and values of the pipeline options, in order."""
    return list(ctx.meta.get(_KEY, []))
