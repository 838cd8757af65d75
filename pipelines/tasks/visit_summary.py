"""The task that tabulates the calibrations of a visit's detectors.

Gathers numbers; measures nothing.
"""

from __future__ import annotations

from typing import Any

from pipetask.config.task_config import PipelineTaskConfig
from pipetask.connections.kinds import Input, Output
from pipetask.connections.task_connections import PipelineTaskConnections
from pipetask.task.pipeline_task import PipelineTask
from pipetask.task.struct import Struct

#: Columns of the summary: unit, description. Taken from ``visit_detector_calibration``.
SUMMARY_COLUMNS = {
    "seeing_arcsec": ("arcsec", "full width at half maximum of the PSF"),
    "zero_point": ("mag", "AB magnitude of one electron per second"),
    "zero_point_err": ("mag", "its error"),
    "sky_electrons_per_s": ("electron / s", "median sky of a pixel"),
    "n_sources": ("", "number of sources"),
    "n_astrometry": ("", "stars matched to the reference"),
    "n_photometry": ("", "stars the zero point is from"),
    "astrometric_rms_arcsec": ("arcsec", "residual to the reference in one axis"),
    "astrometric_err_arcsec": ("arcsec", "expected residual in one axis, median"),
    "pixel_scale_arcsec": ("arcsec", "size of a pixel"),
    "exposure_s": ("s", "exposure time"),
}


class VisitSummaryConnections(PipelineTaskConnections, dimensions=("instrument", "visit")):
    """Calibrations of a visit's detectors in, one table out."""

    calibrations = Input(
        "visit_detector_calibration",
        "StructuredDataDict",
        "Zero point and world coordinates of each detector.",
        multiple=True,
        deferred=True,
        dimensions=("instrument", "visit", "detector"),
    )
    summary = Output(
        "visitSummary",
        "ArrowAstropy",
        "One row a detector: seeing, zero point, sky, numbers, astrometric residuals.",
        dimensions=("instrument", "visit"),
    )


class VisitSummaryConfig(PipelineTaskConfig, connections=VisitSummaryConnections):
    """Configuration of `VisitSummaryTask`; there is nothing to set."""


class VisitSummaryTask(PipelineTask):
    """Tabulate the calibrations of a visit's detectors."""

    ConfigClass = VisitSummaryConfig
    default_name = "visit_summary"
    config: VisitSummaryConfig

    def run(self, *, calibrations: list[Any]) -> Struct:  # type: ignore[override]
        """Make the table.

        Parameters
        ----------
        calibrations
            Handles of the detectors' calibrations.

        Returns
        -------
        Struct
            ``summary``: `Table`, sorted by detector.
        """
        from astropy.table import Column, Table

        ordered = sorted(calibrations, key=lambda handle: int(handle.data_id["detector"]))
        rows = [_row(handle.get()) for handle in ordered]
        columns = [
            Column([int(handle.data_id["detector"]) for handle in ordered], name="detector"),
            Column([row["band"] for row in rows], name="band"),
        ]
        columns += [
            Column([row[name] for row in rows], name=name, unit=unit or None, description=text)
            for name, (unit, text) in SUMMARY_COLUMNS.items()
        ]
        summary = Table(columns)
        self.metadata["n_detectors"] = len(summary)
        return Struct(summary=summary)


def _row(calibration: dict[str, Any]) -> dict[str, Any]:
    """Flatten what a row needs."""
    return {
        **calibration,
        "n_astrometry": calibration["astrometry"]["n_stars"],
        "astrometric_err_arcsec": calibration["astrometry"]["expected_arcsec"],
        "n_photometry": calibration["photometry"]["n_stars"],
    }
