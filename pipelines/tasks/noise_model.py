"""The variance that pixels should have, from what made them.

Pure functions over arrays. Reads no image and measures nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class CalibrationNoise:
    """Variance of the calibrations that were subtracted; shape (ny, nx) or scalar."""

    #: Variance of the bias [electron squared].
    bias: NDArray[np.float32] | float = 0.0
    #: Variance of the dark rate, without that of the bias in it [(electron/s) squared].
    dark_rate: NDArray[np.float32] | float = 0.0
    #: Dark time of the exposure [s].
    dark_s: float = 0.0
    #: Mean dark time of the exposures that the dark was made of [s]; infinite without a dark.
    dark_exposure_s: float = float("inf")
    #: Was the dark made with the same bias?
    is_same_bias: bool = True


def electron_variance(
    electrons: NDArray[Any], read_variance: NDArray[Any], noise: CalibrationNoise
) -> NDArray[np.float32]:
    """Return the variance of pixels whose bias and dark have been subtracted.

    Photons and dark electrons are Poisson, their variance the electrons
    themselves (0 where noise made them negative).

    A dark made with bias b holds -b / T for its mean dark time T. Of an
    exposure with dark time t then b has been subtracted 1 - t/T times in all,
    and its variance counts with the square of that. With two different biases
    the variances add.

    Parameters
    ----------
    electrons
        Electrons that the pixels held, dark current included, shape (ny, nx).
    read_variance
        Variance of read-out and bias level, same shape [electron squared].
    noise
        That of the calibrations.

    Returns
    -------
    ndarray
        Shape (ny, nx), float32 [electron squared].
    """
    import numpy as np

    ratio = noise.dark_s / noise.dark_exposure_s
    bias_weight = (1.0 - ratio) ** 2 if noise.is_same_bias else 1.0 + ratio**2
    variance = np.maximum(electrons, 0.0) + read_variance
    variance = variance + bias_weight * noise.bias + noise.dark_s**2 * noise.dark_rate
    return np.asarray(variance, dtype=np.float32)


def divided_variance(
    quotient: NDArray[Any],
    variance: NDArray[Any],
    divisor: NDArray[Any],
    divisor_variance: NDArray[Any],
) -> NDArray[np.float32]:
    """Return the variance of pixels divided by a flat.

    Parameters
    ----------
    quotient
        The pixels after the division, shape (ny, nx).
    variance
        Their variance before it, same shape.
    divisor, divisor_variance
        The flat and its variance, same shape.
    """
    import numpy as np

    relative = divisor_variance / divisor**2
    return np.asarray(variance / divisor**2 + quotient**2 * relative, dtype=np.float32)
