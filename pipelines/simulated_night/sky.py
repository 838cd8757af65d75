"""The stars of the field: where they are and how bright.

Makes the true catalogue. It knows no telescope, no detector and no error.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipelines.simulated_night.random_streams import catalogue_stream

if TYPE_CHECKING:
    import numpy as np
    from astropy.wcs import WCS
    from numpy.typing import NDArray

#: Stars per square arcsecond: about 300 in a frame of the default size.
STARS_PER_ARCSEC2 = 0.037

#: Distance that most stars keep from each other [arcsec].
SEPARATION_ARCSEC = 2.6

#: Distance that the saturated stars keep from every other star [arcsec].
BRIGHT_SEPARATION_ARCSEC = 7.0

#: Part of the stars that may stand anywhere, so that some are blended.
CROWDED_FRACTION = 0.05

#: Part of the stars that saturate the detector; at least two do.
SATURATED_FRACTION = 0.004

#: Range of r magnitudes (AB) of the saturated stars, which stand near the field's centre.
SATURATED_R_MAG = (8.6, 9.4)

#: Range of r magnitudes (AB) of all the others.
R_MAG = (13.6, 21.3)

#: Numbers of stars rise with magnitude as 10 to this power.
COUNT_SLOPE = 0.06

#: Mean, scatter and limits of the colour g - r [mag].
COLOUR_MEAN, COLOUR_SIGMA, COLOUR_LIMITS = 0.55, 0.25, (0.0, 1.3)

#: Colour g - r of the saturated stars [mag].
SATURATED_COLOUR = 0.4

#: How far the catalogue reaches beyond the undithered frame on each edge: columns [pixel], and
#: rows as a part of the frame's and a number [pixel]. More than dithers and pointing errors.
MARGIN_X_PIX, MARGIN_Y_PART, MARGIN_Y_PIX = 300.0, 0.4, 80.0

#: Part of the frame, about its centre, that has the saturated stars: every dithered frame sees it.
BRIGHT_PART = 0.5

_TRIES = 2000


@dataclass(frozen=True)
class StarCatalogue:
    """The true stars, one element of each array a star; all of shape (n,)."""

    #: Identifier, from 1, int64.
    star_id: NDArray[np.int64]
    #: Right ascension, ICRS, float64 [deg].
    ra_deg: NDArray[np.float64]
    #: Declination, ICRS, float64 [deg].
    dec_deg: NDArray[np.float64]
    #: AB magnitude in g, float64.
    g_mag: NDArray[np.float64]
    #: AB magnitude in r, float64.
    r_mag: NDArray[np.float64]

    def magnitudes(self, band: str) -> NDArray[np.float64]:
        """Return the AB magnitudes in band ``"g"`` or ``"r"``, shape (n,)."""
        return {"g": self.g_mag, "r": self.r_mag}[band]


def make_catalogue(
    seed: int, shape: tuple[int, int], wcs: WCS, plate_scale_arcsec: float
) -> StarCatalogue:
    """Draw the stars of a night's field.

    Parameters
    ----------
    seed
        The night's.
    shape
        Rows and columns of the assembled image.
    wcs
        World coordinates of the undithered frame.
    plate_scale_arcsec
        Size of a pixel on the sky [arcsec].

    Returns
    -------
    StarCatalogue
        The saturated stars first, the others in no order of brightness.
    """
    import numpy as np

    rng = catalogue_stream(seed)
    frame = np.array(shape[::-1], dtype=float)
    margin = np.array([MARGIN_X_PIX, MARGIN_Y_PART * frame[1] + MARGIN_Y_PIX])
    reach = frame / 2.0 + margin
    n = round(STARS_PER_ARCSEC2 * plate_scale_arcsec**2 * 4.0 * float(np.prod(reach)))
    n_saturated = max(2, round(SATURATED_FRACTION * n))
    reaches = np.tile(reach, (n, 1))
    reaches[:n_saturated] = BRIGHT_PART * frame / 2.0
    places = _scatter_stars(rng, n_saturated, reaches, plate_scale_arcsec)
    r_mag = np.concatenate(
        [rng.uniform(*SATURATED_R_MAG, n_saturated), _draw_magnitudes(rng, n - n_saturated)]
    )
    colour = np.clip(rng.normal(COLOUR_MEAN, COLOUR_SIGMA, n), *COLOUR_LIMITS)
    colour[:n_saturated] = SATURATED_COLOUR
    sky = wcs.wcs_pix2world(places + (frame - 1.0) / 2.0, 0)
    return StarCatalogue(
        star_id=np.arange(1, n + 1, dtype=np.int64),
        ra_deg=sky[:, 0],
        dec_deg=sky[:, 1],
        g_mag=r_mag + colour,
        r_mag=r_mag,
    )


def _draw_magnitudes(rng: np.random.Generator, n: int) -> NDArray[np.float64]:
    """Draw ``n`` magnitudes whose counts rise as 10**(slope * magnitude)."""
    import numpy as np

    bright, faint = (10 ** (COUNT_SLOPE * mag) for mag in R_MAG)
    return np.log10(rng.uniform(bright, faint, n)) / COUNT_SLOPE


def _scatter_stars(
    rng: np.random.Generator,
    n_saturated: int,
    reaches: NDArray[np.float64],
    plate_scale_arcsec: float,
) -> NDArray[np.float64]:
    """Throw stars about the frame's centre, each again until far enough from those before.

    A star that finds no free place in many throws stays where it fell: a blend.
    Takes the greatest offsets of each star and returns offsets, both of shape (n, 2) [pixel].
    """
    import numpy as np

    n = len(reaches)
    places = np.zeros((n, 2))
    is_saturated = np.arange(n) < n_saturated
    around_bright = BRIGHT_SEPARATION_ARCSEC / plate_scale_arcsec
    own_room = np.where(
        rng.random(n) < CROWDED_FRACTION, 0.0, SEPARATION_ARCSEC / plate_scale_arcsec
    )
    for i in range(n):
        room = np.where(is_saturated[:i], around_bright, own_room[i])
        for _ in range(_TRIES):
            places[i] = rng.uniform(-reaches[i], reaches[i])
            if np.all(np.hypot(*(places[:i] - places[i]).T) >= room):
                break
    return places
