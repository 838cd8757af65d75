"""Puts and gets datasets."""

from __future__ import annotations

import os
from typing import Any

import world
from actor import Setting
from clock import clock, median_ms
from small_objects import SMALL, big_array

from peer.repositories import analyse, create, insert, opened, register_type, register_type_as


def put(setting: Setting, *, n_puts: int) -> dict[str, Any]:
    """Put small dicts; the peer syncs nothing."""
    ids = world.data_ids(n_puts, world.N_FEW_DETECTORS)
    butler = opened(setting, "repository", writeable=True)
    run = _new_run(butler)
    with clock() as taken:
        for data_id in ids:
            butler.put(SMALL, "thing", data_id, run=run)
    return taken.facts(n=n_puts, n_datasets=_count(butler, run))


def put_together(setting: Setting, *, n_puts: int) -> dict[str, Any]:
    """Put small dicts in one transaction."""
    ids = world.data_ids(n_puts, world.N_FEW_DETECTORS)
    butler = opened(setting, "repository", writeable=True)
    run = _new_run(butler)
    with clock() as taken, butler.transaction():
        for data_id in ids:
            butler.put(SMALL, "thing", data_id, run=run)
    return taken.facts(n=n_puts, n_datasets=_count(butler, run))


def _new_run(butler: Any) -> str:
    run = f"put/{os.getpid()}"
    butler.collections.register(run)
    return run


def _count(butler: Any, run: str) -> int:
    with butler.query() as query:
        return query.datasets("thing", run).count()


def stored(setting: Setting, *, n_puts: int) -> None:
    """Make a repository with small dicts to get."""
    butler = create(setting)
    insert(butler, world.camera_tables(world.N_FEW_DETECTORS))
    insert(butler, world.exposure_tables(1 + n_puts // world.N_FEW_DETECTORS))
    register_type(butler, "thing")
    butler.collections.register("things")
    for data_id in world.data_ids(n_puts, world.N_FEW_DETECTORS):
        butler.put(SMALL, "thing", data_id, run="things")
    analyse(setting)


def get(setting: Setting, *, n_gets: int) -> dict[str, Any]:
    """Get small dicts by data ID, another one each time."""
    ids = world.data_ids(n_gets, world.N_FEW_DETECTORS)
    butler = opened(setting, "stored")
    with clock() as taken:
        for data_id in ids:
            found = butler.get("thing", data_id, collections="things")
    assert found == SMALL
    return taken.facts(n=n_gets)


def stored_array(setting: Setting, *, size_mb: int) -> None:
    """Make a repository with a large array."""
    butler = create(setting)
    insert(butler, world.camera_tables(1))
    insert(butler, world.exposure_tables(1))
    register_type_as(butler, "array", "NumpyArray")
    butler.collections.register("arrays")
    butler.put(big_array(size_mb), "array", world.data_ids(1)[0], run="arrays")


def get_array(setting: Setting, *, size_mb: int, repeats: int) -> dict[str, Any]:
    """Get the array several times, from a file that the page cache holds; the median counts."""
    butler = opened(setting, "array")

    def read() -> Any:
        return butler.get("array", world.data_ids(1)[0], collections="arrays")

    checksum = float(read().sum())
    with clock() as taken:
        each_ms = median_ms([read] * repeats)
    return taken.facts(n=1, checksum=checksum) | {"seconds": each_ms / 1000}
