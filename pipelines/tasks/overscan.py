"""The bias level of an amplifier, measured in its overscan.

Works on bare arrays in the order they were read. Assembles no image (see
``assembly``) and knows no camera.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from pipelines.tasks.errors import OverscanError
from pipetask.config.fields import Config

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

#: A median absolute deviation of Gaussian noise times this is its standard deviation.
MAD_TO_SIGMA = 1.482602218505602

#: Fewest overscan pixels that give a level.
_FEWEST = 3


class OverscanConfig(Config):
    """How the bias level is measured."""

    level: Literal["row", "amplifier"] = Field(
        default="row",
        description="One level for each row, which follows the read-out's drift, or one for the "
        "whole amplifier, for overscans of too few columns.",
    )
    n_sigma: float = Field(
        default=4.0,
        gt=0,
        description="Overscan pixels further than this from their row's median are out.",
    )
    skipped_columns: int = Field(
        default=0,
        ge=0,
        description="First overscan columns left out, where charge trails into them.",
    )


@dataclass(frozen=True, eq=False)
class OverscanLevel:
    """What an overscan says of its amplifier."""

    #: Bias level of each row, shape (ny,), float64 [adu].
    level: NDArray[np.float64]
    #: Error of one row's level [adu].
    level_error: float
    #: Do the errors of the rows differ? If not, one error is common to all rows.
    is_by_row: bool
    #: Read noise: scatter of the overscan pixels about their level [adu].
    read_noise: float


def measure_overscan(overscan: NDArray[Any], settings: OverscanConfig) -> OverscanLevel:
    """Measure the bias level.

    Outliers are judged by the scatter of the whole overscan, since that of one
    row's few pixels is too uncertain; the level is the mean of those kept,
    which is less noisy than their median by a factor 1.25.

    Parameters
    ----------
    overscan
        Pixels beside the imaging ones, shape (ny, n_columns) [adu].
    settings
        How.

    Returns
    -------
    OverscanLevel
        Levels and noise.

    Raises
    ------
    OverscanError
        If the overscan, or one of its rows, keeps fewer than 3 pixels.
    """
    import numpy as np

    pixels = np.asarray(overscan[:, settings.skipped_columns :], dtype=np.float64)
    if pixels.shape[0] == 0 or pixels.shape[1] < _FEWEST:
        raise OverscanError(
            f"an overscan of shape {overscan.shape}, less {settings.skipped_columns} columns, "
            f"gives no bias level: each row needs {_FEWEST} pixels. Set 'do_overscan' to False, or "
            "skip fewer columns."
        )
    deviations = pixels - np.median(pixels, axis=1, keepdims=True)
    scatter = MAD_TO_SIGMA * float(np.median(np.abs(deviations)))
    # Whole numbers can have a median deviation of zero.
    kept = np.abs(deviations) <= settings.n_sigma * max(scatter, 1.0)
    counts = kept.sum(axis=1)
    if counts.min() < _FEWEST:
        raise OverscanError(
            f"row {int(counts.argmin())} of an overscan of {pixels.shape[1]} columns keeps "
            f"{counts.min()} pixels within {settings.n_sigma} sigma ({scatter:.1f} adu); "
            f"{_FEWEST} are needed. Is the frame saturated or broken?"
        )
    level = np.where(kept, pixels, 0.0).sum(axis=1) / counts
    if settings.level == "amplifier":
        return _common_level(level, counts, pixels, kept)
    n_free = int(counts.sum()) - counts.size
    squares = np.where(kept, (pixels - level[:, None]) ** 2, 0.0)
    read_noise = float(np.sqrt(squares.sum() / n_free))
    return OverscanLevel(level, read_noise / float(np.sqrt(counts.mean())), True, read_noise)


def _common_level(
    levels: NDArray[np.float64],
    counts: NDArray[np.int64],
    pixels: NDArray[np.float64],
    kept: NDArray[np.bool_],
) -> OverscanLevel:
    """Average the levels of all rows into one."""
    import numpy as np

    n = int(counts.sum())
    level = float(np.average(levels, weights=counts))
    squares = np.where(kept, (pixels - level) ** 2, 0.0)
    read_noise = float(np.sqrt(squares.sum() / (n - 1)))
    error = read_noise / float(np.sqrt(n))
    return OverscanLevel(np.full(levels.size, level), error, False, read_noise)
