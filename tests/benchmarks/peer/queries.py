"""Asks for the datasets of a chain of runs, all of them and one at a time.

All of them are listed in a process that has queried before; where one is asked for at a time,
whatever the first call costs more is part of the time.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import world
from actor import Setting
from clock import clock

from peer.repositories import opened


def objects(setting: Setting, *, n_refs: int) -> dict[str, Any]:
    """List all datasets, the first of each data ID, as references."""
    butler = opened(setting, "chain")
    butler.query_datasets("raw", collections=world.CHAIN, limit=1)
    with clock() as taken:
        refs = butler.query_datasets("raw", collections=world.CHAIN, find_first=True, limit=None)
    return taken.facts(n=n_refs, runs=_runs([ref.run for ref in refs]))


def first_row(setting: Setting) -> dict[str, Any]:
    """Get the first reference of the same, in a process that has queried before."""
    butler = opened(setting, "chain")
    _first(butler)
    with clock() as taken:
        _first(butler)
    return taken.facts(n=1)


def _first(butler: Any) -> Any:
    with butler.query() as query:
        return next(iter(query.datasets("raw", world.CHAIN, find_first=True)))


def _runs(names: list[str]) -> str:
    """Say how many datasets each run gave, for comparison."""
    return " ".join(f"{name}:{count}" for name, count in sorted(Counter(names).items()))


# ------------------------------------------------------------------ one at a time
def find(setting: Setting, *, n_refs: int, n_calls: int) -> dict[str, Any]:
    """Find the dataset of a data ID, another one each time."""

    def ask(butler: Any, data_id: dict[str, Any]) -> str:
        return butler.find_dataset("raw", data_id, collections=world.CHAIN).run

    return _asked(setting, ask, n_refs, n_calls)


def by_data_id(setting: Setting, *, n_refs: int, n_calls: int) -> dict[str, Any]:
    """Query for the datasets of one data ID given as a mapping, another one each time."""

    def ask(butler: Any, data_id: dict[str, Any]) -> str:
        return butler.query_datasets("raw", collections=world.CHAIN, data_id=data_id)[0].run

    return _asked(setting, ask, n_refs, n_calls)


def by_where(setting: Setting, *, n_refs: int, n_calls: int) -> dict[str, Any]:
    """Query for the datasets of one data ID given as an expression, another one each time."""

    def ask(butler: Any, data_id: dict[str, Any]) -> str:
        where = world.where_of(data_id)
        return butler.query_datasets("raw", collections=world.CHAIN, where=where)[0].run

    return _asked(setting, ask, n_refs, n_calls)


def _asked(
    setting: Setting, ask: Callable[[Any, dict[str, Any]], str], n_refs: int, n_calls: int
) -> dict[str, Any]:
    ids = world.scattered_data_ids(n_refs, 2 * n_calls)[:n_calls]
    butler = opened(setting, "chain")
    with clock() as taken:
        runs = [ask(butler, data_id) for data_id in ids]
    return taken.facts(n=n_calls, runs=_runs(runs))
