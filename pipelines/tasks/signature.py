"""The instrument's signature, and its removal.

One function does the whole, in the order in which the detector made it, undone
from the last step to the first. Reads no dataset: ``isr`` is the task.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pipelines.tasks.assembly import LevelledFrame, level_frame
from pipelines.tasks.calibration import bias_checksum, fitted_calibration, frame_facts
from pipelines.tasks.cosmic_rays import CosmicRayConfig, reject_cosmic_rays
from pipelines.tasks.masking import defect_mask, grown, set_plane
from pipelines.tasks.noise_model import CalibrationNoise, divided_variance, electron_variance
from pipelines.tasks.overscan import OverscanConfig

if TYPE_CHECKING:
    import numpy as np
    from astropy.table import Table
    from numpy.typing import NDArray

    from butler_core.formatters.exposure import Exposure
    from butler_core.formatters.raw_exposure import RawExposure


@dataclass(frozen=True, eq=False)
class Calibrations:
    """What is known of the detector; None for what is not to be used."""

    #: Bias [adu].
    bias: Exposure | None = None
    #: Dark current [electron/s].
    dark: Exposure | None = None
    #: Response.
    flat: Exposure | None = None
    #: Rectangles of bad pixels.
    defects: Table | None = None

    def fitted(self, raw: RawExposure) -> Calibrations:
        """Return them cut to the part of the detector that an exposure has read."""
        bias, dark, flat = (
            None if item is None else fitted_calibration(item, raw, name)
            for name, item in (("bias", self.bias), ("dark", self.dark), ("flat", self.flat))
        )
        return Calibrations(bias, dark, flat, self.defects)


@dataclass(frozen=True, eq=False)
class SignatureReport:
    """An exposure without its signature, and what was found on the way."""

    #: The image [electron].
    exposure: Exposure
    #: Bias level of each amplifier [adu], by name.
    level_by_amplifier: dict[str, float]
    #: Read noise of each amplifier [electron], by name.
    read_noise_by_amplifier: dict[str, float]


def remove_signature(
    raw: RawExposure,
    calibrations: Calibrations,
    *,
    overscan: OverscanConfig | None,
    cosmic_rays: CosmicRayConfig | None,
    saturation_growth: int,
) -> SignatureReport:
    """Turn raw pixels into electrons, with variance and mask.

    Parameters
    ----------
    raw
        The raw exposure, with its amplifiers.
    calibrations
        What to apply.
    overscan
        How to measure the bias level; None leaves it in.
    cosmic_rays
        How to find cosmic rays; None leaves them in.
    saturation_growth
        By how far the mask of saturated pixels grows [pixel].
    """
    import numpy as np

    from butler_core.formatters.exposure import Exposure

    fitted = calibrations.fitted(raw)
    frame = level_frame(raw, overscan)
    pixels, variance = _calibrated(frame, fitted, frame_facts(raw).dark_s)
    exposure = Exposure(
        pixels,
        unit="electron",
        variance=variance,
        mask=np.zeros(pixels.shape, dtype=np.int32),
        xy0=raw.xy0,
        wcs=raw.wcs,
        meta=_header(raw, fitted),
    )
    _mask_bad_pixels(exposure, frame, fitted, saturation_growth)
    if cosmic_rays is not None:
        cleaned = reject_cosmic_rays(pixels, variance, exposure.is_masked(), cosmic_rays)
        exposure.data = cleaned.pixels
        assert exposure.mask is not None
        set_plane(exposure.mask, exposure.mask_planes, "CR", cleaned.is_hit)
    return SignatureReport(exposure, frame.level_by_amplifier, frame.read_noise_by_amplifier)


def _calibrated(
    frame: LevelledFrame, calibrations: Calibrations, dark_s: float
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return pixels [electron] and their variance; both finite, 0 where nothing was read."""
    import numpy as np

    bias, dark, flat = calibrations.bias, calibrations.dark, calibrations.flat
    adu = np.nan_to_num(frame.adu, nan=0.0)
    held = (adu if bias is None else adu - bias.data) * frame.gain
    variance = electron_variance(
        held, frame.read_variance, _calibration_noise(frame, calibrations, dark_s)
    )
    pixels = held if dark is None else held - dark.data * np.float32(dark_s)
    if flat is not None:
        # What does not respond is masked by the flat itself; dividing would only make it huge.
        is_usable = ~flat.is_masked("BAD")
        response = np.where(is_usable, flat.data, np.float32(1.0))
        assert flat.variance is not None
        pixels = pixels / response
        variance = divided_variance(
            pixels, variance, response, np.where(is_usable, flat.variance, 0.0)
        )
    return pixels.astype(np.float32), variance


def _calibration_noise(
    frame: LevelledFrame, calibrations: Calibrations, dark_s: float
) -> CalibrationNoise:
    """Gather the variances of bias and dark."""
    bias, dark = calibrations.bias, calibrations.dark
    bias_variance: Any = 0.0
    if bias is not None and bias.variance is not None:
        bias_variance = bias.variance * frame.gain**2
    if dark is None or dark.variance is None:
        return CalibrationNoise(bias=bias_variance)
    is_same_bias = bias is not None and dark.meta.get("BIASCRC") == bias_checksum(bias)
    return CalibrationNoise(
        bias=bias_variance,
        dark_rate=dark.variance,
        dark_s=dark_s,
        dark_exposure_s=float(dark.meta.get("DARKTIME", float("inf"))),
        is_same_bias=is_same_bias,
    )


def _mask_bad_pixels(
    exposure: Exposure, frame: LevelledFrame, calibrations: Calibrations, saturation_growth: int
) -> None:
    """Set the planes BAD, SAT and NO_DATA."""
    import numpy as np

    is_bad = np.zeros(exposure.data.shape, dtype=bool)
    for calibration in (calibrations.bias, calibrations.dark, calibrations.flat):
        if calibration is not None:
            is_bad |= calibration.is_masked("BAD")
    if calibrations.defects is not None:
        is_bad |= defect_mask(calibrations.defects, exposure.data.shape, exposure.xy0)
    mask, planes = exposure.mask, exposure.mask_planes
    assert mask is not None
    set_plane(mask, planes, "BAD", is_bad)
    set_plane(mask, planes, "SAT", grown(frame.is_saturated, saturation_growth))
    set_plane(mask, planes, "NO_DATA", ~np.isfinite(frame.adu))


def _header(raw: RawExposure, calibrations: Calibrations) -> Any:
    """Copy the raw's header and note what was done."""
    header = raw.meta.copy()
    header["BUNIT"] = ("electron", "unit of the pixels")
    for keyword, calibration in (
        ("DOBIAS", calibrations.bias),
        ("DODARK", calibrations.dark),
        ("DOFLAT", calibrations.flat),
        ("DODEFECT", calibrations.defects),
    ):
        header[keyword] = (calibration is not None, "was this calibration applied?")
    return header
