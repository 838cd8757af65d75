"""A repository of very many datasets: filled, asked, and added to.

It is filled by `ingest_files` in chunks, with direct transfer of one small file that all datasets
share, so that it has as many rows of datasets and of files as a real one.
"""

from __future__ import annotations

import os
import time
from typing import Any

import world
from actor import Setting
from clock import clock, median_ms

from butler_core import CollectionType
from ours.repositories import create, ingest_one_file, insert, opened, register_type

_CHUNK = 100_000
_N_RUNS = 10
_CHAIN = "large"


def fill(setting: Setting, *, n_datasets: int) -> dict[str, Any]:
    """Fill ten runs, one after the other, and chain them."""
    begin = time.perf_counter()
    with create(setting) as butler:
        insert(butler, world.camera_tables())
        insert(butler, world.exposure_tables(1 + n_datasets // world.N_DETECTORS))
        register_type(butler, "raw")
        runs = [f"run{k}" for k in range(_N_RUNS)]
        for start in range(0, n_datasets, _CHUNK):
            columns = _columns(start, min(start + _CHUNK, n_datasets))
            run = runs[start * _N_RUNS // n_datasets]
            ingest_one_file(butler, setting.folder / "raw.yaml", "raw", run, columns)
        for run in runs:
            butler.collections.register(run)
        butler.collections.register(_CHAIN, CollectionType.CHAINED)
        butler.collections.redefine_chain(_CHAIN, runs)
    return {"n": n_datasets, "seconds": time.perf_counter() - begin}


def _columns(start: int, stop: int) -> dict[str, list[Any]]:
    numbers = range(start, stop)
    return {
        "instrument": [world.CAMERA] * len(numbers),
        "exposure": [1 + i // world.N_DETECTORS for i in numbers],
        "detector": [i % world.N_DETECTORS for i in numbers],
    }


def find(setting: Setting, *, n_datasets: int, n_calls: int) -> dict[str, Any]:
    """Find datasets by data ID, in all runs of the chain; the median counts."""
    first, *others = world.scattered_data_ids(n_datasets, n_calls + 1, world.N_DETECTORS)
    with opened(setting, "large") as butler:

        def ask(data_id: dict[str, Any]) -> Any:
            found = butler.find_dataset("raw", data_id, collections=_CHAIN)
            assert found is not None
            return found

        ask(first)
        with clock() as taken:
            each_ms = median_ms([lambda one=one: ask(one) for one in others])
        return taken.facts(n=1) | {"seconds": each_ms / 1000}


def ingest_more(setting: Setting, *, n_files: int) -> dict[str, Any]:
    """Take in more datasets, into a run of their own."""
    columns = _columns(0, n_files)
    with opened(setting, "large", writeable=True) as butler:
        run = f"more/{os.getpid()}"
        butler.collections.register(run)
        with clock() as taken:
            ingest_one_file(butler, setting.folder / "raw.yaml", "raw", run, columns)
        return taken.facts(n=n_files)
