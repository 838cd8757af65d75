"""A raw frame in memory: assembled pixels, and every amplifier as it was read.

Reads no file (``raw``) and subtracts no overscan: that is a task's work.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from butler_core.formatters.exposure import Exposure

if TYPE_CHECKING:
    from butler_core.cameras.camera import Amplifier, Detector
    from butler_core.cameras.raw_layout import AmplifierBoxes


@dataclass(frozen=True, eq=False)
class AmplifierReadout:
    """One amplifier's part of a raw file."""

    #: Where everything is, in the file and in the assembled image.
    boxes: AmplifierBoxes
    #: Pixels that saw light, in the order of the file, shape (ny, nx), int32 [adu].
    data: NDArray[np.int32]
    #: Bias level of each row, shape (ny, n), n may be 0, int32 [adu].
    serial_overscan: NDArray[np.int32]
    #: Rows past the last, shape (n, nx), n may be 0, int32 [adu].
    parallel_overscan: NDArray[np.int32]

    @property
    def amplifier(self) -> Amplifier:
        """The amplifier: name, gain, read noise, saturation level."""
        return self.boxes.amplifier

    @property
    def name(self) -> str:
        """The amplifier's name."""
        return self.boxes.amplifier.name

    def oriented(self, pixels: NDArray[Any]) -> NDArray[Any]:
        """Turn pixels from the order of the file to that of the assembled image.

        Parameters
        ----------
        pixels
            As ``data``, shape (ny, nx).

        Returns
        -------
        numpy.ndarray
            A view, same shape.
        """
        rows = slice(None, None, -1 if self.boxes.flip_y else 1)
        columns = slice(None, None, -1 if self.boxes.flip_x else 1)
        return pixels[rows, columns]


class RawExposure(Exposure):
    """An exposure before any correction.

    ``data`` are the imaging pixels of all amplifiers in their place, shape
    (ny, nx), float32 [adu]; pixels that no amplifier read are NaN. ``xy0`` is
    where a window lies in the detector.

    Parameters
    ----------
    data
        As for `Exposure`.
    amplifiers
        Every amplifier as it was read.
    detector
        The detector.
    **kwargs
        As for `Exposure`.
    """

    def __init__(
        self,
        data: Any,
        *,
        amplifiers: tuple[AmplifierReadout, ...] | None = None,
        detector: Detector | None = None,
        **kwargs: Any,
    ) -> None:
        self.amplifiers: tuple[AmplifierReadout, ...] = (
            getattr(data, "amplifiers", ()) if amplifiers is None else amplifiers
        )
        self.detector: Detector | None = (
            getattr(data, "detector", None) if detector is None else detector
        )
        super().__init__(data, **kwargs)

    def _own_parts(self) -> dict[str, Any]:
        """Keywords that carry the amplifiers and the detector along, too."""
        return {
            **super()._own_parts(),
            "amplifiers": self.amplifiers,
            "detector": self.detector,
        }
