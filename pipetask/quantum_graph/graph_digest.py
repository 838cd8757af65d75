"""A digest of what a graph is, whatever ids were given."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

_ROWS = (
    ("quantum", "quantum, task, data_id"),
    ("dataset", "dataset, dataset_type, data_id, run"),
    ("edge", "quantum, connection, dataset"),
    ("data_id", "t"),
)


def digest_of(fetch: Callable[[str], list[tuple[Any, ...]]], file: str) -> str:
    """Return a digest of the data IDs, quanta, datasets and edges in an attached file.

    Parameters
    ----------
    fetch
        Returns the rows of a query.
    """
    sums: list[tuple[Any, ...]] = []
    for table, row in _ROWS:
        # Exclusive or: the order in which threads come to rows does not matter.
        sums += fetch(f"SELECT count(*), bit_xor(hash({row})) FROM {file}.{table} t")  # noqa: S608 - fixed names
    return "".join(f"{int(value or 0):016x}" for row in sums for value in row)
