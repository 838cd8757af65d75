"""The sensor's fixed patterns: bias, response, dark current, defects.

Makes what stays the same all night. Draws no noise and reads nothing out.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipelines.simulated_night.night_plan import PHYSICAL_FILTERS, NightSettings
from pipelines.simulated_night.random_streams import sensor_stream
from pipelines.simulated_night.window import Window

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

#: Range of the amplifiers' bias levels [adu]; LATISS's first raws have 8,400 to 22,500.
BIAS_LEVEL_ADU = (8500.0, 22500.0)

#: Bias structure: rise at the first columns and its length, slope over the rows, column scatter.
GLOW_ADU, GLOW_COLUMNS, ROW_SLOPE_ADU, COLUMN_SIGMA_ADU = 5.0, 12.0, 2.0, 0.8

#: Pixel-to-pixel scatter of the response common to the bands, and of each band, relative.
PIXEL_RESPONSE_SIGMA, BAND_RESPONSE_SIGMA = 0.008, 0.003

#: Scatter of the amplifiers' responses, relative.
AMPLIFIER_RESPONSE_SIGMA = 0.005

#: Light lost at the full detector's corners, relative to its centre.
VIGNETTING = 0.2

#: Dust shadows of each filter: number, depth and radius [pixel].
DUST_SHADOWS, DUST_DEPTH, DUST_RADIUS = 6, 0.02, 27.0

#: Dark current [electron per second and pixel] and its fall over the rows, relative.
DARK_RATE, DARK_GRADIENT = 0.03, 0.5

#: Hot pixels as a fraction of all, and the range of their dark current [electron per second].
HOT_FRACTION, HOT_RATE = 5e-5, (5.0, 300.0)

#: Response of the bad column, relative.
BAD_COLUMN_RESPONSE = 0.01


@dataclass(frozen=True)
class Defect:
    """A rectangle of pixels not to be trusted, in the assembled image."""

    #: First column and row, from 0 [pixel].
    x0: int
    y0: int
    #: Columns and rows [pixel].
    width: int
    height: int
    #: ``"dead column"`` or ``"hot pixel"``.
    kind: str


@dataclass(frozen=True)
class Sensor:
    """The fixed patterns of the windowed detector."""

    #: Where its amplifiers are.
    window: Window
    #: Bias level of each amplifier, shape (n_amplifiers,) [adu].
    bias_level: NDArray[np.float64]
    #: Bias structure, shape (n_amplifiers, rows, columns) of the imaging pixels as read [adu].
    bias_structure: NDArray[np.float64]
    #: Relative response by band, shape (ny, nx): vignetting, dust, amplifiers and pixels.
    response: dict[str, NDArray[np.float64]]
    #: Dark current, shape (ny, nx) [electron/s].
    dark_rate: NDArray[np.float64]
    #: The bad column and the hot pixels.
    defects: tuple[Defect, ...]


def make_sensor(settings: NightSettings, window: Window) -> Sensor:
    """Draw the fixed patterns of a night's detector.

    Parameters
    ----------
    settings
        The seed.
    window
        The read-out window and its amplifiers.
    """
    rng = sensor_stream(settings.seed)
    n = len(window.amplifiers)
    bias_level = rng.uniform(*BIAS_LEVEL_ADU, n)
    bias_structure = _bias_structure(rng, n, window)
    common = _pixel_pattern(rng, window)
    response = {band: common * _band_pattern(rng, window) for band in PHYSICAL_FILTERS}
    dark_rate, hot = _dark_pattern(rng, window)
    column = _bad_column(rng, window)
    for pattern in response.values():
        pattern[column.y0 : column.y0 + column.height, column.x0] *= BAD_COLUMN_RESPONSE
    return Sensor(window, bias_level, bias_structure, response, dark_rate, (column, *hot))


def _bias_structure(rng: np.random.Generator, n: int, window: Window) -> NDArray[np.float64]:
    """Draw glow, slope and column pattern of each amplifier."""
    import numpy as np

    rows, columns = np.arange(window.amplifier_ny), np.arange(window.amplifier_nx)
    glow = GLOW_ADU * rng.uniform(0.6, 1.4, (n, 1, 1)) * np.exp(-columns / GLOW_COLUMNS)
    slope = ROW_SLOPE_ADU * rng.uniform(-1, 1, (n, 1, 1)) * (rows / rows.size)[:, None]
    stripes = rng.normal(0.0, COLUMN_SIGMA_ADU, (n, 1, columns.size))
    structure: NDArray[np.float64] = glow + slope + stripes
    return structure


def _pixel_pattern(rng: np.random.Generator, window: Window) -> NDArray[np.float64]:
    """Draw the response that the bands share: vignetting, amplifiers, pixels."""
    import numpy as np

    ny, nx = window.ny, window.nx
    y = 2.0 * (np.arange(ny) + window.image.y0 + 0.5) / window.full_ny - 1.0
    x = 2.0 * (np.arange(nx) + window.image.x0 + 0.5) / window.full_nx - 1.0
    pattern = 1.0 - VIGNETTING * np.add.outer(y**2, x**2) / 2.0
    for amplifier in window.amplifiers:
        pattern[amplifier.box.slices] *= rng.normal(1.0, AMPLIFIER_RESPONSE_SIGMA)
    shared: NDArray[np.float64] = pattern * rng.normal(1.0, PIXEL_RESPONSE_SIGMA, (ny, nx))
    return shared


def _band_pattern(rng: np.random.Generator, window: Window) -> NDArray[np.float64]:
    """Draw the response that one band has of its own: dust and pixels."""
    import numpy as np

    ny, nx = window.ny, window.nx
    pattern = rng.normal(1.0, BAND_RESPONSE_SIGMA, (ny, nx))
    for _ in range(DUST_SHADOWS):
        x, y = rng.uniform(0, nx), rng.uniform(0, ny)
        r2 = np.add.outer((np.arange(ny) - y) ** 2, (np.arange(nx) - x) ** 2)
        pattern *= 1.0 - DUST_DEPTH * np.exp(-0.5 * r2 / DUST_RADIUS**2)
    return pattern


def _dark_pattern(
    rng: np.random.Generator, window: Window
) -> tuple[NDArray[np.float64], tuple[Defect, ...]]:
    """Draw the dark current [electron/s] and its hot pixels."""
    import numpy as np

    ny, nx = window.ny, window.nx
    fall = 1.0 - DARK_GRADIENT * np.arange(ny) / ny
    dark_rate = np.repeat(DARK_RATE * fall[:, None], nx, axis=1)
    n_hot = max(3, round(HOT_FRACTION * nx * ny))
    places = np.sort(rng.choice(nx * ny, n_hot, replace=False))
    dark_rate.flat[places] = np.exp(
        rng.uniform(math.log(HOT_RATE[0]), math.log(HOT_RATE[1]), n_hot)
    )
    hot = tuple(Defect(int(p % nx), int(p // nx), 1, 1, "hot pixel") for p in places)
    return dark_rate, hot


def _bad_column(rng: np.random.Generator, window: Window) -> Defect:
    """Choose the bad column: one amplifier's, whole, away from the amplifier's edges."""
    amplifier = window.amplifiers[int(rng.integers(len(window.amplifiers)))]
    box = amplifier.box
    x0 = box.x0 + int(rng.integers(box.nx // 4, 3 * box.nx // 4))
    return Defect(x0, box.y0, 1, box.ny, "dead column")
