"""Tests of registering instruments, and of finding their cameras again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from butler_core import Butler
from butler_core.cameras import find_camera
from butler_core.errors import RecordConflictError, UnknownCameraError
from butler_core.instruments import camera_of, register_instrument, registered_cameras

TINY = Path(__file__).parent / "cameras" / "tiny.yaml"


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[Butler]:
    with Butler.create(tmp_path / "repo") as butler:
        yield butler


@pytest.mark.parametrize("key", ["lsst.obs.lsst.Latiss", "LATISS"])
def test_instrument_is_registered_with_detectors_and_filters(empty: Butler, key: str) -> None:
    camera = register_instrument(empty, key)

    assert camera is find_camera("LATISS")
    assert [r.name for r in empty.query_dimension_records("instrument")] == ["LATISS"]
    assert [r.full_name for r in empty.query_dimension_records("detector")] == ["RXX_S00"]
    assert len(empty.query_dimension_records("physical_filter")) == len(camera.filters)


def test_registering_again_changes_nothing(empty: Butler) -> None:
    register_instrument(empty, "LATISS")

    register_instrument(empty, "LATISS")

    assert len(empty.query_dimension_records("instrument")) == 1


def test_instrument_that_differs_is_refused_unless_updated(empty: Butler) -> None:
    empty.insert_dimension_data(
        "instrument", {"name": "LATISS", "class_name": "other", "visit_max": 1}
    )

    with pytest.raises(RecordConflictError, match=r"LATISS.*visit_max: 1 is not"):
        register_instrument(empty, "LATISS")
    assert not empty.query_dimension_records("detector")

    register_instrument(empty, "LATISS", update=True)
    assert camera_of(empty, "lsst.obs.lsst.Latiss").name == "LATISS"


def test_users_camera_file_is_kept_in_the_repository(empty: Butler, tmp_path: Path) -> None:
    given = tmp_path / "mine.yaml"
    given.write_bytes(TINY.read_bytes())
    camera = register_instrument(empty, given)

    given.unlink()

    assert camera_of(empty, camera.name) == camera
    assert registered_cameras(empty) == [camera]


def test_another_file_of_the_same_camera_is_refused_unless_updated(
    empty: Butler, tmp_path: Path
) -> None:
    register_instrument(empty, TINY)
    other = tmp_path / "other.yaml"
    other.write_text(TINY.read_text() + "\n# Changed.\n")

    with pytest.raises(RecordConflictError, match="another file of the camera"):
        register_instrument(empty, other)

    register_instrument(empty, other, update=True)
    kept = empty.repository.camera_folder / f"{find_camera(TINY).name}.yaml"
    assert kept.read_text().endswith("# Changed.\n")


def test_unknown_instrument_is_named_with_what_is_registered(empty: Butler) -> None:
    register_instrument(empty, "LATISS")

    with pytest.raises(UnknownCameraError, match=r"'LATIS'.*Did you mean 'LATISS'"):
        camera_of(empty, "LATIS")


def test_imported_instrument_without_camera_is_explained(empty: Butler) -> None:
    empty.insert_dimension_data("instrument", {"name": "HSC", "class_name": "lsst.obs.subaru.Hsc"})

    with pytest.raises(UnknownCameraError, match="nothing here knows its detectors"):
        camera_of(empty, "HSC")
    assert registered_cameras(empty) == []
