"""Tests of visit regions against hulls of the detectors' corners, one exposure at a time."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from lsst.sphgeom import ConvexPolygon, LonLat, UnitVector3d

from butler_core.cameras import find_camera
from butler_core.cameras.geometry import sky_corners
from butler_core.region import decode
from butler_core.visits.footprint import Footprint, Pointings

POINTINGS = Pointings(
    np.array([0.01, 200.0, 90.0]), np.array([-30.0, 89.9, -90.0]), np.array([20.0, 300.0, 0.0])
)


def hull(corners_deg: Any) -> ConvexPolygon:
    points = np.asarray(corners_deg).reshape(-1, 2).tolist()
    return ConvexPolygon.convexHull([UnitVector3d(LonLat.fromDegrees(*point)) for point in points])


def far_apart(one: ConvexPolygon, other: ConvexPolygon) -> float:
    """Return the largest distance of a vertex of one polygon to the other's nearest [rad]."""
    a = np.array([list(v) for v in one.getVertices()])
    b = np.array([list(v) for v in other.getVertices()])
    return float(np.linalg.norm(a[:, None] - b[None], axis=-1).min(axis=1).max())


@pytest.mark.parametrize("name", ["LATISS", "LSSTCam", "testCam"])
def test_regions_are_hulls_of_the_detectors_corners(name: str) -> None:
    camera = find_camera(name)
    footprint = Footprint(camera, padding_pixels=0)
    corners = sky_corners(camera, POINTINGS.ra_deg, POINTINGS.dec_deg, POINTINGS.rotation_deg)
    n_det = len(footprint.detectors)

    visits = [decode(region) for region in footprint.exposure_regions(POINTINGS)]
    detectors = [decode(region) for region in footprint.detector_regions(POINTINGS)]

    assert len(detectors) == 3 * n_det
    for exposure in range(3):
        assert far_apart(hull(corners[exposure]), visits[exposure]) < 1e-12
        for place in (0, n_det // 2, n_det - 1):
            expected = hull(corners[exposure, place])
            assert far_apart(expected, detectors[exposure * n_det + place]) < 1e-12


def test_padding_widens_by_pixels() -> None:
    camera = find_camera("LATISS")
    bare, padded = (Footprint(camera, padding_pixels=n) for n in (0, 250))
    scale_deg = camera.plate_scale_arcsec_per_mm * camera.detectors[0].pixel_mm / 3600.0

    radii = [
        decode(one.exposure_regions(POINTINGS)[0]).getBoundingCircle().getOpeningAngle().asDegrees()
        for one in (bare, padded)
    ]

    assert radii[1] - radii[0] == pytest.approx(250 * np.sqrt(2.0) * scale_deg, rel=1e-3)


def test_merged_regions_hold_those_of_each_exposure() -> None:
    footprint = Footprint(find_camera("LATISS"), padding_pixels=250)
    near = Pointings(np.array([10.0, 10.01]), np.array([-30.0, -30.01]), np.array([20.0, 25.0]))

    merged = decode(footprint.merged_region(near))
    of_detector = decode(footprint.merged_detector_regions(near)[0])

    for single in map(decode, footprint.exposure_regions(near)):
        for vertex in single.getVertices():
            assert merged.contains(vertex)
            assert of_detector.contains(vertex)
