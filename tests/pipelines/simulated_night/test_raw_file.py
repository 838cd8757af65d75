"""Tests of the raw files: layout, cards, and that butler_core reads them as meant."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from astropy.table import Table
from astropy.wcs import WCS

from butler_core.cameras import (
    amplifier_boxes,
    detector_wcs,
    find_camera,
    read_exposure_facts,
)
from pipelines.simulated_night.exposure import raw_path, set_stage, truth_path
from pipelines.simulated_night.night import NightReport
from pipelines.simulated_night.night_plan import ImageType, NightSettings
from pipelines.simulated_night.pointing import window_wcs
from pipelines.simulated_night.raw_file import segment_cards
from pipelines.simulated_night.window import make_window


def headers(path: Path) -> list[fits.Header]:
    with fits.open(path) as hdus:
        return [hdu.header.copy() for hdu in hdus]


def assemble(path: Path) -> tuple[np.ndarray, tuple[int, int]]:
    """Assemble as the camera's layout says, levelled and in electrons; and the corner's place."""
    boxes = amplifier_boxes(find_camera("LATISS"), 0, headers(path))
    image = np.full((boxes.image.ny, boxes.image.nx), np.nan)
    with fits.open(path) as hdus:
        for item in boxes.amplifiers:
            raw = hdus[item.hdu].data.astype(float)
            pixels = raw[item.data.slices]
            pixels -= np.median(raw[item.serial_overscan.slices], axis=1, keepdims=True)
            pixels = pixels[:: -1 if item.flip_y else 1, :: -1 if item.flip_x else 1]
            image[item.box.slices] = pixels * item.amplifier.gain_e_per_adu
    return image, (boxes.image.x0, boxes.image.y0)


def science(night: NightReport) -> list:
    return [item for item in night.exposures if item.image_type is ImageType.SCIENCE]


def test_file_is_whole_and_its_checksums_hold(small_night: NightReport) -> None:
    path = small_night.raw_files()[0]

    with fits.open(path, checksum=True) as hdus:
        segments = [hdu.name for hdu in hdus[1:]]
        assert all(hdu.data.dtype == np.dtype(">i4") for hdu in hdus[1:])

    upper = [f"Segment1{i}" for i in range(8)]
    lower = [f"Segment0{i}" for i in reversed(range(8))]
    assert segments == upper + lower


def test_default_frame_is_small() -> None:
    window = make_window(find_camera("LATISS").detectors[0], NightSettings().n_rows)

    assert 16 * window.raw_nx * window.raw_ny * 4 < 6e6


def test_full_frame_has_the_sections_of_the_real_files() -> None:
    window = make_window(find_camera("LATISS").detectors[0], 4000)

    cards = [
        {keyword: value for keyword, value, _ in segment_cards(amplifier, 1, window)}
        for amplifier in window.amplifiers
    ]

    by_name = {card["EXTNAME"]: (card["DATASEC"], card["DETSEC"]) for card in cards}
    assert by_name["Segment10"] == ("[4:512,1:2000]", "[509:1,1:2000]")
    assert by_name["Segment17"] == ("[4:512,1:2000]", "[4072:3564,1:2000]")
    assert by_name["Segment07"] == ("[4:512,1:2000]", "[4072:3564,4000:2001]")
    assert by_name["Segment00"] == ("[4:512,1:2000]", "[509:1,4000:2001]")
    assert {card["DETSIZE"] for card in cards} == {"[1:4072,1:4000]"}


def test_science_header_translates_to_the_plan(small_night: NightReport) -> None:
    camera = find_camera("LATISS")

    for exposure in science(small_night):
        header = headers(raw_path(small_night.folder, exposure))[0]
        facts = read_exposure_facts(header, camera)

        assert facts.id == exposure.exposure_id
        assert facts.obs_id == exposure.obs_id
        assert facts.day_obs == 20210707
        assert facts.seq_num == facts.seq_start == facts.seq_end == exposure.seq_num
        assert facts.physical_filter == exposure.physical_filter
        assert facts.observation_type == "science"
        assert facts.exposure_time == exposure.exposure_s
        assert facts.dark_time == exposure.dark_s
        assert (facts.end_ns - facts.begin_ns) / 1e9 == pytest.approx(30.0, abs=1e-5)
        assert facts.tracking_ra == pytest.approx(exposure.ra_deg, abs=1e-9)
        assert facts.tracking_dec == pytest.approx(exposure.dec_deg, abs=1e-9)
        assert facts.sky_angle == 25.0
        assert facts.can_see_sky
        assert facts.has_simulated


def test_groups_are_one_to_an_exposure(small_night: NightReport) -> None:
    camera = find_camera("LATISS")

    groups = [
        read_exposure_facts(headers(path)[0], camera).group for path in small_night.raw_files()
    ]

    assert len(set(groups)) == len(groups)


@pytest.mark.parametrize("image_type", [ImageType.BIAS, ImageType.DARK, ImageType.FLAT])
def test_calibrations_look_at_no_sky(small_night: NightReport, image_type: ImageType) -> None:
    exposure = next(item for item in small_night.exposures if item.image_type is image_type)

    facts = read_exposure_facts(
        headers(raw_path(small_night.folder, exposure))[0], find_camera("LATISS")
    )

    assert facts.observation_type == image_type.value.lower()
    assert facts.tracking_ra is None
    assert facts.sky_angle is None
    assert not facts.can_see_sky
    assert facts.exposure_time == exposure.exposure_s


def test_header_wcs_is_the_camera_s_geometry_at_the_window(small_night: NightReport) -> None:
    exposure = science(small_night)[0]
    header = headers(raw_path(small_night.folder, exposure))[0]
    cards = ("CTYPE", "CUNIT", "CRVAL", "CRPIX", "CD1_", "CD2_")
    believed = WCS({f"{name}{axis}": header[f"{name}{axis}"] for name in cards for axis in (1, 2)})
    geometry = detector_wcs(
        find_camera("LATISS"), 0, header["RASTART"], header["DECSTART"], header["ROTPA"]
    )
    corners = np.array([[0.0, 0.0], [4071.0, 0.0], [0.0, 63.0], [4071.0, 63.0]])

    sky = believed.wcs_pix2world(corners, 0)
    full = geometry.wcs_world2pix(sky, 0)

    moved = full + np.array([header["LTV1"], header["LTV2"]])
    assert moved == pytest.approx(corners, abs=0.01)


def test_assembled_image_is_the_strip_about_the_mid_line(small_night: NightReport) -> None:
    image, corner = assemble(small_night.raw_files()[0])

    assert image.shape == (64, 4072)
    assert corner == (0, 1968)
    assert np.isfinite(image).all()


def test_stars_stand_in_the_assembled_image_where_the_truth_says(
    small_night: NightReport, small_settings: NightSettings
) -> None:
    response = set_stage(small_settings).sensor.response
    bias = np.mean([assemble(path)[0] for path in small_night.raw_files()[:2]], axis=0)
    offsets, ratios = [], []

    for exposure in science(small_night):
        image, _ = assemble(raw_path(small_night.folder, exposure))
        truth = truth_path(small_night.folder, exposure)
        sky = fits.getheader(truth)["SKYRATE"] * exposure.exposure_s
        flat = (image - bias) / response[exposure.band] - sky
        stars = Table.read(truth, hdu="STARS")
        bright = stars[(stars["snr"] > 200) & ~stars["saturated"] & (stars["nearest"] > 2.6)]
        for star in bright:
            x, y = round(star["x"]), round(star["y"])
            if not (18 <= x < 4054 and 18 <= y < 46):
                continue
            stamp = flat[y - 18 : y + 19, x - 18 : x + 19]
            rows, columns = np.mgrid[-18:19, -18:19]
            offsets.append(
                [
                    (stamp * columns).sum() / stamp.sum() + x - star["x"],
                    (stamp * rows).sum() / stamp.sum() + y - star["y"],
                ]
            )
            ratios.append(stamp.sum() / star["electrons"])

    assert len(ratios) > 15
    assert np.median(offsets, axis=0) == pytest.approx([0.0, 0.0], abs=0.15)
    # The square of 37 pixels holds about 99 % of the profile.
    assert np.median(ratios) == pytest.approx(0.99, abs=0.015)


def test_truth_has_the_true_wcs_and_differs_from_the_header(
    small_night: NightReport, small_settings: NightSettings
) -> None:
    exposure = science(small_night)[1]
    stage = set_stage(small_settings)
    path = truth_path(small_night.folder, exposure)
    stars, cards = Table.read(path, hdu="STARS"), fits.getheader(path)

    truth = window_wcs(
        stage.camera,
        stage.sensor.window,
        ra_deg=cards["CRVAL1"],
        dec_deg=cards["CRVAL2"],
        rotation_deg=cards["ROTTRUE"],
    )
    x, y = truth.wcs_world2pix(stars["ra"], stars["dec"], 0)
    error_arcsec = (
        np.hypot(
            (cards["CRVAL1"] - exposure.ra_deg) * np.cos(np.radians(exposure.dec_deg)),
            cards["CRVAL2"] - exposure.dec_deg,
        )
        * 3600.0
    )

    assert x == pytest.approx(np.asarray(stars["x"]), abs=1e-4)
    assert y == pytest.approx(np.asarray(stars["y"]), abs=1e-4)
    assert 0.01 < error_arcsec < 8.0


def test_saturated_stars_are_marked_and_only_they(small_night: NightReport) -> None:
    for exposure in science(small_night):
        stars = Table.read(truth_path(small_night.folder, exposure), hdu="STARS")

        saturated = stars[stars["saturated"]]
        assert len(saturated) >= 1
        assert saturated["magnitude"].max() < 12.0
