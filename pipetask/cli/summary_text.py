"""Prints what a run came to."""

from __future__ import annotations

import click

from butler_core.cli.printing import print_sheet
from butler_core.cli.table_text import Sheet
from pipetask.execution.quantum_work import Outcome
from pipetask.execution.summary import RunSummary


def print_summary(summary: RunSummary, again: str) -> None:
    """Print counts by task, and what failed.

    Parameters
    ----------
    again
        What to start to do what is missing, in words.
    """
    print_sheet(Sheet(summary.to_columns()), "table")
    click.echo(f"{summary.n_datasets} datasets in run {summary.run!r}, {summary.elapsed_s:.1f} s")
    _print_failures(summary, again)


def _print_failures(summary: RunSummary, again: str) -> None:
    """Say what failed, where to read more, and how to go on."""
    if not summary.failures:
        return
    for failure in summary.failures:
        data_id = ", ".join(f"{name}: {value!r}" for name, value in failure.data_id.items())
        click.echo(
            f"{failure.task_label} {{{data_id}}} {failure.outcome.value}: {failure.error}", err=True
        )
    n_more = sum(map(summary.total, (Outcome.FAILED, Outcome.LOST))) - len(summary.failures)
    if n_more:
        click.echo(f"... and {n_more} more.", err=True)
    logs = sorted({f"{f.task_label}_log" for f in summary.failures if f.log != b"[]"})
    if logs:
        names = ", ".join(map(repr, logs))
        click.echo(f"What they logged is in the datasets {names} of run {summary.run!r}.", err=True)
    click.echo(f"When the cause is mended, {again} does what is missing.", err=True)
