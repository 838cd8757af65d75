"""The flux of one electron, from stars of known flux.

Pure arithmetic on arrays. Matches no star.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipelines.tasks.errors import TooFewStarsError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

#: AB magnitude of 1 nJy: 8.90 for 1 Jy (Oke & Gunn 1983, ApJ 266, 713), and 22.5 for the nano.
NJY_MAG = 31.4

_ROUNDS = 5
_OUTLIER_SIGMA = 4.0


@dataclass(frozen=True)
class FluxCalibration:
    """What an electron of an exposure is worth."""

    #: Flux of one electron [nJy/electron].
    njy_per_electron: float
    #: Its error [nJy/electron].
    njy_per_electron_error: float
    #: Scatter of the stars beyond their errors, relative to their flux.
    excess_scatter: float
    #: Chi squared per degree of freedom before any excess is added.
    reduced_chi2: float
    #: Number of stars used.
    n_stars: int

    def zero_point_mag(self, exposure_s: float) -> float:
        """Return the AB magnitude that gives one electron per second.

        Parameters
        ----------
        exposure_s
            Exposure time [s].
        """
        return NJY_MAG - 2.5 * math.log10(self.njy_per_electron * exposure_s)

    @property
    def zero_point_error_mag(self) -> float:
        """Error of the zero point [mag]."""
        return 2.5 / math.log(10.0) * self.njy_per_electron_error / self.njy_per_electron


def calibrate_flux(
    flux: NDArray[np.float64],
    flux_error: NDArray[np.float64],
    reference: NDArray[np.float64],
    reference_error: NDArray[np.float64],
    *,
    fewest: int,
) -> FluxCalibration:
    """Find the flux of one electron.

    A weighted mean of the ratios of reference to measured flux, without
    outliers. Ratios are biased where the denominator is noisy, so give stars
    of high signal to noise only. If the ratios scatter more than their errors
    allow, an excess is added to all of them and so to the result's error.

    Parameters
    ----------
    flux, flux_error
        Measured, shape (n,) [electron].
    reference, reference_error
        Known, same shape [nJy].
    fewest
        Fewest stars that give a result.

    Raises
    ------
    TooFewStarsError
        If there are fewer.
    """
    import numpy as np

    if flux.size < fewest:
        raise TooFewStarsError(
            f"{flux.size} stars have a known flux and are bright and whole; a zero point needs "
            f"{fewest}. Lower 'least_snr', or give a deeper reference catalogue."
        )
    ratio = reference / flux
    relative_error = np.hypot(flux_error / flux, reference_error / reference)
    used, excess = np.ones(flux.size, dtype=bool), 0.0
    for _ in range(_ROUNDS):
        mean = _weighted_mean(ratio[used], np.hypot(relative_error, excess)[used])
        pull = (ratio / mean - 1.0) / relative_error
        excess = _excess(ratio[used] / mean - 1.0, relative_error[used])
        scatter = np.hypot(relative_error, excess)
        used = np.abs(ratio / mean - 1.0) < _OUTLIER_SIGMA * scatter
    n = int(used.sum())
    error = mean / math.sqrt(float((np.hypot(relative_error, excess)[used] ** -2.0).sum()))
    chi2 = float((pull[used] ** 2).sum()) / max(1, n - 1)
    return FluxCalibration(mean, error, excess, chi2, n)


def _weighted_mean(values: NDArray[np.float64], relative_error: NDArray[np.float64]) -> float:
    """Mean weighted by relative errors."""
    weight = relative_error**-2.0
    return float((weight * values).sum() / weight.sum())


def _excess(deviation: NDArray[np.float64], error: NDArray[np.float64]) -> float:
    """Scatter that must be added to the errors for a reduced chi squared of 1."""
    import numpy as np

    if float(np.mean((deviation / error) ** 2)) <= 1.0:
        return 0.0
    low, high = 0.0, float(np.std(deviation)) + 1e-12
    for _ in range(40):
        middle = 0.5 * (low + high)
        if float(np.mean(deviation**2 / (error**2 + middle**2))) > 1.0:
            low = middle
        else:
            high = middle
    return 0.5 * (low + high)
