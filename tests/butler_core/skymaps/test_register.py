"""Tests of storing a sky map in a repository."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from butler_core import Butler
from butler_core.errors import RecordConflictError
from butler_core.skymaps import SkyMapConfig, SkyMapReport, register_skymap


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[Butler]:
    with Butler.create(tmp_path / "repo") as butler:
        yield butler


def discrete(**settings: Any) -> SkyMapConfig:
    values = {"raList": [30.0, 200.0], "decList": [0.0, 85.0], "radiusList": [0.3, 0.2]}
    content = {"name": "fields", "skyMap": {"name": "discrete", "discrete": values | settings}}
    return SkyMapConfig.parse(content, source="the test")


def test_map_is_stored_with_tracts_and_patches(empty: Butler) -> None:
    report = register_skymap(empty, discrete())

    assert report == SkyMapReport("fields", tracts=2, patches=113, is_new=True)
    record = next(iter(empty.query_dimension_records("skymap")))
    assert (record.tract_max, record.patch_nx_max, record.patch_ny_max) == (2, 8, 8)
    assert record.hash == discrete().hash
    assert len(empty.query_dimension_records("tract")) == 2
    patches = empty.query_dimension_records("patch").columns
    assert len(patches["id"]) == 113
    assert None not in patches["region"]


def test_stored_patches_are_found_by_place(empty: Butler) -> None:
    register_skymap(empty, discrete())

    found = empty.query_data_ids(["patch"], where="patch.region OVERLAPS POINT(30.0, 0.0)")

    assert found
    assert set(found.columns["tract"]) == {0}


def test_registering_again_changes_nothing(empty: Butler) -> None:
    register_skymap(empty, discrete())

    assert not register_skymap(empty, discrete()).is_new


def test_another_map_of_the_same_name_is_refused(empty: Butler) -> None:
    register_skymap(empty, discrete())

    with pytest.raises(RecordConflictError, match="another sky map called 'fields'"):
        register_skymap(empty, discrete(pixelScale=0.2))
