"""Tests of taking raws in: what is stored, where files go, and what is refused."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from astropy.io import fits

from butler_core import Butler
from butler_core.cameras import known_cameras
from butler_core.datastore.transfer_mode import TransferMode
from butler_core.errors import (
    DatasetExistsError,
    IngestError,
    ReadOnlyRepositoryError,
    RecordConflictError,
)
from butler_core.instruments import register_instrument
from butler_core.raw_ingest import RawIngestReport, RawIngestRequest, ingest_raws


def ingest(butler: Butler, *locations: Path, **options: object) -> RawIngestReport:
    return ingest_raws(butler, RawIngestRequest(locations, **options))  # type: ignore[arg-type]


def changed_copy(source: Path, target: Path, **cards: object) -> Path:
    shutil.copy(source, target)
    with fits.open(target, mode="update") as hdus:
        hdus[0].header.update(cards)
    return target


def test_night_is_taken_in_with_its_records(latiss: Butler, night: list[Path]) -> None:
    report = ingest(latiss, *night)

    assert report == RawIngestReport(
        ingested=6,
        exposures_by_type={"bias": 1, "dark": 1, "flat": 2, "science": 2},
        runs=("LATISS/raw/all",),
    )
    exposures = latiss.query_dimension_records("exposure")
    assert [r.id for r in exposures] == [int(path.name[:13]) for path in night]
    assert {r.day_obs for r in exposures} == {20210707}
    day = next(iter(latiss.query_dimension_records("day_obs")))
    assert str(day.timespan) == "[2021-07-07T12:00:00, 2021-07-08T12:00:00)"
    assert len(latiss.query_dimension_records("group")) == 6
    assert len(latiss.query_datasets("raw", "LATISS/raw/all")) == 6


def test_exposure_that_lasts_no_time_has_a_timespan(latiss: Butler, night: list[Path]) -> None:
    ingest(latiss, *night)

    bias = next(
        iter(latiss.query_dimension_records("exposure", where="exposure.observation_type = 'bias'"))
    )

    assert not bias.timespan.is_empty


def test_raw_is_read_back(latiss: Butler, night: list[Path]) -> None:
    ingest(latiss, *night)

    raw = latiss.get(
        "raw", instrument="LATISS", exposure=2021070700300, detector=0, collections="LATISS/raw/all"
    )

    assert len(raw.amplifiers) == 16


def test_rubins_raw_gets_rubins_id_and_place(
    latiss: Butler, test_data: Path, tmp_path: Path
) -> None:
    """The id is what Rubin's ``DatasetIdFactory`` makes in mode DATAID_TYPE_RUN."""
    folder = test_data / "repositories" / "latiss" / "raw"

    report = ingest(latiss, folder, transfer=TransferMode.SYMLINK)

    assert report.ingested == 1
    ref = next(iter(latiss.query_datasets("raw", "LATISS/raw/all")))
    assert str(ref.id) == "cfedc2bf-9e0a-5d35-b5db-71a356e436ca"
    link = tmp_path / (
        "repo/LATISS/raw/all/raw/20180920/AT_C_20180920_000065/"
        "raw_LATISS_unknown~unknown_AT_C_20180920_000065_RXX_S00_LATISS_raw_all.fits"
    )
    assert link.readlink() == folder / "2018-09-20" / "3018092000065-det000.fits"


def test_direct_registers_the_absolute_path(latiss: Butler, night: list[Path]) -> None:
    ingest(latiss, night[0], transfer=TransferMode.DIRECT)

    ref = next(iter(latiss.query_datasets("raw", "LATISS/raw/all")))

    assert latiss.get_uri(ref) == night[0].as_uri()


def test_test_camera_frames_are_told_apart_from_latiss(
    latiss: Butler, night: list[Path], test_data: Path
) -> None:
    register_instrument(latiss, "testCam")

    report = ingest(latiss, *night, *sorted((test_data / "images").glob("raw_v*.fits.gz")))

    assert report.failures == ()
    assert report.runs == ("LATISS/raw/all", "testCam/raw/all")
    assert len(latiss.query_datasets("raw", "testCam/raw/all")) == 3


def test_raws_of_a_users_own_camera_are_taken_in_and_read(tmp_path: Path, test_data: Path) -> None:
    packaged = next(camera.path for camera in known_cameras() if camera.name == "testCam")
    own = tmp_path / "own.yaml"
    own.write_text(packaged.read_text().replace("name: testCam", "name: ownCam"))
    with Butler.create(tmp_path / "repo") as butler:
        register_instrument(butler, own)

        report = ingest(butler, test_data / "images" / "raw_v1_fg.fits.gz")

        ref = next(iter(butler.query_datasets("raw", "ownCam/raw/all")))
        assert report.failures == ()
        assert butler.get(ref).shape == (2000, 1018)


def test_bad_files_are_listed_and_the_others_taken_in(
    latiss: Butler, night: list[Path], test_data: Path, tmp_path: Path
) -> None:
    (tmp_path / "text.fits").write_text("no FITS")
    (tmp_path / "empty.fits").touch()
    (tmp_path / "cut.fits").write_bytes(night[0].read_bytes()[:-6000])
    foreign = test_data / "images" / "fpM-005754-r3-0280.fit"

    report = ingest(latiss, *night, *sorted(tmp_path.glob("*.fits")), foreign)

    assert report.ingested == 6
    reasons = {failure.path.name: failure.reason for failure in report.failures}
    assert reasons["text.fits"] == "it is no FITS file"
    assert reasons["empty.fits"] == "it is empty"
    assert "truncated" in reasons["cut.fits"]
    assert "lack" in reasons[foreign.name] or "register its instrument" in reasons[foreign.name]


def test_fail_fast_raises_the_first_failure_and_takes_nothing_in(
    latiss: Butler, night: list[Path], tmp_path: Path
) -> None:
    bad = tmp_path / "text.fits"
    bad.write_text("no FITS")

    with pytest.raises(IngestError, match=r"text\.fits.*no FITS file"):
        ingest(latiss, *night, bad, fail_fast=True)
    assert not latiss.query_dimension_records("exposure")


def test_raws_that_are_there_fail_or_are_skipped(latiss: Butler, night: list[Path]) -> None:
    ingest(latiss, *night[:2])

    refused = ingest(latiss, *night)
    skipped = ingest(latiss, *night, skip_existing=True)

    assert refused.ingested == 4
    assert [failure.path for failure in refused.failures] == night[:2]
    assert (
        "holds 'raw' for exposure 2021070700001, detector 0 already" in refused.failures[0].reason
    )
    assert (skipped.ingested, skipped.failures, skipped.skipped) == (0, (), tuple(night))
    with pytest.raises(DatasetExistsError, match="use another run"):
        ingest(latiss, *night, fail_fast=True)


def test_raws_go_into_another_run_too(latiss: Butler, night: list[Path]) -> None:
    ingest(latiss, *night)

    report = ingest(latiss, *night, output_run="u/me/raw")

    assert (report.ingested, report.runs) == (6, ("u/me/raw",))


def test_two_files_of_one_raw_leave_the_second_out(
    latiss: Butler, night: list[Path], tmp_path: Path
) -> None:
    twin = tmp_path / "zwin.fits"
    shutil.copy(night[0], twin)

    report = ingest(latiss, night[0], twin)

    assert report.ingested == 1
    assert "only that one was considered" in report.failures[0].reason


def test_exposure_that_differs_is_refused_unless_updated(
    latiss: Butler, night: list[Path], tmp_path: Path
) -> None:
    ingest(latiss, *night)
    other = changed_copy(night[-1], tmp_path / "other.fits", OBJECT="ELSEWHERE")

    refused = ingest(latiss, other, night[0], output_run="again")

    assert refused.ingested == 1
    assert "exposure: 2021070700301} differs (target_name: " in refused.failures[0].reason
    with pytest.raises(RecordConflictError, match="2021070700301"):
        ingest(latiss, other, fail_fast=True)

    updated = ingest(latiss, other, output_run="again", update_records=True)

    assert updated.ingested == 1
    record = next(
        iter(latiss.query_dimension_records("exposure", where="exposure = 2021070700301"))
    )
    assert record.target_name == "ELSEWHERE"


def test_file_that_cannot_be_transferred_keeps_no_other_out(
    latiss: Butler, night: list[Path], tmp_path: Path
) -> None:
    in_the_way = tmp_path / "repo/LATISS/raw/all/raw/20210707/AT_O_20210707_000300"
    in_the_way.parent.mkdir(parents=True)
    in_the_way.touch()

    report = ingest(latiss, *night, transfer=TransferMode.COPY)

    assert report.ingested == 5
    assert [failure.path for failure in report.failures] == [night[-2]]
    assert len(latiss.query_datasets("raw", "LATISS/raw/all")) == 5
    assert len(latiss.query_dimension_records("exposure")) == 5


def test_several_processes_give_the_same(latiss: Butler, night: list[Path], tmp_path: Path) -> None:
    from butler_core.instruments import registered_cameras
    from butler_core.raw_ingest import recognition

    cameras = registered_cameras(latiss)
    paths = night * 7  # More than one batch.

    assert recognition.read_raw_files(paths, cameras, processes=2) == recognition.read_raw_files(
        paths, cameras
    )


def test_instrument_may_be_named(latiss: Butler, night: list[Path]) -> None:
    register_instrument(latiss, "LSSTCam")

    report = ingest(latiss, night[0], instrument="LSSTCam")

    assert report.ingested == 0
    assert "none of the instruments" in report.failures[0].reason


def test_file_sizes_are_recorded_unless_unwanted(latiss: Butler, night: list[Path]) -> None:
    ingest(latiss, night[0])
    ingest(latiss, night[1], track_file_attrs=False)

    registry = latiss.repository.registry
    refs = list(latiss.query_datasets("raw", "LATISS/raw/all"))
    keys = registry.datasets.keys_of(refs)
    sizes = [registry.files.find([keys[ref.id.bytes]])[keys[ref.id.bytes]].size for ref in refs]

    assert sizes == [night[0].stat().st_size, None]


def test_nothing_to_take_in_is_an_error(latiss: Butler, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()

    with pytest.raises(IngestError, match="choose another --regex"):
        ingest(latiss, tmp_path / "folder")


def test_repository_without_instruments_is_an_error(tmp_path: Path, night: list[Path]) -> None:
    with (
        Butler.create(tmp_path / "bare") as butler,
        pytest.raises(IngestError, match="register-instrument"),
    ):
        ingest(butler, *night)


def test_reading_repository_is_refused(latiss: Butler, night: list[Path]) -> None:
    with Butler(latiss.repository.root) as reader, pytest.raises(ReadOnlyRepositoryError):
        ingest(reader, *night)
