"""The task that removes the instrument's signature from one exposure of one detector.

From raw pixels to electrons with variance, mask and world coordinates. The sky
stays in: see ``measure``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import Field

from pipelines.tasks.cosmic_rays import CosmicRayConfig
from pipelines.tasks.overscan import OverscanConfig
from pipetask.config.task_config import PipelineTaskConfig
from pipetask.connections.kinds import Input, Output, PrerequisiteInput
from pipetask.connections.task_connections import PipelineTaskConnections
from pipetask.task.pipeline_task import PipelineTask
from pipetask.task.struct import Struct

if TYPE_CHECKING:
    from astropy.table import Table

    from butler_core.formatters.exposure import Exposure
    from butler_core.formatters.raw_exposure import RawExposure
    from pipelines.tasks.signature import SignatureReport


class IsrConnections(PipelineTaskConnections, dimensions=("instrument", "exposure", "detector")):
    """A raw exposure and the calibrations that are switched on in, an image out."""

    raw = Input(
        "raw",
        "Exposure",
        "The exposure as it was read.",
        dimensions=("instrument", "exposure", "detector"),
    )
    bias = PrerequisiteInput(
        "bias",
        "ExposureF",
        "Bias of the detector [adu].",
        dimensions=("instrument", "detector"),
        is_calibration=True,
    )
    dark = PrerequisiteInput(
        "dark",
        "ExposureF",
        "Dark current of the detector [electron/s].",
        dimensions=("instrument", "detector"),
        is_calibration=True,
    )
    flat = PrerequisiteInput(
        "flat",
        "ExposureF",
        "Response of the detector in the exposure's filter.",
        dimensions=("instrument", "detector", "physical_filter"),
        is_calibration=True,
    )
    defects = PrerequisiteInput(
        "defects",
        "Defects",
        "Rectangles of pixels not to be trusted.",
        dimensions=("instrument", "detector"),
        is_calibration=True,
    )
    exposure = Output(
        "postISRCCD",
        "ExposureF",
        "The image with its sky [electron].",
        dimensions=("instrument", "exposure", "detector"),
    )

    def __init__(self, *, config: IsrConfig | None = None) -> None:
        if config is None:
            return
        for name in ("bias", "dark", "flat", "defects"):
            if not getattr(config, f"do_{name}"):
                self.prerequisite_inputs.remove(name)


class IsrConfig(PipelineTaskConfig, connections=IsrConnections):
    """Configuration of `IsrTask`."""

    do_overscan: bool = Field(default=True, description="Subtract the overscan's level?")
    do_bias: bool = Field(default=True, description="Subtract the bias?")
    do_dark: bool = Field(default=True, description="Subtract the dark current?")
    do_flat: bool = Field(default=True, description="Divide by the flat?")
    do_defects: bool = Field(default=False, description="Mask the pixels of a table of defects?")
    do_cosmic_rays: bool = Field(default=True, description="Find and replace cosmic rays?")
    overscan: OverscanConfig = Field(
        default_factory=OverscanConfig, description="How the bias level is measured."
    )
    cosmic_rays: CosmicRayConfig = Field(
        default_factory=CosmicRayConfig, description="How cosmic rays are found."
    )
    saturation_growth: int = Field(
        default=2, ge=0, description="By how far the mask of saturated pixels grows [pixel]."
    )


class IsrTask(PipelineTask):
    """Overscan, bias, gain, dark, flat, masks, variance, cosmic rays; in this order."""

    ConfigClass = IsrConfig
    default_name = "isr"
    config: IsrConfig

    def run(  # type: ignore[override] # named inputs
        self,
        *,
        raw: RawExposure,
        bias: Exposure | None = None,
        dark: Exposure | None = None,
        flat: Exposure | None = None,
        defects: Table | None = None,
    ) -> Struct:
        """Reduce one exposure.

        Parameters
        ----------
        raw
            The raw exposure, with its amplifiers.
        bias, dark, flat, defects
            Calibrations; None for those switched off.

        Returns
        -------
        Struct
            ``exposure``: `Exposure` [electron] with the planes BAD, SAT, CR
            and NO_DATA; its header is the raw's, with the units changed and
            what was done noted.

        Raises
        ------
        OverscanError
            If an amplifier has no bias level.
        CalibrationMismatchError
            If a calibration does not cover the exposure.
        """
        from pipelines.tasks.signature import Calibrations, remove_signature

        cleaned = remove_signature(
            raw,
            Calibrations(bias=bias, dark=dark, flat=flat, defects=defects),
            overscan=self.config.overscan if self.config.do_overscan else None,
            cosmic_rays=self.config.cosmic_rays if self.config.do_cosmic_rays else None,
            saturation_growth=self.config.saturation_growth,
        )
        self.metadata.update(_notes(cleaned))
        return Struct(exposure=cleaned.exposure)


def _notes(cleaned: SignatureReport) -> dict[str, Any]:
    """Summarize what was found, for the task's metadata."""
    import numpy as np

    exposure = cleaned.exposure
    good = exposure.data[~exposure.is_masked()]
    counts = {name: int(exposure.is_masked(name).sum()) for name in ("BAD", "SAT", "CR", "NO_DATA")}
    return {
        "sky_electrons": float(np.median(good)) if good.size else None,
        "masked_pixels": counts,
        "bias_level_adu": cleaned.level_by_amplifier,
        "read_noise_electrons": cleaned.read_noise_by_amplifier,
    }
