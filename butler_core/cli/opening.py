"""Opens the repository of a command, and reads the rows that its limit allows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import click

from butler_core.datasets.collection import is_glob

if TYPE_CHECKING:
    from butler_core.butler.butler import Butler


def open_for_reading(repo: str) -> Butler:
    """Open a repository that will not be changed."""
    from butler_core.butler.butler import Butler

    return Butler(repo, writeable=False)


def open_for_writing(repo: str) -> Butler:
    """Open a repository to change it."""
    from butler_core.butler.butler import Butler

    return Butler(repo, writeable=True)


def collection_names(butler: Butler, expression: Iterable[str]) -> tuple[str, ...]:
    """Return the names that collection names and patterns stand for; all collections if none.

    Raises
    ------
    UnknownCollectionError
        If a name is of no collection.
    """
    return tuple(butler.collections.query(tuple(expression) or "*"))


def require_named(collections: Sequence[str], option: str) -> None:
    """Raise a usage error if collections are not given by name, as an ordered search needs."""
    if not collections or any(is_glob(name) for name in collections):
        raise click.UsageError(
            f"{option} needs --collections with names, not patterns: their order decides"
        )


def rows_to_fetch(limit: int) -> int | None:
    """Return how many rows to ask for, one more if a hit limit gets a warning; None: all."""
    return None if limit == 0 else abs(limit) + (limit < 0)


def warn_of_limit(limit: int) -> None:
    """Say on stderr that there are more rows than a negative limit let through."""
    click.echo(
        f"Warning: there are more than the {abs(limit)} rows shown; --limit 0 shows all.", err=True
    )
