"""The task that makes a bias of many.

Combines whatever exposures the user's data query chose, after checking that
they are biases.
"""

from __future__ import annotations

from typing import Any

from pydantic import Field

from pipelines.tasks.assembly import level_frame
from pipelines.tasks.calibration import frame_facts
from pipelines.tasks.calibration_making import (
    check_exposures,
    make_calibration,
    statistics,
    type_fault,
)
from pipelines.tasks.combining import ClippingConfig, FrameStack, RunningMean, combine
from pipelines.tasks.overscan import OverscanConfig
from pipetask.config.task_config import PipelineTaskConfig
from pipetask.connections.kinds import Input, Output
from pipetask.connections.task_connections import PipelineTaskConnections
from pipetask.task.pipeline_task import PipelineTask
from pipetask.task.struct import Struct


class CombineBiasConnections(PipelineTaskConnections, dimensions=("instrument", "detector")):
    """Raw biases in, one bias out."""

    raws = Input(
        "raw",
        "Exposure",
        "Raw exposures of no time.",
        multiple=True,
        deferred=True,
        dimensions=("instrument", "exposure", "detector"),
    )
    combined = Output(
        "bias",
        "ExposureF",
        "What the electronics add to every pixel, above the overscan's level [adu].",
        dimensions=("instrument", "detector"),
        is_calibration=True,
    )


class CombineBiasConfig(PipelineTaskConfig, connections=CombineBiasConnections):
    """Configuration of `CombineBiasTask`."""

    overscan: OverscanConfig = Field(
        default_factory=OverscanConfig, description="How the bias level is measured."
    )
    clipping: ClippingConfig = Field(
        default_factory=ClippingConfig, description="How exposures are combined."
    )


class CombineBiasTask(PipelineTask):
    """Average biases after subtracting each one's overscan level."""

    ConfigClass = CombineBiasConfig
    default_name = "bias"
    config: CombineBiasConfig

    def run(self, *, raws: list[Any]) -> Struct:  # type: ignore[override] # named inputs
        """Make the bias.

        Parameters
        ----------
        raws
            Handles of raw biases of one detector.

        Returns
        -------
        Struct
            ``combined``: `Exposure` [adu] with variance.

        Raises
        ------
        UnusableExposureError
            If there are too few, or any is no bias.
        """
        import numpy as np

        clipping = self.config.clipping
        faults, variances = [], RunningMean()
        first = raws[0].get()
        with FrameStack(first.data.shape) as stack:
            for handle in raws:
                raw = handle.get()
                if (fault := type_fault(frame_facts(raw), "bias")) is not None:
                    faults.append(fault)
                    continue
                frame = level_frame(raw, self.config.overscan)
                stack.append(frame.adu)
                variances.add(frame.read_variance / frame.gain**2)
            check_exposures("bias", len(raws), clipping.fewest, faults)
            variance = variances.mean()
            found = combine(
                stack,
                lambda rows, _median: np.sqrt(variance[rows]),
                clipping,
            )
        combined = make_calibration(
            found.mean,
            variance / np.maximum(found.n_kept, 1),
            like=first,
            unit="adu",
            is_bad=found.n_kept == 0,
            cards={"OBSTYPE": "bias", "NCOMBINE": len(raws)},
        )
        self.metadata.update(statistics(combined, found.n_frames, found.rejected_fraction))
        return Struct(combined=combined)
