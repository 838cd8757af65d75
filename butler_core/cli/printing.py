"""Prints answers on stdout in the form asked for, in blocks, so that long ones begin at once."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import click

from butler_core.cli.table_text import Sheet, aligned_lines, csv_lines, json_lines

if TYPE_CHECKING:
    from butler_core.butler.butler import Butler
    from butler_core.queries.explain import EmptyQuestion

_BLOCK = 1000


def print_lines(lines: Iterable[str]) -> None:
    """Print many lines with few system calls."""
    iterator = iter(lines)
    while block := list(itertools.islice(iterator, _BLOCK)):
        click.echo("\n".join(block))


def print_sheet(sheet: Sheet, form: str) -> None:
    """Print one table; an empty one is nothing but for its CSV header or JSON brackets."""
    if form == "table":
        print_lines(aligned_lines(sheet) if len(sheet) else ())
    else:
        print_data([sheet], form, list(sheet.columns))


def print_sheets(sheets: Iterable[Sheet], form: str, headers: Sequence[str]) -> int:
    """Print several tables as they come, with blank lines between them; return how many rows.

    Parameters
    ----------
    headers
        All columns that any of them may have, in order, for CSV.
    """
    counted = _Counter(sheets)
    if form == "table":
        for sheet in counted:
            if len(sheet):
                print_lines(itertools.chain([""], aligned_lines(sheet)))
        if counted.rows:
            click.echo()
    else:
        print_data(counted, form, headers)
    return counted.rows


def print_data(sheets: Iterable[Sheet], form: str, headers: Sequence[str]) -> None:
    """Print tables for programs: ``csv`` or ``json``."""
    print_lines(csv_lines(sheets, headers) if form == "csv" else json_lines(sheets))


class _Counter:
    """Passes tables on and counts their rows."""

    def __init__(self, sheets: Iterable[Sheet]) -> None:
        self._sheets = sheets
        self.rows = 0

    def __iter__(self) -> Iterator[Sheet]:
        for sheet in self._sheets:
            self.rows += len(sheet)
            yield sheet


def print_reasons(sentences: Sequence[str]) -> None:
    """Say on stderr why an answer is empty."""
    click.echo(f"No results: {'; '.join(sentences)}.", err=True)


def print_limited(
    butler: Butler,
    columns: dict[str, list[Any]],
    form: str,
    limit: int,
    question: EmptyQuestion,
) -> None:
    """Print one table, without the row too many that tells of a hit limit; say why it is empty.

    Parameters
    ----------
    limit
        The user's; a negative one warns when it is hit.
    question
        What was asked, to explain an empty answer by.
    """
    from butler_core.cli.opening import warn_of_limit

    count = len(next(iter(columns.values()), ()))
    is_cut = limit < 0 and count > -limit
    if is_cut:
        columns = {name: values[:-limit] for name, values in columns.items()}
    print_sheet(Sheet(columns), form)
    if is_cut:
        warn_of_limit(limit)
    if not count:
        from butler_core.queries.explain import explain_empty

        print_reasons(explain_empty(butler.repository.registry, question))
