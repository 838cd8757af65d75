"""From light to digits: what the detector makes of the electrons expected.

Draws the noise of one exposure and reads the amplifiers out. It knows nothing
of stars, headers or files.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelines.simulated_night.sensor import Sensor
from pipelines.simulated_night.window import WindowAmplifier

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

#: The largest number of an 18-bit analogue-to-digital converter [adu].
ADC_LIMIT_ADU = 2**18 - 1

#: Scatter of an amplifier's bias level from exposure to exposure [adu].
LEVEL_SIGMA_ADU = 3.0

#: Drift of the bias level along the rows: its scatter, and its memory from row to row.
DRIFT_SIGMA_ADU, DRIFT_MEMORY = 0.8, 0.97


def collect_electrons(
    light: NDArray[np.float64],
    sensor: Sensor,
    *,
    dark_s: float,
    cosmic_rays: NDArray[np.float64],
    rng: np.random.Generator,
) -> NDArray[np.float64]:
    """Draw the electrons that the pixels hold at the end of an exposure.

    A pixel holds its full well at most; what overflows is lost and does not bleed.

    Parameters
    ----------
    light
        Expected photo-electrons, shape (ny, nx): light times response [electron].
    sensor
        The detector.
    dark_s
        Time for which dark current gathers [s].
    cosmic_rays
        Charge left by cosmic rays, shape (ny, nx) [electron].
    rng
        The stream of this exposure's noise.

    Returns
    -------
    ndarray
        Whole electrons, shape (ny, nx), float64.
    """
    import numpy as np

    expected = light + sensor.dark_rate * dark_s
    electrons: NDArray[np.float64] = rng.poisson(expected) + np.round(cosmic_rays)
    for amplifier in sensor.window.amplifiers:
        pixels = electrons[amplifier.box.slices]
        np.minimum(pixels, amplifier.full_well_e, out=pixels)
    return electrons


def read_out(
    electrons: NDArray[np.float64], sensor: Sensor, rng: np.random.Generator
) -> list[NDArray[np.int32]]:
    """Read every amplifier.

    Parameters
    ----------
    electrons
        What the pixels hold, shape (ny, nx), in the assembled image [electron].
    sensor
        The detector.
    rng
        The stream of this exposure's noise.

    Returns
    -------
    list of ndarray
        One array an amplifier in the order of the file's extensions, as read, prescan and
        overscans included, shape ``(raw_ny, raw_nx)``, int32 [adu].
    """
    window = sensor.window
    return [
        _read_amplifier(
            window.as_read(electrons, amplifier), sensor, amplifier=amplifier, index=index, rng=rng
        )
        for index, amplifier in enumerate(window.amplifiers)
    ]


def _read_amplifier(
    pixels: NDArray[np.float64],
    sensor: Sensor,
    *,
    amplifier: WindowAmplifier,
    index: int,
    rng: np.random.Generator,
) -> NDArray[np.int32]:
    """Turn one amplifier's electrons, in the order read, into digits."""
    import numpy as np

    window = sensor.window
    ny, nx = window.raw_ny, window.raw_nx
    level = sensor.bias_level[index] + rng.normal(0.0, LEVEL_SIGMA_ADU)
    signal = rng.normal(0.0, amplifier.read_noise_e / amplifier.gain_e_adu, (ny, nx))
    signal += level + _row_drift(rng, ny)[:, None]
    imaging = signal[window.raw_rows, window.raw_columns]
    imaging += pixels / amplifier.gain_e_adu + sensor.bias_structure[index]
    return np.clip(np.rint(signal), 0, ADC_LIMIT_ADU).astype(np.int32)


def _row_drift(rng: np.random.Generator, n_rows: int) -> NDArray[np.float64]:
    """Draw a slow wander of the bias level, shape (n_rows,), of mean zero [adu]."""
    import numpy as np

    kicks = rng.normal(0.0, DRIFT_SIGMA_ADU * np.sqrt(1.0 - DRIFT_MEMORY**2), n_rows)
    drift = np.empty(n_rows)
    drift[0] = rng.normal(0.0, DRIFT_SIGMA_ADU)
    for row in range(1, n_rows):
        drift[row] = DRIFT_MEMORY * drift[row - 1] + kicks[row]
    wander: NDArray[np.float64] = drift - drift.mean()
    return wander
