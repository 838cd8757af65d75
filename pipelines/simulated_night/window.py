"""The read-out window: the rows about LATISS's mid-line, all columns.

Says where pixels go between the assembled image and the amplifiers' read-outs.
Holds no signal and draws nothing.

Every amplifier keeps its order in the file, its flips, read corner, prescan
and overscans, and reads all its columns but only the rows nearest to the line
where the two halves of the detector meet. So the windows of the sixteen
amplifiers touch: the assembled image is a strip across the middle of the real
detector, without gaps, and every pixel looks where that pixel of the real
detector looks. ``DETSIZE`` is the real detector's size and ``DETSEC`` says
where in it each amplifier's window lies (rows counted from the top, as in the
real files). With all rows it is an ordinary full frame.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from butler_core.cameras.camera import Amplifier, Box, Detector
from butler_core.errors import ConfigError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True)
class WindowAmplifier:
    """An amplifier of the window: the real one's facts and fewer pixels."""

    #: The amplifier of the full detector.
    full: Amplifier
    #: Where its imaging pixels land in the assembled image (the window's corner is 0, 0).
    box: Box

    @property
    def segment(self) -> str:
        """Name of its extension, such as ``"Segment10"`` for ``"C10"``."""
        return f"Segment{self.full.name.removeprefix('C')}"

    @property
    def gain_e_adu(self) -> float:
        """Gain [electron/adu]."""
        return self.full.gain_e_per_adu

    @property
    def read_noise_e(self) -> float:
        """Read noise [electron]."""
        return self.full.read_noise_e

    @property
    def full_well_e(self) -> float:
        """Charge that a pixel holds at most: the saturation level above bias [electron]."""
        return self.full.saturation_adu * self.full.gain_e_per_adu


@dataclass(frozen=True)
class Window:
    """The rows of the detector that are read."""

    #: Its amplifiers, in the order of the file's extensions.
    amplifiers: tuple[WindowAmplifier, ...]
    #: The assembled image, in pixels of the whole detector.
    image: Box
    #: Columns and rows of the whole detector.
    full_nx: int
    full_ny: int
    #: Imaging columns and rows of an amplifier.
    amplifier_nx: int
    amplifier_ny: int
    #: Columns before and after the imaging ones, and rows after them.
    prescan: int
    serial_overscan: int
    parallel_overscan: int

    @property
    def nx(self) -> int:
        """Columns of the assembled image."""
        return self.image.nx

    @property
    def ny(self) -> int:
        """Rows of the assembled image."""
        return self.image.ny

    @property
    def raw_nx(self) -> int:
        """Columns of an amplifier's read-out."""
        return self.prescan + self.amplifier_nx + self.serial_overscan

    @property
    def raw_ny(self) -> int:
        """Rows of an amplifier's read-out."""
        return self.amplifier_ny + self.parallel_overscan

    @property
    def raw_columns(self) -> slice:
        """Imaging columns of an amplifier's read-out."""
        return slice(self.prescan, self.prescan + self.amplifier_nx)

    @property
    def raw_rows(self) -> slice:
        """Imaging rows of an amplifier's read-out."""
        return slice(0, self.amplifier_ny)

    def as_read(
        self, image: NDArray[np.float64], amplifier: WindowAmplifier
    ) -> NDArray[np.float64]:
        """Cut an amplifier's pixels out of an assembled image, in the order they are read.

        Returns
        -------
        ndarray
            A view, shape ``(amplifier_ny, amplifier_nx)``.
        """
        pixels = image[amplifier.box.slices]
        row_step = -1 if amplifier.full.flip_y else 1
        column_step = -1 if amplifier.full.flip_x else 1
        return pixels[::row_step, ::column_step]


def make_window(detector: Detector, n_rows: int) -> Window:
    """Lay a window of ``n_rows`` rows over the mid-line of a detector.

    Raises
    ------
    ConfigError
        If the detector is not two rows of amplifiers laid out alike, or has not so many rows.
    """
    _check_alike(detector)
    if n_rows % 2 or not 0 < n_rows <= detector.ny:
        raise ConfigError(
            f"a window of {n_rows} rows was asked of {detector.full_name!r}; give an even number "
            f"up to {detector.ny}"
        )
    first = detector.amplifiers[0]
    image = Box(0, (detector.ny - n_rows) // 2, detector.nx, n_rows)
    half = n_rows // 2
    return Window(
        amplifiers=tuple(
            WindowAmplifier(item, Box(item.box.x0, item.iy * half, item.box.nx, half))
            for item in detector.amplifiers
        ),
        image=image,
        full_nx=detector.nx,
        full_ny=detector.ny,
        amplifier_nx=first.data.nx,
        amplifier_ny=half,
        prescan=first.data.x0,
        serial_overscan=first.serial_overscan.nx,
        parallel_overscan=first.parallel_overscan.ny,
    )


def _check_alike(detector: Detector) -> None:
    """Refuse amplifiers whose read-outs differ, or are not of the one shape modelled."""
    layouts = {
        (item.data, item.serial_overscan, item.parallel_overscan) for item in detector.amplifiers
    }
    data, serial, parallel = next(iter(layouts))
    is_modelled = data.y0 == 0 and serial.x0 == data.x1 and parallel.y0 == data.y1
    in_halves = {item.iy for item in detector.amplifiers} == {0, 1}
    if len(layouts) > 1 or not is_modelled or not in_halves:
        raise ConfigError(
            f"the amplifiers of {detector.full_name!r} are not two rows laid out as prescan, "
            "image, overscan; only a detector like LATISS's can be simulated"
        )
