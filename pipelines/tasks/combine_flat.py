"""The task that makes a flat of many, for one filter.

Combines whatever exposures the user's data query chose, after checking that
they are well-exposed flats.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pydantic import Field

from pipelines.tasks.assembly import level_frame
from pipelines.tasks.calibration import FrameFacts, fitted_calibration, frame_facts
from pipelines.tasks.calibration_making import (
    check_exposures,
    make_calibration,
    statistics,
    type_fault,
)
from pipelines.tasks.combining import (
    ClippingConfig,
    CombinedFrame,
    FrameStack,
    RunningMean,
    combine,
)
from pipelines.tasks.overscan import OverscanConfig
from pipetask.config.task_config import PipelineTaskConfig
from pipetask.connections.kinds import Input, Output, PrerequisiteInput
from pipetask.connections.task_connections import PipelineTaskConnections
from pipetask.task.pipeline_task import PipelineTask
from pipetask.task.struct import Struct

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from butler_core.formatters.exposure import Exposure


class CombineFlatConnections(
    PipelineTaskConnections, dimensions=("instrument", "detector", "physical_filter")
):
    """Raw flats, a bias and a dark in, one flat out."""

    raws = Input(
        "raw",
        "Exposure",
        "Raw exposures of an evenly lit screen or sky.",
        multiple=True,
        deferred=True,
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
    combined = Output(
        "flat",
        "ExposureF",
        "Response of the pixels; its median is 1.",
        dimensions=("instrument", "detector", "physical_filter"),
        is_calibration=True,
    )


class CombineFlatConfig(PipelineTaskConfig, connections=CombineFlatConnections):
    """Configuration of `CombineFlatTask`."""

    overscan: OverscanConfig = Field(
        default_factory=OverscanConfig, description="How the bias level is measured."
    )
    clipping: ClippingConfig = Field(
        default_factory=ClippingConfig, description="How exposures are combined."
    )
    least_level: float = Field(
        default=2000.0, gt=0, description="Median of a flat below which it is refused [electron]."
    )
    most_saturated: float = Field(
        default=0.01, ge=0, le=1, description="Saturated part of a flat above which it is refused."
    )
    least_response: float = Field(
        default=0.3, gt=0, lt=1, description="Response below which a pixel is BAD."
    )


@dataclass(frozen=True, eq=False)
class _ScaledFlat:
    """One exposure, divided by its median."""

    #: Shape (ny, nx).
    pixels: NDArray[np.float32]
    #: Median [electron].
    level: float
    #: Variance of what is not light, before scaling [electron squared].
    read_variance: NDArray[np.float32]
    #: Why it cannot be used.
    fault: str | None


class CombineFlatTask(PipelineTask):
    """Average flats, each divided by its median after bias and dark are subtracted.

    After division by such a flat, a pixel has the electrons that one of median
    response would have got: vignetting, too, is divided out.
    """

    ConfigClass = CombineFlatConfig
    default_name = "flat"
    config: CombineFlatConfig

    def run(  # type: ignore[override] # named inputs
        self, *, raws: list[Any], bias: Exposure, dark: Exposure
    ) -> Struct:
        """Make the flat.

        Parameters
        ----------
        raws
            Handles of raw flats of one detector and filter.
        bias, dark
            Calibrations of the detector.

        Returns
        -------
        Struct
            ``combined``: `Exposure`, dimensionless, with variance.

        Raises
        ------
        UnusableExposureError
            If there are too few, or any is no flat, too faint, saturated, or of
            another filter than the first.
        CalibrationMismatchError
            If bias or dark do not cover the exposures.
        """
        import numpy as np

        first = raws[0].get()
        filter_name = frame_facts(first).filter_name
        bias, dark = (
            fitted_calibration(bias, first, "bias"),
            fitted_calibration(dark, first, "dark"),
        )
        faults, levels, variances = [], [], RunningMean()
        with FrameStack(first.data.shape) as stack:
            for handle in raws:
                raw = handle.get()
                facts = frame_facts(raw)
                scaled = self._scaled(raw, facts, bias, dark)
                fault = type_fault(facts, "flat") or _filter_fault(facts, filter_name)
                if (fault := fault or scaled.fault) is not None:
                    faults.append(fault)
                    continue
                stack.append(scaled.pixels)
                levels.append(scaled.level)
                variances.add(scaled.read_variance)
            check_exposures("flat", len(raws), self.config.clipping.fewest, faults)
            level, read_variance = float(np.mean(levels)), variances.mean()
            found = combine(
                stack,
                lambda rows, flat: np.sqrt(_variance(flat, read_variance[rows], level)),
                self.config.clipping,
            )
        combined = self._normalized(found, read_variance, level, first, filter_name)
        self.metadata.update(statistics(combined, found.n_frames, found.rejected_fraction))
        self.metadata["level_electrons"] = level
        return Struct(combined=combined)

    def _scaled(self, raw: Any, facts: FrameFacts, bias: Exposure, dark: Exposure) -> _ScaledFlat:
        """Level one exposure and divide it by its median."""
        import numpy as np

        frame = level_frame(raw, self.config.overscan)
        electrons = (frame.adu - bias.data) * frame.gain - dark.data * facts.dark_s
        level = float(np.nanmedian(electrons))
        fault = None
        if frame.saturated_fraction > self.config.most_saturated:
            percent = 100.0 * frame.saturated_fraction
            fault = f"{facts.name} is saturated in {percent:.1f} % of its pixels"
        elif level < self.config.least_level:
            fault = f"{facts.name} has a median of {level:.0f} electrons only"
        pixels = np.where(frame.is_saturated, np.nan, electrons / max(level, 1.0))
        return _ScaledFlat(pixels, level, frame.read_variance, fault)

    def _normalized(
        self,
        found: CombinedFrame,
        read_variance: Any,
        level: float,
        like: Exposure,
        filter_name: str | None,
    ) -> Exposure:
        """Make the median 1 and mark what hardly responds."""
        import numpy as np

        norm = float(np.nanmedian(found.mean))
        flat = found.mean / norm
        variance = _variance(found.mean, read_variance, level) / np.maximum(found.n_kept, 1)
        cards: dict[str, Any] = {"OBSTYPE": "flat", "NCOMBINE": found.n_frames}
        if filter_name is not None:
            cards["FILTER"] = filter_name
        return make_calibration(
            flat,
            variance / norm**2,
            like=like,
            unit="",
            is_bad=(found.n_kept == 0) | ~(flat > self.config.least_response),
            cards=cards,
        )


def _filter_fault(facts: FrameFacts, wanted: str | None) -> str | None:
    """Say that an exposure is of another filter than the first one."""
    if facts.filter_name == wanted:
        return None
    return f"{facts.name} is of filter {facts.filter_name!r}, the first one of {wanted!r}"


def _variance(flat: Any, read_variance: Any, level: float) -> Any:
    """Variance of one exposure divided by its median: photons and read-out."""
    import numpy as np

    return np.maximum(flat, 0.0) / level + read_variance / level**2
