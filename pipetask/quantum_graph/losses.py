"""Which data IDs a build had and no quantum has, and what they lacked.

Looks at tables that are there anyway; changes none of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pipetask.quantum_graph.workspace import Workspace, listed, quoted

#: Data IDs named in a message.
_MAX_NAMED = 4


@dataclass(frozen=True, slots=True)
class Loss:
    """Rows that a build lost to one constraint."""

    #: What was lost: datasets of a type, or quanta of a task.
    subject: str
    count: int
    total: int
    #: What they lacked.
    constraint: str
    #: The first few of them, as text.
    examples: str

    def __str__(self) -> str:
        return (
            f"{self.count:,} of {self.total:,} {self.subject}: {self.constraint} ({self.examples})"
        )


@dataclass(frozen=True, slots=True)
class Constraint:
    """A table that rows must have a partner in."""

    #: What it holds, in the plural.
    subject: str
    #: As a message says that there is none: ``no visit_definition record``.
    lacking: str
    table: str
    #: Its columns that are dimensions.
    dimensions: tuple[str, ...]


def join_losses(
    workspace: Workspace, inputs: Sequence[Constraint], others: Sequence[Constraint], rows: str
) -> list[Loss]:
    """Return what of each input is in no row of a join, by the constraint that keeps it out.

    Parameters
    ----------
    inputs
        The tables of datasets.
    others
        All else that was joined.
    rows
        Name of the table of joined rows.
    """
    losses = []
    for one in inputs:
        lost = f"lost_of_{one.table}"
        count = workspace.create(lost, _without_partner(one.table, rows, one.dimensions))
        if count:
            rest = [other for other in (*inputs, *others) if other != one]
            losses += _explained(workspace, one, lost, count, rest)
        workspace.drop(lost)
    return losses


def _explained(
    workspace: Workspace, one: Constraint, lost: str, count: int, others: Sequence[Constraint]
) -> list[Loss]:
    total = workspace.count(one.table)
    found = []
    for other in others:
        shared = tuple(name for name in one.dimensions if name in other.dimensions)
        if not shared:
            continue
        guilty = f"lost_to_{other.table}"
        n_guilty = workspace.create(guilty, _without_partner(lost, other.table, shared))
        if n_guilty:
            examples = named_rows(workspace, guilty, shared)
            found.append(Loss(one.subject, n_guilty, total, other.lacking, examples))
        workspace.drop(guilty)
    if not found:
        examples = named_rows(workspace, lost, one.dimensions)
        reason = "each constraint leaves them, but not all at once"
        found.append(Loss(one.subject, count, total, reason, examples))
    return found


def named_rows(workspace: Workspace, table: str, names: Sequence[str]) -> str:
    """Return the first few distinct values of some columns as text."""
    columns = listed(names)
    rows = workspace.rows(
        f"SELECT DISTINCT {columns} FROM {quoted(table)} ORDER BY {columns} LIMIT {_MAX_NAMED + 1}"  # noqa: S608 - quoted
    )
    shown = [", ".join(f"{n} {v}" for n, v in zip(names, row, strict=True)) for row in rows]
    return "; ".join([*shown[:_MAX_NAMED], *(["..."] if len(shown) > _MAX_NAMED else [])])


def _without_partner(table: str, other: str, names: Sequence[str]) -> str:
    same = " AND ".join(f"t.{quoted(n)} = o.{quoted(n)}" for n in names) or "true"
    return f"SELECT t.* FROM {quoted(table)} t ANTI JOIN {quoted(other)} o ON {same}"  # noqa: S608 - quoted
