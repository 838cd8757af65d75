"""Asks for the datasets of a chain of runs, all of them and one at a time.

All of them are listed in a process that has queried before; where one is asked for at a time,
whatever the first call costs more is part of the time.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import Any

import world
from actor import Setting
from clock import clock

from butler_core import Butler
from ours.repositories import opened
from ours.statements import cost


def columns(setting: Setting, *, n_refs: int) -> dict[str, Any]:
    """List all datasets, the first of each data ID, as columns."""
    with opened(setting, "chain") as butler:
        butler.query_datasets("raw", world.CHAIN, limit=1).to_numpy()
        with clock() as taken:
            found = butler.query_datasets("raw", world.CHAIN).to_numpy()
        return taken.facts(n=n_refs, runs=_runs(found["run"].tolist()))


def objects(setting: Setting, *, n_refs: int) -> dict[str, Any]:
    """List the same as references."""
    with opened(setting, "chain") as butler:
        list(butler.query_datasets("raw", world.CHAIN, limit=1))
        with clock() as taken:
            refs = list(butler.query_datasets("raw", world.CHAIN))
        return taken.facts(n=n_refs, runs=_runs([ref.run for ref in refs]))


def first_row(setting: Setting) -> dict[str, Any]:
    """Get the first reference of the same, in a process that has queried before."""
    with opened(setting, "chain") as butler:
        next(iter(butler.query_datasets("raw", world.CHAIN)))
        with clock() as taken:
            next(iter(butler.query_datasets("raw", world.CHAIN)))
        return taken.facts(n=1)


def _runs(names: list[str]) -> str:
    """Say how many datasets each run gave, for comparison."""
    return " ".join(f"{name}:{count}" for name, count in sorted(Counter(names).items()))


# ------------------------------------------------------------------ one at a time
def find(setting: Setting, *, n_refs: int, n_calls: int) -> dict[str, Any]:
    """Find the dataset of a data ID, another one each time."""

    def ask(butler: Butler, data_id: dict[str, Any]) -> Any:
        return butler.find_dataset("raw", data_id, collections=world.CHAIN).run

    return _asked(setting, ask, n_refs, n_calls)


def by_data_id(setting: Setting, *, n_refs: int, n_calls: int) -> dict[str, Any]:
    """Query for the datasets of one data ID given as a mapping, another one each time."""

    def ask(butler: Butler, data_id: dict[str, Any]) -> Any:
        return next(iter(butler.query_datasets("raw", world.CHAIN, data_id=data_id))).run

    return _asked(setting, ask, n_refs, n_calls)


def by_where(setting: Setting, *, n_refs: int, n_calls: int) -> dict[str, Any]:
    """Query for the datasets of one data ID given as an expression, another one each time."""

    def ask(butler: Butler, data_id: dict[str, Any]) -> Any:
        where = world.where_of(data_id)
        return next(iter(butler.query_datasets("raw", world.CHAIN, where=where))).run

    return _asked(setting, ask, n_refs, n_calls)


def _asked(
    setting: Setting, ask: Callable[[Butler, dict[str, Any]], str], n_refs: int, n_calls: int
) -> dict[str, Any]:
    scattered = world.scattered_data_ids(n_refs, 2 * n_calls)
    ids, others = scattered[:n_calls], scattered[n_calls:]
    with opened(setting, "chain") as butler:
        with clock() as taken:
            runs = [ask(butler, data_id) for data_id in ids]
        each_ms = 1000 * taken.seconds / n_calls
        calls = [partial(ask, butler, data_id) for data_id in others]
        sent = cost(setting, butler, calls, each_ms=each_ms)
        return taken.facts(n=n_calls, runs=_runs(runs), **sent)
