"""Tests of writing an instrument's camera and defects, with their times of validity."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from astropy.table import Table

from butler_core import Butler, CollectionType, Timespan
from butler_core.curated_calibrations import write_curated_calibrations
from butler_core.errors import ConfigError, DatasetExistsError, ReadFileError, UnknownCameraError
from butler_core.instruments import register_instrument


@pytest.fixture
def cameras(tmp_path: Path) -> Iterator[Butler]:
    with Butler.create(tmp_path / "repo") as butler:
        register_instrument(butler, "LATISS")
        register_instrument(butler, "testCam")
        yield butler


def defects_file(path: Path, x0: int, **meta: object) -> Path:
    columns = {"x0": [x0], "y0": [1], "width": [2], "height": [3]}
    Table(columns, meta=meta).write(path, format="ascii.ecsv")
    return path


def test_collections_are_named_as_rubins(cameras: Butler) -> None:
    report = write_curated_calibrations(cameras, "lsst.obs.lsst.Latiss")

    assert report.collection == "LATISS/calib"
    assert {c.name: c.type for c in cameras.collections.query_info("LATISS/*")} == {
        "LATISS/calib": CollectionType.CALIBRATION,
        "LATISS/calib/unbounded": CollectionType.RUN,
        "LATISS/calib/curated/19700101T000000Z": CollectionType.RUN,
    }


def test_camera_and_empty_defects_are_valid_at_all_times(cameras: Butler) -> None:
    write_curated_calibrations(cameras, "LATISS")

    with Butler(cameras.repository, collections="LATISS/calib", instrument="LATISS") as butler:
        for year in (1971, 2099):
            time = Timespan.from_instant(f"{year}-01-01")
            assert butler.get("camera", timespan=time).name == "LATISS"
            assert len(butler.get("defects", detector=0, timespan=time)) == 0


def test_labels_and_collection_go_into_the_names(cameras: Butler) -> None:
    report = write_curated_calibrations(cameras, "LATISS", labels=["DM-1"], collection="mine")

    assert report.collection == "mine"
    assert {ref.run for ref in report.written} == {
        "LATISS/calib/DM-1/unbounded",
        "LATISS/calib/DM-1/curated/19700101T000000Z",
    }


def test_defects_of_the_test_camera_are_read(cameras: Butler, test_data: Path) -> None:
    write_curated_calibrations(cameras, "testCam", defects=[test_data / "images" / "defects.fits"])

    table = cameras.get("defects", instrument="testCam", detector=0, collections="testCam/calib")
    assert len(table) == 504
    assert {"X", "Y", "SHAPE", "R"} <= set(table.colnames)


def test_each_file_is_valid_until_the_next(cameras: Butler, tmp_path: Path) -> None:
    early = defects_file(tmp_path / "20200101T000000.ecsv", 10)
    late = defects_file(tmp_path / "20210101T000000.ecsv", 20)

    report = write_curated_calibrations(cameras, "LATISS", defects=[late, early])

    assert [ref.run.rpartition("/")[2] for ref in report.written[1:]] == [
        "20200101T000000Z",
        "20210101T000000Z",
    ]
    for time, x0 in (("2020-06-01", 10), ("2021-06-01", 20)):
        table = cameras.get(
            "defects", instrument="LATISS", detector=0, collections="LATISS/calib",
            timespan=Timespan.from_instant(time),
        )  # fmt: skip
        assert table["x0"][0] == x0


def test_writing_again_changes_nothing(cameras: Butler, tmp_path: Path) -> None:
    path = defects_file(tmp_path / "defects.ecsv", 10)
    first = write_curated_calibrations(cameras, "LATISS", defects=[path])

    second = write_curated_calibrations(cameras, "LATISS", defects=[path])

    assert len(first.written) == 2
    assert second.written == ()
    assert second.existing == first.written


def test_other_defects_in_the_same_run_are_refused(cameras: Butler, tmp_path: Path) -> None:
    write_curated_calibrations(cameras, "LATISS")

    with pytest.raises(DatasetExistsError, match="holds other defects"):
        write_curated_calibrations(
            cameras, "LATISS", defects=[defects_file(tmp_path / "a.ecsv", 10)]
        )


def test_two_files_of_one_time_are_refused(cameras: Butler, tmp_path: Path) -> None:
    paths = [defects_file(tmp_path / f"{name}.ecsv", 10) for name in "ab"]

    with pytest.raises(ConfigError, match="valid from the same time"):
        write_curated_calibrations(cameras, "LATISS", defects=paths)
    assert not cameras.collections.query("LATISS/*")


def test_defects_must_say_which_detector_unless_there_is_one(
    cameras: Butler, tmp_path: Path
) -> None:
    register_instrument(cameras, "LSSTCam")

    with pytest.raises(ConfigError, match="205 detectors"):
        write_curated_calibrations(
            cameras, "LSSTCam", defects=[defects_file(tmp_path / "a.ecsv", 1)]
        )
    with pytest.raises(UnknownCameraError, match=r"b\.ecsv.*no detector 999"):
        write_curated_calibrations(
            cameras, "LSSTCam", defects=[defects_file(tmp_path / "b.ecsv", 1, DETECTOR=999)]
        )


def test_file_that_is_no_table_is_named(cameras: Butler, tmp_path: Path) -> None:
    path = tmp_path / "broken.fits"
    path.write_bytes(b"not a table")

    with pytest.raises(ReadFileError, match=r"broken\.fits"):
        write_curated_calibrations(cameras, "LATISS", defects=[path])
