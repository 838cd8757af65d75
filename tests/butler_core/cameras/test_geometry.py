from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from astropy.coordinates import SkyCoord

from butler_core.cameras import detector_corners_mm, detector_wcs, find_camera, sky_corners
from butler_core.cameras.geometry import (
    field_angle_to_sky,
    focal_plane_to_field_angle,
    pixels_to_focal_plane,
)

ARCMIN = 1.0 / 60.0


def directions(flip_x: bool, rotation_deg: float) -> tuple[np.ndarray, np.ndarray]:
    """Return (east, north) of focal-plane +X and of +Y, as unit vectors."""
    camera = dataclasses.replace(find_camera("LATISS"), flip_x=flip_x)
    angles = np.deg2rad(ARCMIN) * np.array([[1.0, 0.0], [0.0, 1.0]])
    sky = field_angle_to_sky(camera, angles, 0.0, 0.0, rotation_deg)[0]
    lon = (sky[:, 0] + 180.0) % 360.0 - 180.0
    x, y = np.stack([lon, sky[:, 1]], axis=-1) / ARCMIN
    return x, y


@pytest.mark.parametrize(
    ("flip_x", "rotation_deg", "x", "y"),
    [
        (False, 0.0, (-1, 0), (0, 1)),  # +X west, +Y north
        (True, 0.0, (1, 0), (0, 1)),  # +X east, +Y north
        (False, 90.0, (0, 1), (1, 0)),  # +X north, +Y east
        (True, 90.0, (0, -1), (1, 0)),  # +X south, +Y east
    ],
)
def test_rotation_is_that_of_make_sky_wcs(
    flip_x: bool, rotation_deg: float, x: tuple[int, int], y: tuple[int, int]
) -> None:
    found_x, found_y = directions(flip_x, rotation_deg)

    np.testing.assert_allclose(found_x, x, atol=1e-6)
    np.testing.assert_allclose(found_y, y, atol=1e-6)


def test_rotation_is_a_position_angle() -> None:
    camera = find_camera("LSSTCam")
    top = np.array([0.0, np.deg2rad(1.0)])

    ra, dec = field_angle_to_sky(camera, top, 30.0, 70.0, 33.0)[0]

    angle = SkyCoord(30.0, 70.0, unit="deg").position_angle(SkyCoord(ra, dec, unit="deg"))
    assert angle.deg == pytest.approx(33.0, abs=1e-9)


def test_reference_pixel_is_at_the_detectors_offset_and_yaw_turns_anticlockwise() -> None:
    detector = find_camera("LSSTCam").detector("R00_SG0")
    assert detector.yaw_deg == 90

    centre = pixels_to_focal_plane(detector, detector.ref_x, detector.ref_y)
    right = pixels_to_focal_plane(detector, detector.ref_x + 100, detector.ref_y)

    np.testing.assert_allclose(centre, [detector.x_mm, detector.y_mm])
    np.testing.assert_allclose(right - centre, [0.0, 1.0], atol=1e-12)


def test_detector_corners_have_the_detectors_size() -> None:
    camera = find_camera("LSSTCam")

    corners = detector_corners_mm(camera)

    assert corners.shape == (205, 4, 2)
    sides = np.linalg.norm(corners[:, 1] - corners[:, 0], axis=-1)
    np.testing.assert_allclose(sides, [d.nx * d.pixel_mm for d in camera.detectors])
    chosen = detector_corners_mm(camera, ["R22_S11", 0])
    np.testing.assert_array_equal(chosen, corners[[camera.detector("R22_S11").id, 0]])


def test_lsstcam_sees_three_and_a_half_degrees() -> None:
    camera = find_camera("LSSTCam")
    science = [d.id for d in camera.detectors if d.purpose == "SCIENCE"]

    ra, dec = np.moveaxis(sky_corners(camera, 100.0, 0.0, 0.0, science), -1, 0)

    assert ra.max() - ra.min() == pytest.approx(3.5, abs=0.05)
    assert dec.max() - dec.min() == pytest.approx(3.5, abs=0.05)


def test_latiss_sees_six_and_a_half_arcmin() -> None:
    corners = SkyCoord(sky_corners(find_camera("LATISS"), 10.0, 20.0, 0.0)[0, 0], unit="deg")

    assert corners[0].separation(corners[1]).arcmin == pytest.approx(6.5, abs=0.05)


def test_many_exposures_are_what_each_is_alone() -> None:
    camera = find_camera("LSSTCam")
    rng = np.random.default_rng(7)
    ra, dec, rotation = rng.uniform(0, 360, 5), rng.uniform(-90, 90, 5), rng.uniform(0, 360, 5)

    together = sky_corners(camera, ra, dec, rotation)

    assert together.shape == (5, 205, 4, 2)
    for i in range(5):
        alone = sky_corners(camera, ra[i], dec[i], rotation[i])
        np.testing.assert_allclose(together[i], alone[0], rtol=0, atol=1e-12)


def test_pole_is_no_exception() -> None:
    corners = sky_corners(find_camera("LSSTCam"), 0.0, 90.0, 0.0)

    assert np.isfinite(corners).all()
    assert corners[..., 1].min() == pytest.approx(88.0, abs=0.15)


def test_exposure_without_rotation_gives_nan() -> None:
    corners = sky_corners(find_camera("LATISS"), [1.0, 2.0], 3.0, [0.0, np.nan])

    assert np.isfinite(corners[0]).all()
    assert np.isnan(corners[1]).all()


@pytest.mark.parametrize(
    ("name", "detector"),
    [
        ("LSSTCam", "R22_S11"),
        ("LSSTCam", "R01_S00"),
        ("LSSTCam", "R44_SG1"),
        ("LSSTCam", "R40_SW1"),
        ("LSSTCam", "R34_S22"),
        ("LATISS", "RXX_S00"),
        ("testCam", "0"),
    ],
)
def test_wcs_follows_the_optics(name: str, detector: str) -> None:
    camera = find_camera(name)
    chip = camera.detector(detector)
    rng = np.random.default_rng(3)
    x, y = rng.uniform(-0.5, chip.nx - 0.5, 500), rng.uniform(-0.5, chip.ny - 0.5, 500)
    angles = focal_plane_to_field_angle(camera, pixels_to_focal_plane(chip, x, y))
    truth = SkyCoord(field_angle_to_sky(camera, angles, 210.0, -65.0, 77.0)[0], unit="deg")
    pixel_arcsec = camera.plate_scale_arcsec_per_mm * chip.pixel_mm

    wcs = detector_wcs(camera, detector, 210.0, -65.0, 77.0)

    error_pixel = wcs.pixel_to_world(x, y).separation(truth).arcsec / pixel_arcsec
    assert error_pixel.max() < 0.05
    back = np.stack(wcs.world_to_pixel(truth))
    assert np.abs(back - [x, y]).max() < 0.05


def test_wcs_survives_its_header() -> None:
    from astropy.wcs import WCS

    wcs = detector_wcs(find_camera("LSSTCam"), "R01_S00", 10.0, 20.0, 30.0)

    again = WCS(wcs.to_header(relax=True))

    assert wcs.wcs.ctype[0] == "RA---TAN-SIP"
    assert again.pixel_to_world(0, 0).separation(wcs.pixel_to_world(0, 0)).arcsec < 1e-6


def test_undistorted_wcs_is_plain_tan() -> None:
    wcs = detector_wcs(find_camera("LATISS"), 0, 10.0, 20.0, 0.0)

    assert list(wcs.wcs.ctype) == ["RA---TAN", "DEC--TAN"]
    # Seen mirrored: east is towards larger columns.
    assert wcs.wcs.cd[0, 0] > 0
    assert wcs.wcs.cd[1, 1] > 0


def test_test_camera_agrees_with_the_headers_of_its_frames() -> None:
    # Of raw_v1_fg: CRVAL, CD; its CRPIX (6261, 6225) counts 1000 rows that the frame lacks, and
    # columns of the raw frame (4 more in the left half).
    wcs = detector_wcs(find_camera("testCam"), 0, 79.2452196867, -9.70229541541, 111.977997877)

    np.testing.assert_allclose(
        wcs.wcs.cd, [[5.151818e-05, -2.079169e-05], [-2.079169e-05, -5.151818e-05]], atol=1e-7
    )
    x, y = wcs.world_to_pixel(SkyCoord(79.2452196867, -9.70229541541, unit="deg"))
    assert (float(x), float(y)) == pytest.approx((6261 - 1 - 4, 6225 - 1 - 1000), abs=5)
