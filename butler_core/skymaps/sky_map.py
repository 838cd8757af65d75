"""Where tracts and patches are: boxes of pixels, and regions on the sky.

The rules are those of Rubin's ``lsst.skymap``: a tract is grown from the box
that holds its region and overlap to whole patches, about its middle; pixel
(0, 0) is the centre of its lower left pixel; patches are numbered along x,
then y. Stores nothing.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from butler_core.errors import ConfigError
from butler_core.skymaps.config import DiscreteConfig, DodecaConfig, RingsConfig, SkyMapConfig
from butler_core.skymaps.dodecahedron import face_centres, vertices_of_faces
from butler_core.skymaps.projection import Projection, directions, lon_lat_deg, offset_points

if TYPE_CHECKING:
    from astropy.wcs import WCS
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Integers = NDArray[np.int64]

#: Points on the circle around a dodecahedron's vertex by which its tract must reach further.
_CIRCLE_POINTS = 24


class SkyMap:
    """All tracts of a sky map; the arrays have one row per tract.

    Parameters
    ----------
    config
        What the map is made from.
    centres_rad
        Right ascension and declination of the tracts' centres, shape (n, 2) [rad].
    low, high
        Smallest and largest pixel that each tract must have, counted from its
        centre, shape (n, 2).
    """

    def __init__(
        self, config: SkyMapConfig, centres_rad: Floats, low: Floats, high: Floats
    ) -> None:
        self.config = config
        grid = config.settings.tractBuilder
        self._centres = centres_rad
        self._projection = _projection(config)
        # Pixels whose centres are at integers: the box of whole pixels that holds the points.
        first = np.floor(low + 0.5).astype(np.int64)
        size = np.ceil(high - 0.5).astype(np.int64) - first + 1
        inner = np.array(grid.inner, dtype=np.int64)
        #: Number of patches along x and y, shape (n, 2), int64.
        self.n_patches: Integers = -(-size // inner)
        #: Columns and rows of each tract, shape (n, 2), int64 [pixel].
        self.sizes: Integers = self.n_patches * inner
        #: Pixel of each tract at its centre, shape (n, 2), float64.
        self.centre_pixels: Floats = -(first - (self.sizes - size) // 2).astype(np.float64)

    def __len__(self) -> int:
        return len(self._centres)

    @property
    def centres_deg(self) -> Floats:
        """Right ascension in [0, 360) and declination of the centres, shape (n, 2) [deg]."""
        return lon_lat_deg(directions(self._centres))

    def tract_corners(self, tracts: Sequence[int]) -> Floats:
        """Return the outer corners of tracts.

        Returns
        -------
        numpy.ndarray
            Shape (n, 4, 2): right ascension and declination [deg],
            counterclockwise in pixels from the lower left.
        """
        index = np.asarray(tracts, dtype=np.int64)
        zero = np.zeros((len(index), 2), dtype=np.int64)
        return self._corners(index, zero, self.sizes[index])

    def patch_corners(self, tract: int, *, inner: bool = False) -> Floats:
        """Return the outer corners of all patches of a tract, by patch number.

        Parameters
        ----------
        inner
            Whether patches are taken without their borders.

        Returns
        -------
        numpy.ndarray
            As `tract_corners` does, one row for each patch.
        """
        begin, end = self.patch_boxes(tract, inner=inner)
        return self._corners(np.full(len(begin), tract), begin, end)

    def patch_cells(self, tract: int) -> Integers:
        """Return the place of each patch of a tract along x and y, shape (n_patches, 2)."""
        nx, ny = self.n_patches[tract]
        numbers = np.arange(nx * ny)
        return np.stack([numbers % nx, numbers // nx], axis=-1)

    def patch_boxes(self, tract: int, *, inner: bool = False) -> tuple[Integers, Integers]:
        """Return the pixels of all patches of a tract: first, and first beyond, (n_patches, 2)."""
        grid = self.config.settings.tractBuilder
        size = np.array(grid.inner, dtype=np.int64)
        begin = self.patch_cells(tract) * size
        end = begin + size
        if inner:
            return begin, end
        begin, end = begin - grid.border, end + grid.border
        if grid.is_clipped:
            begin, end = np.maximum(begin, 0), np.minimum(end, self.sizes[tract])
        return begin, end

    def tract_wcs(self, tract: int) -> WCS:
        """Return the world coordinates of a tract's pixels, of which the first is (0, 0)."""
        from astropy.wcs import WCS

        settings = self.config.settings
        wcs = WCS(naxis=2)
        wcs.wcs.ctype = [f"RA---{settings.projection}", f"DEC--{settings.projection}"]
        wcs.wcs.cunit = ["deg", "deg"]
        wcs.wcs.radesys = "ICRS"
        wcs.wcs.crval = self.centres_deg[tract]
        wcs.wcs.crpix = self.centre_pixels[tract] + 1.0
        rotation = math.radians(settings.rotation)
        cos, sin = math.cos(rotation), math.sin(rotation)
        wcs.wcs.cd = np.array([[-cos, sin], [sin, cos]]) * settings.pixelScale / 3600.0
        wcs.wcs.set()
        wcs.pixel_shape = tuple(int(n) for n in self.sizes[tract])
        return wcs

    def _corners(self, tracts: Integers, begin: Integers, end: Integers) -> Floats:
        """Return where the outer edges of boxes of pixels meet, shape (n, 4, 2) [deg]."""
        low, high = begin - 0.5, end - 0.5
        pixels = np.stack(
            [
                low,
                np.stack([high[:, 0], low[:, 1]], axis=-1),
                high,
                np.stack([low[:, 0], high[:, 1]], axis=-1),
            ],
            axis=1,
        )
        return self._projection.to_sky(
            self._centres[tracts], pixels - self.centre_pixels[tracts][:, None]
        )


def make_sky_map(config: SkyMapConfig) -> SkyMap:
    """Lay out a sky map.

    Raises
    ------
    ConfigError
        If a tract is too large for the projection.
    """
    settings = config.settings
    overlap = math.radians(settings.tractOverlap)
    if isinstance(settings, DodecaConfig):
        faces = face_centres(with_faces_on_poles=settings.withTractsOnPoles)
        centres = np.deg2rad(lon_lat_deg(faces))
        points = _around_vertices(faces, overlap / 2.0)
    elif isinstance(settings, RingsConfig):
        centres = ring_centres(settings.numRings, math.radians(settings.raStart))
        radius = 0.5 * math.pi / (settings.numRings + 1)
        points = offset_points(centres, radius + overlap, 4)
    else:
        centres, points = _discrete(settings, overlap)
    reach = np.arccos(np.clip(np.einsum("nmi,ni->nm", points, directions(centres)), -1, 1)).max()
    if settings.projection in {"TAN", "SIN"} and reach > math.radians(85.0):
        raise ConfigError(
            f"tracts of {math.degrees(reach):.0f} degrees are too large for the projection "
            f"{settings.projection}; take STG, or smaller tracts"
        )
    pixels = _projection(config).to_pixels(centres, points)
    return SkyMap(config, centres, pixels.min(axis=1), pixels.max(axis=1))


def ring_centres(n_rings: int, ra_start_rad: float) -> Floats:
    """Return the centres of the tracts of a rings sky map, south to north, shape (n, 2) [rad].

    A ring has as many tracts as are needed where it is longest; each pole has
    one of its own.
    """
    height = math.pi / (n_rings + 1)
    centres = [(0.0, -0.5 * math.pi)]
    for ring in range(n_rings):
        south = height * (ring + 0.5) - 0.5 * math.pi
        longest = min(abs(south), abs(south + height))
        count = int(2.0 * math.pi * math.cos(longest) / height) + 1
        dec = height * (ring + 1) - 0.5 * math.pi
        centres += [
            ((2.0 * math.pi * i / count + ra_start_rad) % (2.0 * math.pi), dec)
            for i in range(count)
        ]
    return np.array([*centres, (0.0, 0.5 * math.pi)])


def _around_vertices(faces: Floats, radius_rad: float) -> Floats:
    """Return the points that dodecahedral tracts must hold, shape (12, m, 3)."""
    vertices = vertices_of_faces(faces)
    if radius_rad == 0.0:
        return vertices
    flat = np.deg2rad(lon_lat_deg(vertices.reshape(-1, 3)))
    return offset_points(flat, radius_rad, _CIRCLE_POINTS).reshape(len(faces), -1, 3)


def _discrete(settings: DiscreteConfig, overlap_rad: float) -> tuple[Floats, Floats]:
    centres = np.deg2rad(np.stack([settings.raList, settings.decList], axis=-1))
    points = [
        offset_points(centre[None], math.radians(radius) + overlap_rad, 4)[0]
        for centre, radius in zip(centres, settings.radiusList, strict=True)
    ]
    return centres, np.array(points)


def _projection(config: SkyMapConfig) -> Projection:
    settings = config.settings
    return Projection(
        settings.projection,
        scale_rad=math.radians(settings.pixelScale / 3600.0),
        rotation_rad=math.radians(settings.rotation),
    )
