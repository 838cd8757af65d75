"""From pixels through the focal plane to the sky, for many exposures at once.

Pixels are 0-based with integers at pixel centres. The focal plane is in mm,
its origin on the optical axis. A focal-plane radius r becomes the field angle
``plate scale * sum(c_k r**k)``, at the same azimuth, which is then laid on the
sky as a gnomonic (TAN) offset from the boresight; that is the meaning Rubin's
``field angle`` has when ``makeSkyWcs`` joins it to the projection.

The rotation is that of afw's ``makeSkyWcs`` and ``makeCdMatrix`` (lsst/afw,
``geom/SkyWcs.h``): the position angle of focal-plane +Y, from north through
east. At 0 deg +Y is north and +X is west, or east if the camera's ``flip_x``
is true; at 90 deg +Y is east and +X is north, or south if flipped.

Knows no exposure's header and makes no region.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from butler_core.cameras.camera import Camera, Detector

if TYPE_CHECKING:
    from astropy.wcs import WCS

Floats = npt.NDArray[np.float64]

_RAD_PER_ARCSEC = np.pi / 180.0 / 3600.0

#: A fit with SIP replaces plain TAN where distortion moves a pixel by more than this [pixel].
_NEGLIGIBLE_PIXEL = 0.01
#: Degree of the SIP polynomials; with 3 an LSSTCam detector is fitted to below 0.001 pixel.
_SIP_DEGREE = 3
_FIT_POINTS = 15


def pixels_to_focal_plane(detector: Detector, x: npt.ArrayLike, y: npt.ArrayLike) -> Floats:
    """Return where pixels are in the focal plane.

    Parameters
    ----------
    detector
        The detector.
    x, y
        Pixel coordinates of one shape, or shapes that broadcast.

    Returns
    -------
    ndarray
        Shape (..., 2), float64 [mm].
    """
    dx = (np.asarray(x, dtype=float) - detector.ref_x) * detector.pixel_mm
    dy = (np.asarray(y, dtype=float) - detector.ref_y) * detector.pixel_mm
    yaw = np.deg2rad(detector.yaw_deg)
    cos, sin = np.cos(yaw), np.sin(yaw)
    return np.stack(
        [detector.x_mm + cos * dx - sin * dy, detector.y_mm + sin * dx + cos * dy], axis=-1
    )


def focal_plane_to_field_angle(camera: Camera, points_mm: npt.ArrayLike) -> Floats:
    """Return the field angles of points of the focal plane.

    Parameters
    ----------
    camera
        The instrument.
    points_mm
        Shape (..., 2) [mm].

    Returns
    -------
    ndarray
        Shape (..., 2), float64 [rad].
    """
    points = np.asarray(points_mm, dtype=float)
    radius = np.hypot(points[..., 0], points[..., 1])
    # The constant term is no scale: it is 0 in every camera, so that the axis maps to itself.
    ratio = np.polynomial.polynomial.polyval(radius, camera.radial_coefficients[1:])
    scale = camera.plate_scale_arcsec_per_mm * _RAD_PER_ARCSEC
    return np.asarray(points * (scale * ratio)[..., np.newaxis])


def detector_corners_mm(camera: Camera, detectors: Sequence[int | str] | None = None) -> Floats:
    """Return the outer corners of detectors in the focal plane.

    Parameters
    ----------
    camera
        The instrument.
    detectors
        IDs or names; all, ordered by ID, if None.

    Returns
    -------
    ndarray
        Shape (n_det, 4, 2), float64 [mm]; the corners of pixels (0, 0),
        (nx-1, 0), (nx-1, ny-1), (0, ny-1), at their outer edges.
    """
    chosen = camera.detectors if detectors is None else [camera.detector(key) for key in detectors]
    corners = [
        pixels_to_focal_plane(
            detector,
            np.array([-0.5, detector.nx - 0.5, detector.nx - 0.5, -0.5]),
            np.array([-0.5, -0.5, detector.ny - 0.5, detector.ny - 0.5]),
        )
        for detector in chosen
    ]
    return np.stack(corners)


def sky_corners(
    camera: Camera,
    ra_deg: npt.ArrayLike,
    dec_deg: npt.ArrayLike,
    rotation_deg: npt.ArrayLike,
    detectors: Sequence[int | str] | None = None,
) -> Floats:
    """Return where the corners of detectors are on the sky, for many exposures.

    Parameters
    ----------
    camera
        The instrument.
    ra_deg, dec_deg
        Boresights, shape (n_exp,) or scalar, ICRS [deg].
    rotation_deg
        Position angles of focal-plane +Y, shape (n_exp,) or scalar [deg].
    detectors
        As for ``detector_corners_mm``.

    Returns
    -------
    ndarray
        Shape (n_exp, n_det, 4, 2), float64: right ascension in [0, 360) and
        declination [deg]; NaN where the boresight or the rotation is.
    """
    angles = focal_plane_to_field_angle(camera, detector_corners_mm(camera, detectors))
    return field_angle_to_sky(camera, angles, ra_deg, dec_deg, rotation_deg)


def field_angle_to_sky(
    camera: Camera,
    angles_rad: Floats,
    ra_deg: npt.ArrayLike,
    dec_deg: npt.ArrayLike,
    rotation_deg: npt.ArrayLike,
) -> Floats:
    """Lay field angles on the sky, once for every exposure.

    Parameters
    ----------
    camera
        The instrument, for ``flip_x``.
    angles_rad
        Field angles, shape (..., 2) [rad].
    ra_deg, dec_deg, rotation_deg
        As for ``sky_corners``.

    Returns
    -------
    ndarray
        Shape (n_exp, ..., 2), float64: right ascension and declination [deg].
    """
    ra, dec, rotation = np.broadcast_arrays(
        *(
            np.deg2rad(np.atleast_1d(np.asarray(v, dtype=float)))
            for v in (ra_deg, dec_deg, rotation_deg)
        )
    )
    shape = (-1,) + (1,) * (angles_rad.ndim - 1)
    ra, dec, rotation = ra.reshape(shape), dec.reshape(shape), rotation.reshape(shape)
    east_of_x = 1.0 if camera.flip_x else -1.0
    x, y = angles_rad[..., 0], angles_rad[..., 1]
    east = east_of_x * np.cos(rotation) * x + np.sin(rotation) * y
    north = -east_of_x * np.sin(rotation) * x + np.cos(rotation) * y
    # Gnomonic projection: the tangent point plus the offset in the tangent plane.
    outward = np.cos(dec) - north * np.sin(dec)
    lon = ra + np.arctan2(east, outward)
    lat = np.arctan2(np.sin(dec) + north * np.cos(dec), np.hypot(east, outward))
    return np.stack([np.rad2deg(lon) % 360.0, np.rad2deg(lat)], axis=-1)


def detector_wcs(
    camera: Camera,
    detector: int | str,
    ra_deg: float,
    dec_deg: float,
    rotation_deg: float,
) -> WCS:
    """Return the world coordinates of a detector in one exposure.

    Parameters
    ----------
    camera
        The instrument.
    detector
        ID or name.
    ra_deg, dec_deg
        Boresight, ICRS [deg].
    rotation_deg
        Position angle of focal-plane +Y [deg].

    Returns
    -------
    astropy.wcs.WCS
        TAN about the detector's centre, with SIP (Shupe et al. 2005, ASPC
        347, 491) where distortion moves a pixel by more than 0.01; fitted to
        the optics over the detector, with LSSTCam to better than 0.05 pixel.
    """
    chosen = camera.detector(detector)
    x, y = (
        axis.ravel()
        for axis in np.meshgrid(
            np.linspace(-0.5, chosen.nx - 0.5, _FIT_POINTS),
            np.linspace(-0.5, chosen.ny - 0.5, _FIT_POINTS),
        )
    )
    angles = focal_plane_to_field_angle(camera, pixels_to_focal_plane(chosen, x, y))
    sky = field_angle_to_sky(camera, angles, ra_deg, dec_deg, rotation_deg)[0]
    centre = np.array([(chosen.nx - 1) / 2.0, (chosen.ny - 1) / 2.0])
    middle = focal_plane_to_field_angle(camera, pixels_to_focal_plane(chosen, *centre))
    crval = field_angle_to_sky(camera, middle, ra_deg, dec_deg, rotation_deg)[0]
    return _fitted_wcs(chosen, centre, crval, np.column_stack([x, y]), sky)


def _fitted_wcs(
    detector: Detector, centre: Floats, crval_deg: Floats, pixels: Floats, sky_deg: Floats
) -> WCS:
    """Fit TAN, and SIP where TAN alone is not enough.

    Parameters
    ----------
    detector
        The detector, for its size.
    centre
        Pixel of the tangent point, shape (2,), 0-based.
    crval_deg
        Its right ascension and declination, shape (2,) [deg].
    pixels
        Pixels all over the detector, shape (n, 2).
    sky_deg
        Where they are, shape (n, 2) [deg].
    """
    from astropy.wcs import WCS, Sip

    wcs = WCS(naxis=2)
    wcs.wcs.ctype = ["RA---TAN", "DEC--TAN"]
    wcs.wcs.cunit = ["deg", "deg"]
    wcs.wcs.radesys = "ICRS"
    wcs.wcs.crval = crval_deg
    wcs.wcs.crpix = centre + 1.0
    wcs.wcs.cd = np.eye(2)
    # With a unit CD matrix, sky to pixel gives tangent-plane degrees from the centre.
    plane = wcs.wcs_world2pix(sky_deg, 0) - centre
    offset = pixels - centre
    half = np.array([detector.nx, detector.ny]) / 2.0
    powers = [(p, q) for p in range(_SIP_DEGREE + 1) for q in range(_SIP_DEGREE + 1 - p)][1:]
    basis = _monomials(offset / half, powers)
    # No constant term: the centre is the tangent point.
    coefficients = np.linalg.lstsq(basis, plane, rcond=None)[0] / _monomials(half, powers)[:, None]
    cd = np.stack([coefficients[powers.index((1, 0))], coefficients[powers.index((0, 1))]], axis=1)
    wcs.wcs.cd = cd
    beyond = np.linalg.solve(cd, coefficients.T)
    linear = np.array([p + q == 1 for p, q in powers])
    bend = _monomials(offset, powers)[:, ~linear] @ beyond[:, ~linear].T
    if np.abs(bend).max() > _NEGLIGIBLE_PIXEL:
        a, b = np.zeros((2, _SIP_DEGREE + 1, _SIP_DEGREE + 1))
        for (p, q), (a_pq, b_pq) in zip(powers, beyond.T, strict=True):
            if p + q > 1:
                a[p, q], b[p, q] = a_pq, b_pq
        wcs.wcs.ctype = ["RA---TAN-SIP", "DEC--TAN-SIP"]
        wcs.sip = Sip(a, b, None, None, wcs.wcs.crpix)
    wcs.wcs.set()
    wcs.pixel_shape = (detector.nx, detector.ny)
    return wcs


def _monomials(points: Floats, powers: list[tuple[int, int]]) -> Floats:
    """Return x**p * y**q, shape (..., n_powers), of points of shape (..., 2)."""
    return np.stack([points[..., 0] ** p * points[..., 1] ** q for p, q in powers], axis=-1)
