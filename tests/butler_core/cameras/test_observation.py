from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from astropy.io import fits
from astropy.time import Time

from butler_core.cameras import Camera, find_camera, read_exposure_facts, translate_header
from butler_core.cameras.camera_file import parse_camera
from butler_core.cameras.observation import tai_ns
from butler_core.errors import CameraFileError, HeaderError

SMALL_CAMERA = (Path(__file__).parent / "tiny.yaml").read_text()


def tiny(extra: str = "") -> Camera:
    return parse_camera(SMALL_CAMERA + extra, source="tiny.yaml")


def shot(**cards: Any) -> dict[str, Any]:
    return {"NIGHT": 240101, "SHOT": 7, "DATE-OBS": "2024-01-01T00:00:00", "EXPMS": 1500, **cards}


def test_declared_translation_fills_what_rules_leave_out() -> None:
    facts = read_exposure_facts(shot(FILT=1), tiny())

    assert (facts.id, facts.obs_id, facts.group) == (2401010007, "2401010007", "2401010007")
    assert (facts.exposure_time, facts.dark_time) == (1.5, 1.5)
    assert (facts.instrument, facts.detector, facts.physical_filter) == ("Tiny", 0, "red")
    assert facts.observation_type == "science"
    assert facts.end_ns - facts.begin_ns == 1_500_000_000
    assert facts.tracking_ra is facts.sky_angle is facts.zenith_angle is None


def test_times_are_utc_unless_the_rule_says_tai() -> None:
    facts = read_exposure_facts(shot(), tiny())

    assert facts.begin_ns == (1704067200 + 37) * 10**9


def test_declared_coordinates_angles_and_quantities() -> None:
    camera = tiny(
        "    tracking_radec: {keyword: [RA, DEC], unit: deg}\n"
        "    altaz_begin: {keyword: [AZ, ALT]}\n"
        "    boresight_rotation_angle: {keyword: ROT, scale: -1, offset: 10, wrap: 360}\n"
        "    temperature: {keyword: TEMP, unit: deg_C}\n"
        "    boresight_airmass: {keyword: AM}\n"
        "    observing_day_offset: {constant: 3600}\n"
        "    exposure_group: {same_as: exposure_id}\n"
    )
    header = shot(RA=10.0, DEC=-20.0, AZ=100.0, ALT=60.0, ROT=30.0, TEMP=4.5, AM="1.2")

    info, facts = translate_header(header, camera), read_exposure_facts(header, camera)

    assert (facts.tracking_ra, facts.tracking_dec) == pytest.approx((10.0, -20.0))
    assert (facts.azimuth, facts.zenith_angle) == pytest.approx((100.0, 30.0))
    assert facts.sky_angle == pytest.approx(340.0)
    assert facts.day_obs_offset_s == 3600
    assert info.temperature.to_value("deg_C") == 4.5
    assert info.boresight_airmass == 1.2
    assert info.telescope == "unknown"
    assert info.detector_serial == "007"


def test_all_missing_properties_are_named_together() -> None:
    with pytest.raises(HeaderError) as raised:
        read_exposure_facts({"EXPMS": 3.0}, tiny())

    for name in ("datetime_begin", "datetime_end", "exposure_id", "observing_day"):
        assert name in str(raised.value)
    assert "rules of camera 'Tiny'" in str(raised.value)


def test_foreign_detector_and_filter_are_named_together() -> None:
    header = shot(FILT="purple")
    declared = parse_camera(
        SMALL_CAMERA.replace("detector_num: {constant: 0}", "detector_num: {constant: 3}"),
        source="tiny.yaml",
    )

    with pytest.raises(HeaderError, match=r"no detector 3.*\n.*no physical filter 'purple'"):
        read_exposure_facts(header, declared)


def test_unrecognised_header_names_its_instrument() -> None:
    with pytest.raises(HeaderError, match=r"its INSTRUME is 'Nikon'.*LATISS"):
        translate_header({"INSTRUME": "Nikon"})


@pytest.mark.parametrize(
    ("translator", "message"),
    [
        ("no.such.Translator", "cannot be imported"),
        ("Translator", "cannot be imported"),
        ("pathlib.Path", "no subclass"),
    ],
)
def test_wrong_translator_class_is_explained(translator: str, message: str) -> None:
    text = SMALL_CAMERA[: SMALL_CAMERA.index("header:")] + f"translator: {translator}\n"

    with pytest.raises(CameraFileError, match=message):
        translate_header(shot(), parse_camera(text, source="tiny.yaml"))


def test_rule_for_unknown_property_is_explained() -> None:
    with pytest.raises(CameraFileError, match=r"\['exposure_tim'\].*Did you mean 'exposure_time'"):
        translate_header(shot(), tiny("    exposure_tim: EXPTIME\n"))


@pytest.mark.parametrize(
    ("frame", "exposure", "band", "day"),
    [
        ("raw_v1_fg", 890104911, "g", 19990116),
        ("raw_v2_fg", 890106021, "g", 19990116),
        ("raw_v3_fr", 890880321, "r", 19990218),
    ],
)
def test_test_camera_needs_no_code(
    frame: str, exposure: int, band: str, day: int, test_data: Path
) -> None:
    header = fits.getheader(test_data / "images" / f"{frame}.fits.gz")

    facts = read_exposure_facts(header, find_camera("lsst.obs.test.TestCamera"))

    assert (facts.id, facts.physical_filter, facts.day_obs) == (exposure, band, day)
    assert facts.tracking_ra == header["RA_DEG"]
    assert facts.sky_angle == pytest.approx(-header["ROTANG"] % 360)
    assert facts.exposure_time == 15.0
    assert facts.has_simulated


def test_nanoseconds_are_exact() -> None:
    assert tai_ns(Time("1970-01-01T00:00:00", scale="tai")) == 0
    assert tai_ns(Time("2025-04-16T00:53:29.528", scale="tai")) == 1744764809528000000
    assert tai_ns(Time("2020-01-01T00:00:00.123456789", scale="tai")) == 1577836800123456789
    assert tai_ns(Time(2440588, 0.5 + 1e-9 / 86400, format="jd", scale="tai")) == 86400 * 10**9 + 1
    assert tai_ns(Time("1969-12-31T23:59:59.999999999", scale="tai")) == -1
