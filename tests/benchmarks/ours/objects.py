"""Puts and gets datasets."""

from __future__ import annotations

import os
from functools import partial
from typing import Any

import world
from actor import Setting
from clock import clock, median_ms
from small_objects import SMALL, big_array

from butler_core import DatasetType
from ours.repositories import create, insert, opened
from ours.statements import cost

_IMAGE = ("instrument", "exposure", "detector")


def put(setting: Setting, *, n_puts: int) -> dict[str, Any]:
    """Put small dicts, each durable by itself."""
    ids = world.data_ids(n_puts, world.N_FEW_DETECTORS)
    with opened(setting, "repository", writeable=True) as butler:
        run = _new_run(butler)
        with clock() as taken:
            for data_id in ids:
                butler.put(SMALL, "thing", data_id, run=run)
        return taken.facts(n=n_puts, n_datasets=_count(butler, run))


def put_together(setting: Setting, *, n_puts: int) -> dict[str, Any]:
    """Put small dicts in one transaction."""
    ids = world.data_ids(n_puts, world.N_FEW_DETECTORS)
    with opened(setting, "repository", writeable=True) as butler:
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
    return len(butler.query_datasets("thing", run).to_numpy()["detector"])


def stored(setting: Setting, *, n_puts: int) -> None:
    """Make a repository with small dicts to get."""
    with create(setting) as butler:
        insert(butler, world.camera_tables(world.N_FEW_DETECTORS))
        insert(butler, world.exposure_tables(1 + n_puts // world.N_FEW_DETECTORS))
        _register(butler, "thing", "StructuredDataDict")
        butler.collections.register("things")
        with butler.transaction():
            for data_id in world.data_ids(n_puts, world.N_FEW_DETECTORS):
                butler.put(SMALL, "thing", data_id, run="things")


def get(setting: Setting, *, n_gets: int) -> dict[str, Any]:
    """Get small dicts by data ID, another one each time."""
    ids = world.data_ids(2 * n_gets, world.N_FEW_DETECTORS)
    with opened(setting, "stored") as butler:

        def read(data_id: dict[str, Any]) -> Any:
            return butler.get("thing", data_id, collections="things")

        with clock() as taken:
            for data_id in ids[:n_gets]:
                found = read(data_id)
        assert found == SMALL
        each_ms = 1000 * taken.seconds / n_gets
        calls = [partial(read, data_id) for data_id in ids[n_gets:]]
        sent = cost(setting, butler, calls, each_ms=each_ms)
        return taken.facts(n=n_gets, **sent)


def stored_array(setting: Setting, *, size_mb: int) -> None:
    """Make a repository with a large array."""
    with create(setting) as butler:
        insert(butler, world.camera_tables(1))
        insert(butler, world.exposure_tables(1))
        _register(butler, "array", "NumpyArray")
        butler.put(big_array(size_mb), "array", world.data_ids(1)[0], run="arrays")


def get_array(setting: Setting, *, size_mb: int, repeats: int) -> dict[str, Any]:
    """Get the array several times, from a file that the page cache holds; the median counts."""
    with opened(setting, "array") as butler:

        def read() -> Any:
            return butler.get("array", world.data_ids(1)[0], collections="arrays")

        checksum = float(read().sum())
        with clock() as taken:
            each_ms = median_ms([read] * repeats)
        return taken.facts(n=1, checksum=checksum) | {"seconds": each_ms / 1000}


def _register(butler: Any, name: str, storage_class: str) -> None:
    butler.register_dataset_type(
        DatasetType.of(name, _IMAGE, storage_class, universe=butler.dimensions)
    )
