"""The findings of a check as tables, for people and for programs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

import click

from butler_core.cli.printing import print_lines, print_sheet
from butler_core.cli.table_text import Sheet

if TYPE_CHECKING:
    from butler_core.repository.finding import CheckCounts, Repair

#: Findings of one kind that are listed.
_MOST_LISTED = 20


def print_findings(outcomes: Sequence[Repair]) -> None:
    """Print how many findings there are of each kind, and some of each."""
    counts = Counter(outcome.finding.kind for outcome in outcomes)
    summary = Sheet({"kind": list(map(str, counts)), "count": list(map(str, counts.values()))})
    print_sheet(summary, "table")
    for kind in counts:
        mine = [outcome for outcome in outcomes if outcome.finding.kind is kind]
        click.echo(f"\n{kind}:")
        print_sheet(_listing(mine[:_MOST_LISTED]), "table")
        print_lines(_advice(mine[:_MOST_LISTED]))
        if len(mine) > _MOST_LISTED:
            click.echo(f"... and {len(mine) - _MOST_LISTED} more")


def _listing(outcomes: Sequence[Repair]) -> Sheet:
    """Return findings of one kind, without what none of them has."""
    findings = [outcome.finding for outcome in outcomes]
    columns = {
        "path": [_printable(f.path) for f in findings],
        "dataset type": [f.dataset_type or "" for f in findings],
        "run": [_printable(f.run or "") for f in findings],
        "expected": [f.expected for f in findings],
        "found": [_printable(f.found) for f in findings],
        "repair": [_printable(outcome.text) for outcome in outcomes],
    }
    known = {name: values for name, values in columns.items() if any(values)}
    return Sheet(known, is_left_aligned=True)


def _printable(text: str) -> str:
    """Return a text on one line; a file's name may be of any bytes."""
    return text if text.isprintable() else ascii(text)[1:-1]


def _advice(outcomes: Iterable[Repair]) -> Iterator[str]:
    for advice in dict.fromkeys(outcome.finding.advice for outcome in outcomes):
        if advice:
            yield _printable(advice)


def counts_line(counts: CheckCounts) -> str:
    """Say what was looked at."""
    line = (
        f"{counts.n_files:,} files of {counts.n_datasets:,} datasets checked, "
        f"{counts.n_not_local:,} not local"
    )
    return f"{line}, {counts.n_checksums:,} checksums compared" if counts.n_checksums else line


def program_sheet(outcomes: Sequence[Repair]) -> Sheet:
    """Return all findings with all that is known of them."""
    findings = [outcome.finding for outcome in outcomes]
    return Sheet(
        {
            "kind": [str(f.kind) for f in findings],
            "path": [f.path for f in findings],
            "dataset_type": [f.dataset_type for f in findings],
            "run": [f.run for f in findings],
            "expected": [f.expected for f in findings],
            "found": [f.found for f in findings],
            "advice": [f.advice for f in findings],
            "repair": [outcome.text for outcome in outcomes],
            "is_repaired": [outcome.is_done for outcome in outcomes],
        }
    )
