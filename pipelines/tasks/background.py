"""The sky's level over an image.

Thin over photutils' ``Background2D``. Finds no star: what is to be left out is
given.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from pipetask.config.fields import Config

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class BackgroundConfig(Config):
    """How the sky is measured."""

    box_rows: int = Field(default=96, ge=16, description="Rows of a box of the mesh [pixel].")
    box_columns: int = Field(
        default=256, ge=16, description="Columns of a box of the mesh [pixel]."
    )
    filter_boxes: int = Field(
        default=3, ge=1, description="Side of the median filter over the mesh; odd [box]."
    )
    n_sigma: float = Field(default=3.0, gt=0, description="Clipping threshold within a box.")


@dataclass(frozen=True, eq=False)
class Sky:
    """The sky of an image."""

    #: Level, shape (ny, nx), float64 [electron].
    level: NDArray[np.float64]
    #: Error of the level at any place, from the pixels of one box [electron].
    level_error: float


def measure_sky(
    pixels: NDArray[Any],
    is_bad: NDArray[np.bool_],
    settings: BackgroundConfig,
    *,
    statistic: Literal["median", "mean"],
) -> Sky:
    """Measure the level of the sky.

    Parameters
    ----------
    pixels
        Image, shape (ny, nx) [electron].
    is_bad
        Pixels to be left out.
    settings
        Mesh and clipping.
    statistic
        Of the pixels of a box, after clipping. The median, where there are
        still stars in the image; the mean, where there are none any more: the
        median of skewed Poisson noise is too low by a few hundredths of an
        electron, which a faint star's many pixels add up.
    """
    import numpy as np
    from astropy.stats import SigmaClip
    from photutils.background import Background2D, MeanBackground, MedianBackground

    ny, nx = pixels.shape
    box = (min(settings.box_rows, ny), min(settings.box_columns, nx))
    estimator = MedianBackground if statistic == "median" else MeanBackground
    found = Background2D(
        pixels,
        box,
        mask=is_bad,
        filter_size=settings.filter_boxes,
        exclude_percentile=75.0,
        sigma_clip=SigmaClip(sigma=settings.n_sigma, maxiters=10),
        bkg_estimator=estimator(sigma_clip=None),
    )
    error = float(found.background_rms_median) / float(np.sqrt(box[0] * box[1]))
    return Sky(np.asarray(found.background, dtype=np.float64), error)
