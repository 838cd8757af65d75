"""Combines equal exposures into one: a stack on disk, clipped averages strip by strip.

Memory holds one exposure and one strip of all of them, however many there are.
Knows no kind of calibration: the caller scales the frames and says what noise
they should have.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from pydantic import Field

from pipetask.config.fields import Config

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

#: Bytes that ccdproc's Combiner needs for a pixel of each frame of a strip: float32 pixels, their
#: mask, and the copies that clipping and averaging make.
_BYTES_PER_PIXEL = 40


class ClippingConfig(Config):
    """How exposures are combined."""

    n_sigma: float = Field(
        default=6.0,
        gt=0,
        description="Pixels further than this from the median of their place are out.",
    )
    memory_mib: int = Field(default=512, ge=16, description="Memory for combining [MiB].")
    fewest: int = Field(default=3, ge=2, description="Fewest exposures to combine.")


@dataclass(frozen=True, eq=False)
class CombinedFrame:
    """The average of a stack; arrays of shape (ny, nx)."""

    #: Average of the pixels kept, float32; NaN where none was.
    mean: NDArray[np.float32]
    #: Number of pixels kept, int16.
    n_kept: NDArray[np.int16]
    #: Pixels rejected, of all that were valid.
    rejected_fraction: float
    #: Number of frames.
    n_frames: int


class RunningMean:
    """Mean of arrays of one shape, of which only the sum is kept."""

    def __init__(self) -> None:
        self._total: Any = 0.0
        self._n = 0

    def add(self, values: NDArray[Any]) -> None:
        """Count an array in.

        Parameters
        ----------
        values
            Shape as all others.
        """
        self._total = self._total + values
        self._n += 1

    def mean(self) -> Any:
        """Return the mean; 0 of nothing."""
        return self._total / max(1, self._n)


class FrameStack:
    """Frames kept in a temporary file; a context manager that removes it.

    Parameters
    ----------
    shape
        Rows and columns of every frame.
    """

    def __init__(self, shape: tuple[int, int]) -> None:
        self.shape = shape
        self._folder = tempfile.TemporaryDirectory(prefix="frame-stack-")
        self._paths: list[Path] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._folder.cleanup()

    def __len__(self) -> int:
        return len(self._paths)

    def append(self, pixels: NDArray[Any]) -> None:
        """Add a frame.

        Parameters
        ----------
        pixels
            Shape as the stack's; written as float32. NaN marks no value.
        """
        import numpy as np

        path = Path(self._folder.name) / f"{len(self._paths)}.npy"
        np.save(path, np.asarray(pixels, dtype=np.float32))
        self._paths.append(path)

    def strip(self, rows: slice) -> list[NDArray[np.float32]]:
        """Read some rows of every frame.

        Parameters
        ----------
        rows
            Which.

        Returns
        -------
        list of ndarray
            Shape (n_rows, nx) each.
        """
        import numpy as np

        return [np.array(np.load(path, mmap_mode="r")[rows]) for path in self._paths]


def combine(
    stack: FrameStack,
    expected_sigma: Callable[[slice, NDArray[Any]], NDArray[Any]],
    settings: ClippingConfig,
) -> CombinedFrame:
    """Average a stack, leaving out pixels that are no noise.

    A pixel is left out if it is further from the median of its place than the
    threshold times the noise that it should have. With few frames the
    scatter among them is too poor a measure of that noise: of five values none
    can be 1.8 standard deviations from their mean, and a cosmic ray would stay.

    Parameters
    ----------
    stack
        The frames, all of one scale.
    expected_sigma
        Given the rows of a strip and its median, shape (n_rows, nx), returns
        the noise of one frame there, same shape.
    settings
        Threshold and memory.
    """
    import numpy as np

    ny, nx = stack.shape
    mean = np.empty(stack.shape, dtype=np.float32)
    n_kept = np.empty(stack.shape, dtype=np.int16)
    n_valid = 0
    n_rows = max(1, (settings.memory_mib << 20) // (_BYTES_PER_PIXEL * nx * max(1, len(stack))))
    for first in range(0, ny, n_rows):
        rows = slice(first, min(first + n_rows, ny))
        strips = stack.strip(rows)
        expected = partial(expected_sigma, rows)
        mean[rows], n_kept[rows] = _combine_strip(strips, expected, settings.n_sigma)
        n_valid += sum(int(np.isfinite(strip).sum()) for strip in strips)
    n_rejected = n_valid - int(n_kept.sum())
    return CombinedFrame(mean, n_kept, n_rejected / max(1, n_valid), len(stack))


def _combine_strip(
    strips: list[NDArray[np.float32]],
    expected_sigma: Callable[[NDArray[Any]], NDArray[Any]],
    n_sigma: float,
) -> tuple[NDArray[np.float32], NDArray[np.int16]]:
    """Average one strip; return it and how many pixels were kept."""
    import numpy as np
    from astropy.nddata import CCDData
    from ccdproc import Combiner

    invalid = np.array([~np.isfinite(strip) for strip in strips])
    is_absent = invalid.all(axis=0)
    combiner = Combiner(
        (
            CCDData(np.where(bad, np.float32(0), strip), mask=bad & ~is_absent, unit="adu")
            for strip, bad in zip(strips, invalid, strict=True)
        ),
        dtype=np.float32,
    )
    median = combiner.median_combine(uncertainty_func=_no_scatter).data
    sigma = expected_sigma(median)
    combiner.sigma_clipping(
        low_thresh=n_sigma,
        high_thresh=n_sigma,
        func=lambda _values, axis: median,  # noqa: ARG005 - astropy gives the axis by name
        dev_func=lambda _values, axis: sigma,  # noqa: ARG005
    )
    # Two against two: the median is between them, and each is far from it.
    is_split = combiner.data_arr.mask.all(axis=0)
    combiner.data_arr.mask &= ~is_split
    is_lost = is_absent | is_split
    n_kept = np.where(is_lost, 0, (~combiner.data_arr.mask).sum(axis=0)).astype(np.int16)
    combined = combiner.average_combine(uncertainty_func=_no_scatter)
    return np.where(is_lost, np.nan, combined.data).astype(np.float32), n_kept


def _no_scatter(values: NDArray[Any], axis: int) -> NDArray[Any]:
    """Stand in for the scatter among the frames: of few, it is a poor error."""
    import numpy as np

    return np.ones(values.shape[:axis] + values.shape[axis + 1 :])
