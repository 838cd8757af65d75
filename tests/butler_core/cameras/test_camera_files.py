from __future__ import annotations

import csv
from pathlib import Path

import pytest
import yaml

from butler_core.cameras import Box, Camera, find_camera, known_cameras
from butler_core.cameras.camera_file import load_camera, parse_camera
from butler_core.errors import CameraFileError, UnknownCameraError

INSTRUMENTS = {"LATISS": "latiss", "LSSTCam": "lsstcam"}

SMALL_CAMERA = (Path(__file__).parent / "tiny.yaml").read_text()


def table(test_data: Path, name: str) -> list[dict[str, str]]:
    with (test_data / "instruments" / name).open() as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("name", INSTRUMENTS)
def test_detectors_are_those_tabulated(name: str, test_data: Path) -> None:
    camera = find_camera(name)
    rows = table(test_data, f"{INSTRUMENTS[name]}_detectors.csv")

    assert [d.id for d in camera.detectors] == [int(row["id"]) for row in rows]
    for detector, row in zip(camera.detectors, rows, strict=True):
        for column in ("full_name", "raft", "name_in_raft", "purpose", "physical_type", "serial"):
            assert getattr(detector, column) == row[column]
        for column in ("x_mm", "y_mm", "yaw_deg", "nx", "ny", "pixel_mm", "ref_x", "ref_y"):
            assert getattr(detector, column) == float(row[column])


@pytest.mark.parametrize("name", INSTRUMENTS)
def test_amplifiers_are_those_tabulated(name: str, test_data: Path) -> None:
    camera = find_camera(name)

    for row in table(test_data, f"{INSTRUMENTS[name]}_amplifiers.csv"):
        amplifier = camera.detector(row["detector"]).amplifier(row["amplifier"])

        def box(prefix: str, row: dict[str, str] = row) -> Box:
            return Box(*(int(row[f"{prefix}_{part}"]) for part in ("x0", "y0", "nx", "ny")))

        assert (amplifier.hdu, amplifier.ix, amplifier.iy) == (
            int(row["hdu"]),
            int(row["ix"]),
            int(row["iy"]),
        )
        assert (str(amplifier.flip_x), str(amplifier.flip_y)) == (row["flip_x"], row["flip_y"])
        assert (amplifier.raw_nx, amplifier.raw_ny) == (int(row["raw_nx"]), int(row["raw_ny"]))
        assert amplifier.data == box("data")
        assert amplifier.serial_overscan == box("soverscan")
        assert amplifier.parallel_overscan == box("poverscan")
        assert amplifier.gain_e_per_adu == float(row["gain_e_adu"])
        assert amplifier.read_noise_e == float(row["read_noise_e"])
        assert amplifier.saturation_adu == float(row["saturation_adu"])


@pytest.mark.parametrize("name", INSTRUMENTS)
def test_filters_and_bands_are_those_tabulated(name: str, test_data: Path) -> None:
    camera = find_camera(name)
    rows = table(test_data, f"{INSTRUMENTS[name]}_filters.csv")

    assert {f.name: f.band for f in camera.filters} == {
        row["physical_filter"]: row["band"] for row in rows
    }
    assert len(camera.filters) == len(rows)


def test_lsstcam_counts() -> None:
    camera = find_camera("lsst.obs.lsst.LsstCam")
    purposes = [detector.purpose for detector in camera.detectors]

    assert camera.name == "LSSTCam"
    assert [purposes.count(p) for p in ("SCIENCE", "WAVEFRONT", "GUIDER")] == [189, 8, 8]
    assert len(camera.detector("R22_S11").amplifiers) == 16
    assert len(camera.detector("R00_SW0").amplifiers) == 8
    assert len(camera.detector("R00_SG0").amplifiers) == 16


@pytest.mark.parametrize("name", ["LATISS", "LSSTCam", "testCam"])
def test_amplifiers_tile_every_detector(name: str) -> None:
    for detector in find_camera(name).detectors:
        covered = sum(a.box.nx * a.box.ny for a in detector.amplifiers)

        assert covered == detector.nx * detector.ny
        assert all(detector.box.contains(a.box) for a in detector.amplifiers)


def test_dimension_records_are_columns_of_one_length() -> None:
    records = find_camera("LSSTCam").dimension_records()

    assert records["instrument"]["class_name"] == ["lsst.obs.lsst.LsstCam"]
    assert records["instrument"]["visit_system"] == [2]
    assert set(records["detector"]) == {
        "instrument",
        "id",
        "full_name",
        "name_in_raft",
        "raft",
        "purpose",
    }
    for element, n_rows in (("instrument", 1), ("detector", 205), ("physical_filter", 276)):
        assert {len(column) for column in records[element].values()} == {n_rows}


def test_box_slices_index_rows_then_columns() -> None:
    assert Box(3, 10, 5, 7).slices == (slice(10, 17), slice(3, 8))


def test_unknown_names_are_answered_with_near_misses() -> None:
    camera = find_camera("LATISS")

    with pytest.raises(UnknownCameraError, match=r"no camera is called 'LATIS'.*'LATISS'"):
        find_camera("LATIS")
    with pytest.raises(UnknownCameraError, match=r"no detector 'RXX_S0'.*Did you mean 'RXX_S00'"):
        camera.detector("RXX_S0")
    with pytest.raises(UnknownCameraError, match="no physical filter 'SDSSx~empty' among its 707"):
        camera.filter("SDSSx~empty")
    with pytest.raises(UnknownCameraError, match="no amplifier 'C99'"):
        camera.detectors[0].amplifier("C99")
    with pytest.raises(UnknownCameraError, match="path of its YAML file"):
        find_camera("zzz")


def test_known_cameras_lists_the_packaged_ones() -> None:
    assert {c.name for c in known_cameras()} == {"LATISS", "LSSTCam", "testCam"}


def test_a_camera_is_added_by_one_file(tmp_path: Path) -> None:
    path = tmp_path / "tiny.yaml"
    path.write_text(SMALL_CAMERA)

    by_name = find_camera("Tiny", [tmp_path])
    by_path = find_camera(str(path))

    assert isinstance(by_name, Camera)
    assert by_name == by_path == find_camera("my.cameras.Tiny", [tmp_path])
    assert [f.name for f in by_name.filters] == ["red", "red~nd1", "red~nd2"]
    assert by_name.detector("chip").amplifiers[0].parallel_overscan == Box(0, 0, 0, 0)


def test_own_folder_goes_before_the_package(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text(SMALL_CAMERA.replace("Tiny", "LATISS"))

    assert len(find_camera("LATISS", [tmp_path]).filters) == 3
    assert len(find_camera("LATISS").filters) == 707


def test_changed_file_is_read_again(tmp_path: Path) -> None:
    import os

    path = tmp_path / "tiny.yaml"
    path.write_text(SMALL_CAMERA)
    first = load_camera(path)
    path.write_text(SMALL_CAMERA.replace("50.0", "60.0"))
    os.utime(path, ns=(1, 1))

    assert first.plate_scale_arcsec_per_mm == 50.0
    assert load_camera(path).plate_scale_arcsec_per_mm == 60.0


def test_absent_files_and_folders_are_named(tmp_path: Path) -> None:
    with pytest.raises(CameraFileError, match=r"cannot read the camera file.*none.yaml"):
        find_camera(tmp_path / "none.yaml")
    with pytest.raises(UnknownCameraError, match=r"camera folder.*is not a directory"):
        known_cameras([tmp_path / "none"])


def test_malformed_yaml_is_reported() -> None:
    with pytest.raises(CameraFileError, match=r"'bad.yaml' is no valid YAML"):
        parse_camera("name: [", source="bad.yaml")


def test_all_malformed_fields_are_reported_together() -> None:
    text = SMALL_CAMERA.replace("visit_system: 0", "visit_system: 9").replace(
        "flip_x: false\namp", "flipx: false\namp"
    )

    with pytest.raises(CameraFileError) as raised:
        parse_camera(text, source="tiny.yaml")

    message = str(raised.value)
    assert "3 fault(s)" in message
    for field in ("visit_system: ", "flip_x: Field required", "flipx: Extra inputs"):
        assert field in message


def test_all_inconsistencies_are_reported_together() -> None:
    document = yaml.safe_load(SMALL_CAMERA)
    document["detectors"].append([0, "chip", "R", "b", "SCIENCE", "OTHER", "8", 0, 0, 0])
    document["detectors"].append([5, "far", "R", "c", "SCIENCE", "CHIP", "9", 0, 0, 0])
    document["detector_types"]["CHIP"]["nx"] = 61
    document["detector_types"]["LOST"] = document["detector_types"]["CHIP"] | {"amplifiers": "TWO"}
    document["filters"]["bands"]["g"] = ["green~{gratings}"]
    document["radial_coefficients"] = [0.5, 1]
    document["translator"] = "a.b.C"

    with pytest.raises(CameraFileError) as raised:
        parse_camera(yaml.safe_dump(document), source="tiny.yaml")

    for fault in (
        "id 0 is given 2 times",
        "full_name 'chip' is given 2 times",
        "id 5 is not below detector_max 2",
        "'chip' is of type 'OTHER'",
        "do not tile 61 x 50",
        "no amplifier layout 'TWO'; there are 'ONE'",
        "names the set 'gratings'",
        "the first must be 0",
        "give one of 'translator'",
    ):
        assert fault in str(raised.value)


def test_amplifier_faults_are_named() -> None:
    text = SMALL_CAMERA.replace("[60, 0, 10, 50]", "[65, 0, 10, 50]").replace(
        "[A, 0, 0, 0,", "[A, 0, 1, 0,"
    )

    with pytest.raises(CameraFileError) as raised:
        parse_camera(text, source="tiny.yaml")

    assert "serial_overscan of amplifier 'A' is outside its raw image" in str(raised.value)
    assert "outside the detector's 60 x 50 pixels" in str(raised.value)


def test_filter_given_twice_is_a_fault() -> None:
    with pytest.raises(CameraFileError, match="filters: 'red' is given 2 times"):
        parse_camera(SMALL_CAMERA.replace("r: [red,", "r: [red, red,"), source="tiny.yaml")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("datetime_begin: DATE-OBS", "object: OBJECT", "no rule for datetime_begin"),
        ("{constant: 0}", "{constant: 0, keyword: CCD}", "give exactly one of keyword"),
        ("{constant: 0}", "{same_as: detector_name}", "same as detector_name, which has no rule"),
        ("exposure_id:", "tracking_radec: RA\n    exposure_id:", "a list of exactly two keywords"),
    ],
)
def test_faulty_header_rules_are_reported(old: str, new: str, message: str) -> None:
    with pytest.raises(CameraFileError, match=message):
        parse_camera(SMALL_CAMERA.replace(old, new), source="tiny.yaml")
