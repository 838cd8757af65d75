"""From a raw exposure to levelled pixels, with what is known of each.

Subtracts the overscan and lays gains and noise beside the pixels. Applies no
calibration.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipelines.tasks.errors import OverscanError
from pipelines.tasks.overscan import OverscanConfig, OverscanLevel, measure_overscan

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from butler_core.formatters.raw_exposure import AmplifierReadout, RawExposure


@dataclass(frozen=True, eq=False)
class LevelledFrame:
    """An assembled frame without its bias level; arrays of shape (ny, nx)."""

    #: Pixels above the bias level, float32 [adu]; NaN where no amplifier read.
    adu: NDArray[np.float32]
    #: Gain, float32 [electron/adu].
    gain: NDArray[np.float32]
    #: Variance of read-out and bias level, float32 [electron squared].
    read_variance: NDArray[np.float32]
    #: Did the pixel reach the amplifier's saturation level?
    is_saturated: NDArray[np.bool_]
    #: Bias level of each amplifier, median of its rows [adu], by name.
    level_by_amplifier: dict[str, float]
    #: Read noise of each amplifier [electron], by name.
    read_noise_by_amplifier: dict[str, float]

    @property
    def electrons(self) -> NDArray[np.float32]:
        """Pixels above the bias level, float32 [electron]."""
        return self.adu * self.gain

    @property
    def saturated_fraction(self) -> float:
        """Saturated pixels, of all."""
        return float(self.is_saturated.mean())


def level_frame(raw: RawExposure, settings: OverscanConfig | None) -> LevelledFrame:
    """Subtract the bias level of every amplifier.

    A pixel is saturated if its raw value reaches the camera's level.

    Parameters
    ----------
    raw
        A raw exposure with its amplifiers.
    settings
        How to measure the bias level. None subtracts nothing and takes the
        read noise from the camera.

    Raises
    ------
    OverscanError
        If an amplifier's overscan gives no level; all such in one message.
    """
    import numpy as np

    shape = raw.data.shape
    frame = LevelledFrame(
        adu=np.full(shape, np.nan, dtype=np.float32),
        gain=np.ones(shape, dtype=np.float32),
        read_variance=np.zeros(shape, dtype=np.float32),
        is_saturated=np.zeros(shape, dtype=bool),
        level_by_amplifier={},
        read_noise_by_amplifier={},
    )
    faults = []
    for readout in raw.amplifiers:
        try:
            _place(readout, settings, frame)
        except OverscanError as error:
            faults.append(f"{readout.name}: {error}")
    if faults:
        raise OverscanError("; ".join(faults))
    return frame


def _place(
    readout: AmplifierReadout, settings: OverscanConfig | None, frame: LevelledFrame
) -> None:
    """Level one amplifier and put it in its place."""
    import numpy as np

    amplifier = readout.amplifier
    gain = amplifier.gain_e_per_adu
    found = (
        OverscanLevel(
            level=np.zeros(readout.data.shape[0]),
            level_error=0.0,
            read_noise=amplifier.read_noise_e / gain,
        )
        if settings is None
        else measure_overscan(readout.serial_overscan, settings)
    )
    box = readout.boxes.box.slices
    frame.adu[box] = readout.oriented(readout.data - found.level[:, None])
    frame.gain[box] = gain
    frame.read_variance[box] = gain**2 * (found.read_noise**2 + found.level_error**2)
    frame.is_saturated[box] = readout.oriented(readout.data >= amplifier.saturation_adu)
    frame.level_by_amplifier[readout.name] = float(np.median(found.level))
    frame.read_noise_by_amplifier[readout.name] = gain * found.read_noise
