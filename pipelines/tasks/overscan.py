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
    # One row for each level that is wanted: an amplifier's pixels count as one long row.
    groups = pixels if settings.level == "row" else pixels.reshape(1, -1)
    deviations = groups - np.median(groups, axis=1, keepdims=True)
    scatter = MAD_TO_SIGMA * float(np.median(np.abs(deviations)))
    # Whole numbers can have a median deviation of zero.
    kept = np.abs(deviations) <= settings.n_sigma * max(scatter, 1.0)
    counts = kept.sum(axis=1)
    if counts.min() < _FEWEST:
        raise OverscanError(
            f"row {int(counts.argmin())} of an overscan of {pixels.shape[1]} columns keeps "
            f"{counts.min()} pixels within {settings.n_sigma} sigma ({scatter:.1f} adu), of "
            f"{_FEWEST} needed. Is the frame broken? For few columns set 'overscan.level' to "
            "'amplifier'."
        )
    level = np.where(kept, groups, 0.0).sum(axis=1) / counts
    squares = np.where(kept, (groups - level[:, None]) ** 2, 0.0)
    read_noise = float(np.sqrt(squares.sum() / (counts.sum() - counts.size)))
    return OverscanLevel(
        level=np.broadcast_to(level, pixels.shape[:1]),
        level_error=read_noise / float(np.sqrt(counts.mean())),
        read_noise=read_noise,
    )
