"""Remembers in which order some options were given.

So ``-t A -c A:x=1 --delete A`` means what it says.
"""

from __future__ import annotations

from typing import Any

import click

from butler_core.cli.subcommand import Subcommand

#: Options that change a pipeline, left to right.
ACTIONS = ("task", "delete", "config", "config_file", "instrument")
_KEY = "pipetask.actions"


class PipelineCommand(Subcommand):
    """A subcommand whose pipeline options are applied in the order given."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse as usual, and note the order of the options."""
        options, _, order = self.make_parser(ctx).parse_args(args=list(args))
        taken: dict[str, int] = {}
        actions: list[tuple[str, str]] = []
        for parameter in order:
            name = parameter.name
            if name in ACTIONS:
                place = taken.get(name, 0)
                taken[name] = place + 1
                actions.append((name, options[name][place]))
        ctx.meta[_KEY] = actions
        return super().parse_args(ctx, args)


def actions_given(ctx: click.Context) -> list[tuple[str, Any]]:
    """Return the names and values of the pipeline options, in order."""
    return list(ctx.meta.get(_KEY, []))
