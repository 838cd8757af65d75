"""Cosmic rays: straight tracks of charge through the detector.

Draws the tracks of one exposure. It knows no star and no read-out.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

#: Tracks per second and pixel: 8 in a 30 s exposure of the default frame, several times what a
#: mountain site has, so that their removal has something to do.
TRACK_RATE = 3.3e-7

#: Mean length of a track [pixel], its largest, and the charge it leaves in a pixel [electron].
MEAN_LENGTH, LONGEST, CHARGE_E = 6.0, 60.0, (400.0, 6000.0)

_STEP = 0.25


@dataclass(frozen=True)
class CosmicRays:
    """The tracks of one exposure."""

    #: Charge, shape (ny, nx) [electron].
    charge: NDArray[np.float64]
    #: Columns and rows of the pixels hit, shape (n_hit,), in the assembled image.
    x: NDArray[np.int64]
    y: NDArray[np.int64]


def draw_cosmic_rays(
    rng: np.random.Generator, shape: tuple[int, int], exposed_s: float
) -> CosmicRays:
    """Draw the cosmic rays of one exposure.

    Parameters
    ----------
    rng
        The stream of this exposure's noise.
    shape
        Rows and columns of the assembled image.
    exposed_s
        Time during which tracks gather [s]; 0 gives none.
    """
    import numpy as np

    ny, nx = shape
    charge = np.zeros(shape)
    for _ in range(rng.poisson(TRACK_RATE * nx * ny * exposed_s)):
        x, y = rng.uniform(0, nx), rng.uniform(0, ny)
        angle = rng.uniform(0, 2 * np.pi)
        length = min(1.0 + rng.exponential(MEAN_LENGTH), LONGEST)
        per_pixel = math.exp(rng.uniform(math.log(CHARGE_E[0]), math.log(CHARGE_E[1])))
        along = np.arange(0.0, length, _STEP)
        columns = np.floor(x + along * np.cos(angle)).astype(np.int64)
        rows = np.floor(y + along * np.sin(angle)).astype(np.int64)
        inside = (columns >= 0) & (columns < nx) & (rows >= 0) & (rows < ny)
        np.add.at(charge, (rows[inside], columns[inside]), per_pixel * _STEP)
    hit_rows, hit_columns = np.nonzero(charge)
    return CosmicRays(charge, hit_columns, hit_rows)
