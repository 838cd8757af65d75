"""Where exposures looked: regions of detectors and of whole visits, for many at once.

A region is the convex hull of detector corners, widened by a margin of pixels
and laid on the sky by the camera's geometry.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from butler_core.region import encode_quads, polygon

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from butler_core.cameras.camera import Camera

    Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Pointings:
    """Boresights and orientations of exposures, ICRS; arrays of shape (n_exp,), float64 [deg]."""

    ra_deg: Floats
    dec_deg: Floats
    #: Position angles of focal-plane +Y.
    rotation_deg: Floats

    def take(self, rows: Sequence[int]) -> Pointings:
        """Return some exposures' pointings, in the order given."""
        index = np.asarray(rows, dtype=np.int64)
        return Pointings(self.ra_deg[index], self.dec_deg[index], self.rotation_deg[index])


class Footprint:
    """The widened outlines of a camera's detectors.

    Parameters
    ----------
    camera
        The instrument.
    padding_pixels
        Margin on all sides of each detector [pixel].
    """

    def __init__(self, camera: Camera, *, padding_pixels: int) -> None:
        self._camera = camera
        #: IDs of the detectors, in the order of their regions.
        self.detectors = [detector.id for detector in camera.detectors]
        self._angles = _padded_field_angles(camera, padding_pixels)
        points = self._angles.reshape(-1, 2)
        # A gnomonic projection keeps straight lines straight, so one hull serves all exposures.
        self._outline = points[_convex_hull(points)]

    def detector_regions(self, pointings: Pointings) -> list[bytes]:
        """Return encoded regions of all detectors of each exposure: n_exp times n_det, in turn."""
        corners = self._on_sky(self._angles, pointings)
        return encode_quads(corners.reshape(-1, 4, 2))

    def exposure_regions(self, pointings: Pointings) -> list[bytes]:
        """Return the encoded hull of all detectors, for each exposure."""
        corners = self._on_sky(self._outline, pointings)
        if corners.shape[1] == 4:
            return encode_quads(corners)
        return [polygon(outline).encode() for outline in corners]

    def merged_detector_regions(self, pointings: Pointings) -> list[bytes]:
        """Return encoded hulls over several exposures, one for each detector."""
        corners = self._on_sky(self._angles, pointings)
        by_detector = np.moveaxis(corners, 1, 0).reshape(len(self.detectors), -1, 2)
        return [polygon(points).encode() for points in by_detector]

    def merged_region(self, pointings: Pointings) -> bytes:
        """Return the encoded hull of all detectors over several exposures."""
        encoded: bytes = polygon(self._on_sky(self._outline, pointings).reshape(-1, 2)).encode()
        return encoded

    def _on_sky(self, angles_rad: Floats, pointings: Pointings) -> Floats:
        """Return right ascensions and declinations, shape (n_exp, ..., 2) [deg]."""
        from butler_core.cameras.geometry import field_angle_to_sky

        return field_angle_to_sky(
            self._camera, angles_rad, pointings.ra_deg, pointings.dec_deg, pointings.rotation_deg
        )


def _padded_field_angles(camera: Camera, padding_pixels: int) -> Floats:
    """Return the field angles of widened detectors' corners, shape (n_det, 4, 2) [rad].

    They run counterclockwise as seen from outside the sphere, which spares the
    regions their sorting.
    """
    from butler_core.cameras.geometry import focal_plane_to_field_angle, pixels_to_focal_plane

    low = -0.5 - padding_pixels
    corners = []
    for detector in camera.detectors:
        x1, y1 = detector.nx - 0.5 + padding_pixels, detector.ny - 0.5 + padding_pixels
        x, y = np.array([low, x1, x1, low]), np.array([low, low, y1, y1])
        corners.append(pixels_to_focal_plane(detector, x, y))
    angles: Floats = focal_plane_to_field_angle(camera, np.stack(corners))
    # Unless flipped, +X is west of +Y, so that what turns left in pixels turns right on the sky.
    return angles if camera.flip_x else angles[:, ::-1]


def _convex_hull(points: Floats) -> list[int]:
    """Return the places of the hull's corners, counterclockwise in x and y.

    Andrew's monotone chain (1979, Inf. Proc. Letters 9, 216).
    """
    order: list[int] = np.lexsort((points[:, 1], points[:, 0])).tolist()
    lower, upper = _chain(points, order), _chain(points, order[::-1])
    return lower[:-1] + upper[:-1]


def _chain(points: Floats, order: Sequence[int]) -> list[int]:
    chain: list[int] = []
    for place in order:
        while len(chain) > 1 and not _turns_left(points, chain[-2], chain[-1], place):
            chain.pop()
        chain.append(place)
    return chain


def _turns_left(points: Floats, first: int, second: int, third: int) -> Any:
    a, b = points[second] - points[first], points[third] - points[second]
    return a[0] * b[1] - a[1] * b[0] > 0.0
