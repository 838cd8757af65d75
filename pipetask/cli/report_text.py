"""Prints the report of a run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click

from butler_core.cli.printing import print_sheet
from butler_core.cli.table_text import Sheet
from pipetask.report.run_report import OUTCOMES, Cause, RunReport

_MOST_CAUSES = 10
_MOST_LOG_LINES = 8


def print_report(report: RunReport, command: str) -> None:
    """Print a report.

    Parameters
    ----------
    command
        The command that runs again what is not done.
    """
    click.echo(f"Run {report.run}{', which is going on' if report.is_going_on else ''}")
    print_sheet(_task_sheet(report), "table")
    for cause in report.causes[:_MOST_CAUSES]:
        _print_cause(cause)
    n_more = len(report.causes) - _MOST_CAUSES
    if n_more > 0:
        click.echo(f"\n... and {n_more} more causes; --json has all.")
    if report.slowest:
        click.echo("\nSlowest:")
        for slow in report.slowest:
            memory = "" if slow.peak_memory_mib is None else f", {slow.peak_memory_mib:.0f} MiB"
            click.echo(f"  {slow.elapsed_s:9.3f} s  {slow.task} {_text(slow.data_id)}{memory}")
    if not report.is_good and not report.is_going_on:
        click.echo(f"\nTo run what is not done:\n  {command}")


def _task_sheet(report: RunReport) -> Sheet:
    tasks = report.tasks
    columns: dict[str, list[Any]] = {"task": [task.task for task in tasks]}
    for outcome in OUTCOMES:
        counts = [task.counts.get(outcome, 0) for task in tasks]
        if any(counts) or outcome == "succeeded":
            columns[outcome] = counts
    if any(task.n_retried for task in tasks):
        columns["retried"] = [task.n_retried for task in tasks]
    columns["mean s"] = [_rounded(task.mean_s) for task in tasks]
    columns["longest s"] = [_rounded(task.longest_s) for task in tasks]
    columns["peak MiB"] = [
        None if task.peak_memory_mib is None else round(task.peak_memory_mib) for task in tasks
    ]
    return Sheet(columns)


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)


def _print_cause(cause: Cause) -> None:
    quanta = "1 quantum" if cause.n_quanta == 1 else f"{cause.n_quanta} quanta"
    click.echo(f"\n{cause.task}: {quanta} failed: {cause.error}")
    click.echo(f"  first: {_text(cause.data_id)}")
    said = (cause.traceback or cause.log_tail).rstrip().splitlines()[-_MOST_LOG_LINES:]
    for line in said:
        click.echo(f"    {line}")


def _text(data_id: Mapping[str, Any]) -> str:
    return "{" + ", ".join(f"{name}: {value!r}" for name, value in data_id.items()) + "}"
