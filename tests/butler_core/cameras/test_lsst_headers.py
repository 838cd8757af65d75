from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from unittest import TestCase

import astropy.time
import astropy.units as u
import pytest
from astro_metadata_translator import fix_header
from astro_metadata_translator.tests import MetadataAssertHelper, read_test_file
from astropy.io import fits

from butler_core.cameras import find_camera, read_exposure_facts, translate_header
from butler_core.cameras.translators import LatissTranslator, LsstCamTranslator
from butler_core.cameras.translators.lsst_ids import (
    detector_exposure_id,
    exposure_id,
    visit_id_of_group,
)
from butler_core.cameras.translators.lsstcam import _is_us_summer_time

LSST_HEADERS = [
    "latiss-AT_O_20190915_000037.yaml",
    "latiss-AT_O_20220405_000348.yaml",
    "latiss-AT_O_20240624_000106_R00_S00.yaml",
    "lsstCam-MC_C_20190319_000001_R10_S02.yaml",
    "lsstCam-MC_O_20250415_000060_R01_S01.yaml",
]
AMT_HEADERS = [
    "fitsheader-decam-0160496.yaml",
    "fitsheader-decam.yaml",
    "fitsheader-hsc.yaml",
    "fitsheader-megaprime.yaml",
    "fitsheader-sdss-fpC-006377-g4-0399.yaml",
    "fitsheader-suprimecam-CORR40535770.yaml",
]


class Helper(MetadataAssertHelper, TestCase):
    """The peer's own assertions, usable outside a TestCase."""


def value_of(expected: Any) -> Any:
    """Bring an expected value from its JSON form to Python."""
    if isinstance(expected, dict) and "expr" in expected:
        return eval(expected["expr"], {"astropy": astropy})
    if isinstance(expected, dict):
        return u.Quantity(expected["value"], expected["unit"])
    return expected


def expected_values(test_data: Path, table: str, name: str) -> dict[str, Any]:
    rows = json.loads((test_data / "headers" / table).read_text())
    return {key: value_of(value) for key, value in rows[name].items()}


@pytest.mark.parametrize("name", LSST_HEADERS)
def test_lsst_header_gives_the_right_values(name: str, test_data: Path) -> None:
    expected = expected_values(test_data, "expected_lsst.json", name)
    header = read_test_file(str(test_data / "headers" / name))
    translator = LatissTranslator if name.startswith("latiss") else LsstCamTranslator

    Helper().assertObservationInfo(header, translator_class=translator, **expected)


@pytest.mark.parametrize("name", AMT_HEADERS)
def test_cameras_of_the_translator_package_work(name: str, test_data: Path) -> None:
    expected = expected_values(test_data, "expected_amt.json", name)
    header = read_test_file(str(test_data / "headers" / name))
    before = dict(header)

    info = translate_header(header)

    assert dict(header) == before, "the caller's header was changed"
    for key, value in expected.items():
        if key in ("wcs_params", "check_wcs", "check_altaz"):
            continue
        found = getattr(info, key)
        if isinstance(value, u.Quantity):
            assert found.to_value(value.unit) == pytest.approx(value.value)
        else:
            assert found == (pytest.approx(value) if isinstance(value, float) else value)


def test_rastart_in_hours_is_corrected(test_data: Path) -> None:
    name = "latiss-AT_O_20210210_000011.yaml"
    header = read_test_file(str(test_data / "headers" / name))

    assert fix_header(header, translator_class=LatissTranslator)

    expected = expected_values(test_data, "expected_lsst.json", name)
    assert header["RASTART"] == pytest.approx(expected["RASTART"], abs=1e-10)
    assert translate_header(header).tracking_radec.ra.deg == pytest.approx(expected["RASTART"])


def test_location_wrongly_put_in_the_north_is_corrected(test_data: Path) -> None:
    name = "latiss-AT_O_20240624_000106_R00_S00.yaml"

    info = translate_header(read_test_file(str(test_data / "headers" / name)))

    assert info.location.lat.deg == pytest.approx(-30.2448, abs=1e-3)
    assert info.altaz_begin.separation(info.tracking_radec.transform_to(info.altaz_begin)).deg < 1


def test_first_latiss_raw_translates(test_data: Path) -> None:
    path = test_data / "repositories/latiss/raw/2018-09-20/3018092000065-det000.fits"

    facts = read_exposure_facts(fits.getheader(path), find_camera("LATISS"))

    assert facts.id == 3018092000065
    assert facts.day_obs == 20180920
    assert facts.exposure_time == 27.0
    assert facts.physical_filter == "unknown~unknown"
    assert facts.tracking_ra is None
    assert facts.end_ns - facts.begin_ns == 27 * 10**9


def test_lsstcam_facts(test_data: Path) -> None:
    header = read_test_file(str(test_data / "headers" / LSST_HEADERS[-1]))

    facts = read_exposure_facts(header, find_camera("LSSTCam"))

    assert (facts.id, facts.detector, facts.group) == (2025041500060, 1, "2025-04-16T00:53:10.143")
    assert facts.physical_filter in {f.name for f in find_camera("LSSTCam").filters}
    assert facts.sky_angle == pytest.approx(-43.62470328866432)
    assert facts.zenith_angle == pytest.approx(90 - 69.3932099358283)
    assert facts.day_obs_offset_s == 43200
    assert facts.end_ns == 1744764809528000000


def early_latiss(**cards: Any) -> dict[str, Any]:
    return {
        "INSTRUME": "LATISS",
        "OBSID": "AT_O_20191101_000012",
        "MJD-OBS": 58788.5,
        "DATE-OBS": "2019-11-01T12:00:00",
        "DATE": "2019-11-01T12:01:00",
        "MJD": 58788.6,
        "EXPTIME": 2.0,
        **cards,
    }


def test_identity_is_completed_from_the_observation_name() -> None:
    info = translate_header(early_latiss())

    assert (info.exposure_id, info.observing_day) == (2019110100012, 20191101)
    assert info.detector_serial == "ITL-3800C-068"


def test_clock_of_1970_is_replaced() -> None:
    info = translate_header(early_latiss(**{"DATE-OBS": "1970-01-01T00:00:00", "MJD-OBS": 40587.0}))

    assert info.datetime_begin.mjd == 58788.6
    assert info.datetime_end > info.datetime_begin


@pytest.mark.parametrize(
    ("group", "kind", "kept"),
    [
        ("dark_0001_0002", "dark", "dark_0001_0002"),
        ("FOCUS23", "focus", "FOCUS23"),
        ("FLAT", "flat", "2019110100012"),
        ("test_1", "unknown", "test_1"),
    ],
)
def test_type_was_kept_in_groupid(group: str, kind: str, kept: str) -> None:
    info = translate_header(early_latiss(GROUPID=group))

    assert (info.observation_type, info.exposure_group) == (kind, kept)


def test_radians_become_degrees_and_early_objects_engineering_tests() -> None:
    header = early_latiss(
        **{"MJD-OBS": 58870.0, "RA": 1.0, "DEC": -0.5, "RASTART": 99.0, "DECSTART": 9.0},
        IMGTYPE="OBJECT",
        RADESYS="",
        AZSTART=10.0,
        ELSTART=80.0,
    )

    info = translate_header(header)

    assert info.observation_type == "engtest"
    assert info.tracking_radec.ra.deg == pytest.approx(57.29577951308232)
    assert info.tracking_radec.dec.deg == pytest.approx(-28.64788975654116)


def lsstcam(day: str, mjd: float, **cards: Any) -> dict[str, Any]:
    return {
        "INSTRUME": "lsstCam",
        "OBSID": f"MC_O_{day}_000100",
        "DAYOBS": day,
        "SEQNUM": 100,
        "CONTRLLR": "O",
        "MJD-OBS": mjd,
        "EXPTIME": 30.0,
        "IMGTYPE": "ACQ",
        "RAFTBAY": "R22",
        "CCDSLOT": "S11",
        "LSST_NUM": "E2V-CCD250-1",
        **cards,
    }


def test_rotpa_is_corrected_for_the_nights_it_was_wrong() -> None:
    angles = [
        translate_header(lsstcam(day, mjd, ROTPA=46.0)).boresight_rotation_angle.deg
        for day, mjd in (("20250415", 60781.0), ("20250422", 60788.0), ("20250423", 60789.0))
    ]

    assert angles == [-44.0, -134.0, 46.0]


def test_closed_dome_cannot_see_the_sky() -> None:
    open_dome = translate_header(lsstcam("20250705", 60862.1, SEQNUM=800, VIGN_MIN="NO"))
    closed = translate_header(lsstcam("20250705", 60862.1, VIGN_MIN="NO"))

    assert (open_dome.can_see_sky, closed.can_see_sky) == (True, False)


def test_optical_elements_are_joined_without_trailing_empty() -> None:
    header = lsstcam("20230801", 60157.0, FILTER="r_57", FILTER1="empty_2", FILTER2="EMPTY")

    assert translate_header(header).physical_filter == "r_57"
    header = lsstcam("20231107", 60255.0, FILTER="ph_05", FILTER1="uv")
    assert translate_header(header).physical_filter == "ph_5~uv"
    header = lsstcam("20230801", 60157.0, FILTER2="ND")
    assert translate_header(header).physical_filter == "unknown"


@pytest.mark.parametrize(
    ("iso", "is_summer"),
    [
        ("2019-03-10T09:59:59", False),
        ("2019-03-10T10:00:00", True),
        ("2019-11-03T08:59:59", True),
        ("2019-11-03T09:00:00", False),
        ("2020-03-08T10:00:00", True),
    ],
)
def test_californian_summer_time(iso: str, is_summer: bool) -> None:
    from datetime import datetime

    assert _is_us_summer_time(datetime.fromisoformat(iso)) is is_summer


def test_exposure_ids_of_controllers() -> None:
    assert exposure_id(20230101, 7, "O") == 2023010100007
    assert exposure_id(20230101, 7, "C") == 3023010100007
    assert exposure_id(20231005, 7, "C") == 2023100500007
    assert exposure_id(20250418, 7, "S") == 2025041800007
    assert exposure_id(20250417, 7, "S") == 7025041700007
    assert exposure_id(20250418, 7, "H") == 4025041800007
    assert exposure_id(20230101, 7, None) == 2023010100007
    with pytest.raises(ValueError, match="controller 'X' is none of O, C"):
        exposure_id(20230101, 7, "X")
    with pytest.raises(ValueError, match="sequence number 100000"):
        exposure_id(20230101, 100000, "O")


def test_packed_ids_refuse_what_does_not_fit() -> None:
    with pytest.raises(ValueError, match="do not fit a packed ID"):
        detector_exposure_id(2023010100007, 256)
    with pytest.raises(ValueError, match="do not fit a packed ID"):
        detector_exposure_id(2023010140000, 0)


def test_groups_become_visit_ids() -> None:
    assert visit_id_of_group("1234") == 1234
    assert visit_id_of_group("2015-01-01T00:00:01.002+3") == 10020003
    assert visit_id_of_group("bias_0027_0100") == 3575576933793566714
