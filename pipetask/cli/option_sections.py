"""How options are declared: in groups that help shows under headings."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from pipetask.cli.help_sections import SectionOption

_Command = TypeVar("_Command", bound=Callable[..., Any])
Decorator = Callable[[_Command], _Command]

FILE = click.Path(dir_okay=False, path_type=Path)


class NewFile(click.Path):
    """A file to be written: its directory must be there before any work begins."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:  # noqa: D102 - as others
        path = super().convert(value, param, ctx)
        if not Path(os.fsdecode(path)).absolute().parent.is_dir():
            self.fail(f"{str(path)!r} cannot be written: there is no such directory.", param, ctx)
        return path


NEW_FILE = NewFile(dir_okay=False, path_type=Path)

option = functools.partial(click.option, cls=SectionOption)


def section(title: str, *decorators: Decorator[Any]) -> Decorator[Any]:
    """Return one decorator that applies several, which help lists in order under a heading."""

    def decorate(command: _Command) -> _Command:
        n_before = len(getattr(command, "__click_params__", ()))
        for decorator in reversed(decorators):
            command = decorator(command)
        for param in getattr(command, "__click_params__", ())[n_before:]:
            param.section = title
        return command

    return decorate
