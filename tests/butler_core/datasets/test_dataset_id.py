from __future__ import annotations

import itertools
import time
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from butler_core import DimensionUniverse
from butler_core.datasets import DatasetIdMode
from butler_core.datasets.dataset_id import new_ids, reproducible_ids

universe = DimensionUniverse.default()


@given(st.integers(0, 3000))
def test_new_ids_are_sorted_and_all_different(count: int) -> None:
    ids = new_ids(count)

    assert len(ids) == count
    assert all(a < b for a, b in itertools.pairwise(ids))


def test_new_ids_are_of_version_7_and_tell_their_time() -> None:
    before_ms = time.time_ns() // 1_000_000

    ids = [uuid.UUID(bytes=raw) for raw in new_ids(100)]

    after_ms = time.time_ns() // 1_000_000
    assert {(id_.version, id_.variant) for id_ in ids} == {(7, uuid.RFC_4122)}
    assert all(before_ms <= id_.int >> 80 <= after_ms for id_ in ids)


# Computed by daf_butler's DatasetIdFactory.
@pytest.mark.parametrize(
    ("mode", "name", "run", "dimensions", "row", "expected"),
    [
        (
            DatasetIdMode.DATAID_TYPE_RUN,
            "raw",
            "LATISS/raw/all",
            ("instrument", "exposure", "detector"),
            ("LATISS", 0, 2021070700300),
            "4abd1be1-7e38-56fe-ab52-6f1233515923",
        ),
        (
            DatasetIdMode.DATAID_TYPE,
            "raw",
            "LATISS/raw/all",
            ("instrument", "exposure", "detector"),
            ("LATISS", 0, 2021070700300),
            "9bdbf4f7-1df9-5756-86bd-045fc8c93ee4",
        ),
        (
            DatasetIdMode.DATAID_TYPE_RUN,
            "camera",
            "LATISS/calib/unbounded",
            ("instrument",),
            ("LATISS",),
            "dfa46b67-d952-5604-9aef-a48f7c85be02",
        ),
        (
            DatasetIdMode.DATAID_TYPE,
            "deepCoadd",
            "u/x",
            ("band", "skymap", "tract", "patch"),
            ("r", "hsc_rings_v1", 9813, 42),
            "45aaf4a3-7db1-54a2-8c45-3e20c57e038f",
        ),
        (
            DatasetIdMode.DATAID_TYPE_RUN,
            "packages",
            "u/x/run",
            (),
            (),
            "cc27d6ac-0d80-510b-a152-c65c42985fb4",
        ),
        (
            DatasetIdMode.DATAID_TYPE,
            "ps1_pv3_3pi_20170110",
            "refcats",
            ("htm7",),
            (189584,),
            "1bc02bce-0d58-5a86-a5b9-2cce839519e2",
        ),
    ],
)
def test_reproducible_ids_are_those_of_daf_butler(
    mode: DatasetIdMode,
    name: str,
    run: str,
    dimensions: tuple[str, ...],
    row: tuple[object, ...],
    expected: str,
) -> None:
    ids = reproducible_ids(mode, name, run, universe.conform(dimensions), [row])

    assert str(uuid.UUID(bytes=ids[0])) == expected


def test_only_the_mode_with_the_run_depends_on_the_run() -> None:
    group = universe.conform(["instrument"])

    def ids(mode: DatasetIdMode, run: str) -> list[bytes]:
        return reproducible_ids(mode, "camera", run, group, [("LATISS",)])

    assert ids(DatasetIdMode.DATAID_TYPE, "a") == ids(DatasetIdMode.DATAID_TYPE, "b")
    assert ids(DatasetIdMode.DATAID_TYPE_RUN, "a") != ids(DatasetIdMode.DATAID_TYPE_RUN, "b")


def test_all_modes_but_unique_are_reproducible() -> None:
    assert [mode.is_reproducible for mode in DatasetIdMode] == [False, True, True]
