"""Finds stars: peaks of the image after a matched filter.

Thin over photutils' ``find_peaks``. Measures nothing but a first flux.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

#: A full width at half maximum over the standard deviation, for a Gaussian.
FWHM_PER_SIGMA = 2.0 * math.sqrt(2.0 * math.log(2.0))


@dataclass(frozen=True, eq=False)
class Peaks:
    """Peaks of an image; arrays of shape (n,), brightest first."""

    #: Column and row [pixel].
    x: NDArray[np.float64]
    y: NDArray[np.float64]
    #: Flux of a Gaussian of the filter's width there [electron].
    flux: NDArray[np.float64]
    #: Signal to noise of that flux.
    snr: NDArray[np.float64]


def find_stars(
    pixels: NDArray[Any],
    variance: NDArray[Any],
    is_bad: NDArray[np.bool_],
    *,
    fwhm_pix: float,
    n_sigma: float,
) -> Peaks:
    """Find peaks above a threshold.

    At every pixel the flux of a Gaussian there is fitted with inverse
    variances as weights, which is a convolution, and compared with its error.

    Parameters
    ----------
    pixels
        Image without its sky, shape (ny, nx) [electron].
    variance
        Of the sky, smooth, same shape [electron squared].
    is_bad
        Pixels to be left out; no peak lies on one.
    fwhm_pix
        Full width of the stars [pixel]; two peaks are no closer than half of it.
    n_sigma
        The threshold.
    """
    import numpy as np
    from photutils.detection import find_peaks
    from scipy.ndimage import gaussian_filter

    sigma = fwhm_pix / FWHM_PER_SIGMA
    weights = np.where(is_bad, 0.0, 1.0 / variance).astype(np.float32)
    weighted = weights * np.asarray(pixels, dtype=np.float32)
    signal = gaussian_filter(weighted, sigma, mode="constant")
    # The square of a Gaussian is a narrower one, of integral 1 / (4 pi sigma**2).
    information = gaussian_filter(weights, sigma / math.sqrt(2.0), mode="constant")
    information /= 4.0 * math.pi * sigma**2
    # Where masked pixels leave next to nothing, there is nothing to find.
    is_poor = is_bad | (information < 0.1 * np.median(information))
    snr = np.where(is_poor, 0.0, signal / np.sqrt(np.where(is_poor, 1.0, information)))
    if snr.max() <= n_sigma:
        nothing = np.empty(0)
        return Peaks(nothing, nothing, nothing, nothing)
    radius = max(1, round(fwhm_pix / 2.0))
    table = find_peaks(snr, n_sigma, box_size=2 * radius + 1)
    columns, rows = np.asarray(table["x_peak"]), np.asarray(table["y_peak"])
    order = np.argsort(-snr[rows, columns], kind="stable")
    columns, rows = columns[order], rows[order]
    return Peaks(
        x=columns.astype(float),
        y=rows.astype(float),
        flux=(signal / np.where(is_poor, 1.0, information))[rows, columns].astype(float),
        snr=snr[rows, columns].astype(float),
    )
