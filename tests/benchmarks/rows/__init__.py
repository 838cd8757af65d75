"""All rows, in the order of the table."""

from __future__ import annotations

from row import Row
from scale import Scale

from rows import contents, graphs, questions, runs

BACKENDS = ("sqlite", "postgresql")


def all_rows(scale: Scale) -> list[Row]:
    """Return every row at a scale."""
    rows = graphs.rows(scale) + runs.rows(scale)
    for backend in BACKENDS:
        rows += contents.rows(scale, backend)
        rows += questions.rows(scale, backend)
    return rows
