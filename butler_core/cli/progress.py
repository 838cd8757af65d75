"""Shows how far slow work is, where there is a terminal; otherwise does nothing."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import click

from butler_core.cli.program import ProgramState

#: Called with how much is done and how much there is in all (None if not known).
Report = Callable[[int, int | None], None]


def is_shown() -> bool:
    """Return whether progress is wanted and stderr is a terminal."""
    ctx = click.get_current_context(silent=True)
    state = ctx.find_object(ProgramState) if ctx is not None else None
    return state is not None and state.show_progress and sys.stderr.isatty()


@contextmanager
def progress_bar(description: str) -> Iterator[Report]:
    """Lend a function to report progress to; a bar on stderr follows it."""
    if not is_shown():
        yield lambda _done, _total: None
        return
    from rich.console import Console
    from rich.progress import Progress

    console = Console(stderr=True)
    with Progress(console=console, transient=True, redirect_stdout=False) as bar:
        task = bar.add_task(description, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
