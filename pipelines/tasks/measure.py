"""The task that finds and measures the sources of one detector in one visit.

Subtracts the sky, fits the point-spread function, makes the catalogue. Knows
no reference catalogue: see ``calibrate``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from pipelines.tasks.errors import CalibrationMismatchError
from pipelines.tasks.star_measurement import BAD_PLANES, StarConfig, measure_stars
from pipetask.config.task_config import PipelineTaskConfig
from pipetask.connections.kinds import Input, Output
from pipetask.connections.task_connections import PipelineTaskConnections
from pipetask.task.pipeline_task import PipelineTask
from pipetask.task.struct import Struct

if TYPE_CHECKING:
    from butler_core.formatters.exposure import Exposure
    from pipelines.tasks.star_measurement import MeasuredStars


class MeasureConnections(PipelineTaskConnections, dimensions=("instrument", "visit", "detector")):
    """The images of a visit in; one image without its sky, and a catalogue out."""

    exposures = Input(
        "postISRCCD",
        "ExposureF",
        "Images of the visit's exposures with their sky [electron].",
        multiple=True,
        dimensions=("instrument", "exposure", "detector"),
    )
    calexp = Output(
        "calexp",
        "ExposureF",
        "The image without its sky, with its point-spread function [electron].",
        dimensions=("instrument", "visit", "detector"),
    )
    background = Output(
        "calexpBackground",
        "ImageF",
        "The sky that was subtracted [electron].",
        dimensions=("instrument", "visit", "detector"),
    )
    sources = Output(
        "src",
        "ArrowAstropy",
        "The sources: columns of `pipelines.tasks.source_table`.",
        dimensions=("instrument", "visit", "detector"),
    )


class MeasureConfig(PipelineTaskConfig, connections=MeasureConnections):
    """Configuration of `MeasureTask`."""

    stars: StarConfig = Field(
        default_factory=StarConfig, description="How stars are found and measured."
    )


class MeasureTask(PipelineTask):
    """Measure the sources of one detector in one visit."""

    ConfigClass = MeasureConfig
    default_name = "measure"
    config: MeasureConfig

    def run(self, *, exposures: list[Exposure]) -> Struct:  # type: ignore[override]
        """Measure an image.

        Parameters
        ----------
        exposures
            The visit's exposures: one, or several snaps of one pointing, which
            are added.

        Returns
        -------
        Struct
            ``calexp`` and ``background``: `Exposure`; ``sources``: `Table`.

        Raises
        ------
        PointSpreadError
            If too few stars are bright and alone.
        CalibrationMismatchError
            If the exposures have no variance, or different windows.
        """
        from pipelines.tasks.source_table import source_table

        exposure = added_snaps(exposures)
        if exposure.variance is None:
            raise CalibrationMismatchError(
                f"the image {exposure.meta.get('OBSID', '')} has no variance, so that its sources "
                "would have no errors. Give one that `isr` has made."
            )
        is_bad = exposure.is_masked(*BAD_PLANES)
        measured = measure_stars(exposure.data, exposure.variance, is_bad, self.config.stars)
        sources = source_table(exposure, measured)
        self.metadata.update({"n_sources": len(sources), **sources.meta})
        calexp, background = _without_sky(exposure, measured)
        return Struct(calexp=calexp, background=background, sources=sources)


def added_snaps(exposures: list[Exposure]) -> Exposure:
    """Add the exposures of one visit, pixel by pixel.

    Parameters
    ----------
    exposures
        One or more of one shape and window.

    Returns
    -------
    Exposure
        Electrons, variances and times added, masks joined; the WCS and the rest
        of the header are the first one's.

    Raises
    ------
    CalibrationMismatchError
        If the windows differ.
    """
    import numpy as np

    from butler_core.formatters.exposure import Exposure

    first = exposures[0]
    if len(exposures) == 1:
        return first
    boxes = {str(item.bbox) for item in exposures}
    if len(boxes) > 1:
        raise CalibrationMismatchError(
            f"the snaps of one visit have different windows: {', '.join(sorted(boxes))}. "
            "Only equal ones can be added."
        )
    mask = np.zeros(first.data.shape, dtype=np.int32)
    for item in exposures:
        if item.mask is not None:
            mask |= item.mask_planes.translate(item.mask, first.mask_planes)
    variances = [item.variance for item in exposures if item.variance is not None]
    total = Exposure(
        np.sum([item.data for item in exposures], axis=0),
        variance=np.sum(variances, axis=0) if len(variances) == len(exposures) else None,
        unit=first.unit,
        mask=mask,
        mask_planes=first.mask_planes,
        xy0=first.xy0,
        wcs=first.wcs,
        meta=first.meta.copy(),
    )
    for keyword in ("EXPTIME", "DARKTIME", "SHUTTIME"):
        times = [item.meta.get(keyword) for item in exposures]
        if None not in times:
            total.meta[keyword] = sum(float(time) for time in times)
    return total


def _without_sky(exposure: Exposure, measured: MeasuredStars) -> tuple[Exposure, Exposure]:
    """Return the image without its sky, and the sky."""
    import numpy as np

    from butler_core.formatters.exposure import Exposure
    from pipelines.tasks.masking import set_plane

    shape = exposure.data.shape
    mask = np.zeros(shape, dtype=np.int32) if exposure.mask is None else exposure.mask.copy()
    is_star = measured.stars.model > 0.5 * np.sqrt(measured.image.sky_variance)
    set_plane(mask, exposure.mask_planes, "DETECTED", is_star)
    calexp = Exposure(
        (exposure.data - measured.sky.level).astype(np.float32),
        unit=exposure.unit,
        variance=exposure.variance,
        mask=mask,
        mask_planes=exposure.mask_planes,
        xy0=exposure.xy0,
        wcs=exposure.wcs,
        meta=exposure.meta.copy(),
        psf=measured.spread.profile.to_dict(),
    )
    background = Exposure(
        measured.sky.level.astype(np.float32), unit=exposure.unit, xy0=exposure.xy0
    )
    return calexp, background
