"""The task that makes a dark of many, per second.

Combines whatever exposures the user's data query chose, after checking that
they are darks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import Field

from pipelines.tasks.assembly import level_frame
from pipelines.tasks.calibration import bias_checksum, fitted_calibration, frame_facts
from pipelines.tasks.calibration_making import (
    check_exposures,
    make_calibration,
    statistics,
    type_fault,
)
from pipelines.tasks.combining import ClippingConfig, FrameStack, RunningMean, combine
from pipelines.tasks.overscan import OverscanConfig
from pipetask.config.task_config import PipelineTaskConfig
from pipetask.connections.kinds import Input, Output, PrerequisiteInput
from pipetask.connections.task_connections import PipelineTaskConnections
from pipetask.task.pipeline_task import PipelineTask
from pipetask.task.struct import Struct

if TYPE_CHECKING:
    from butler_core.formatters.exposure import Exposure


class CombineDarkConnections(PipelineTaskConnections, dimensions=("instrument", "detector")):
    """Raw darks and a bias in, one dark out."""

    raws = Input(
        "raw",
        "Exposure",
        "Raw exposures with the shutter closed.",
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
    combined = Output(
        "dark",
        "ExposureF",
        "Dark current [electron/s]; its variance leaves out that of the bias.",
        dimensions=("instrument", "detector"),
        is_calibration=True,
    )


class CombineDarkConfig(PipelineTaskConfig, connections=CombineDarkConnections):
    """Configuration of `CombineDarkTask`."""

    overscan: OverscanConfig = Field(
        default_factory=OverscanConfig, description="How the bias level is measured."
    )
    clipping: ClippingConfig = Field(
        default_factory=ClippingConfig, description="How exposures are combined."
    )
    hot_rate: float = Field(
        default=1.0, gt=0, description="Dark current above which a pixel is BAD [electron/s]."
    )


class CombineDarkTask(PipelineTask):
    """Average darks after subtracting overscan and bias and dividing by the dark time."""

    ConfigClass = CombineDarkConfig
    default_name = "dark"
    config: CombineDarkConfig

    def run(self, *, raws: list[Any], bias: Exposure) -> Struct:  # type: ignore[override]
        """Make the dark.

        Parameters
        ----------
        raws
            Handles of raw darks of one detector.
        bias
            Its bias [adu].

        Returns
        -------
        Struct
            ``combined``: `Exposure` [electron/s] with variance; hot pixels are BAD.

        Raises
        ------
        UnusableExposureError
            If there are too few, or any is no dark or of no time.
        CalibrationMismatchError
            If the bias does not cover the exposures.
        """
        import numpy as np

        clipping = self.config.clipping
        first = raws[0].get()
        fitted = fitted_calibration(bias, first, "bias")
        faults, variances, times_s = [], RunningMean(), []
        with FrameStack(first.data.shape) as stack:
            for handle in raws:
                raw = handle.get()
                facts = frame_facts(raw)
                if (fault := type_fault(facts, "dark") or _time_fault(facts)) is not None:
                    faults.append(fault)
                    continue
                frame = level_frame(raw, self.config.overscan)
                stack.append((frame.adu - fitted.data) * frame.gain / facts.dark_s)
                variances.add(frame.read_variance)
                times_s.append(facts.dark_s)
            check_exposures("dark", len(raws), clipping.fewest, faults)
            time_s, read_variance = float(np.mean(times_s)), variances.mean()
            found = combine(
                stack,
                lambda rows, rate: np.sqrt(_variance(rate, read_variance[rows], time_s)),
                clipping,
            )
        cards = {"OBSTYPE": "dark", "NCOMBINE": len(raws)}
        variance = _variance(found.mean, read_variance, time_s) / np.maximum(found.n_kept, 1)
        combined = make_calibration(
            found.mean,
            variance,
            like=first,
            unit="electron / s",
            is_bad=(found.n_kept == 0) | (found.mean > self.config.hot_rate),
            cards={**cards, "DARKTIME": time_s, "BIASCRC": bias_checksum(fitted)},
        )
        self.metadata.update(statistics(combined, found.n_frames, found.rejected_fraction))
        return Struct(combined=combined)


def _time_fault(facts: Any) -> str | None:
    """Say that an exposure has no dark time."""
    return None if facts.dark_s > 0.0 else f"{facts.name} has a dark time of {facts.dark_s} s"


def _variance(rate: Any, read_variance: Any, time_s: float) -> Any:
    """Variance of one exposure's rate: dark electrons and read-out [(electron/s) squared]."""
    import numpy as np

    return (np.maximum(rate, 0.0) * time_s + read_variance) / time_s**2
