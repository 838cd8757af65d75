"""The task that puts one detector's sources on the sky and on a flux scale.

Matches the catalogue of ``measure`` to reference stars. Touches no pixel.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import Field

from pipetask.config.task_config import PipelineTaskConfig
from pipetask.connections.kinds import Input, Output, PrerequisiteInput
from pipetask.connections.task_connections import PipelineTaskConnections
from pipetask.task.pipeline_task import PipelineTask
from pipetask.task.struct import Struct

if TYPE_CHECKING:
    from astropy.table import Table
    from astropy.wcs import WCS

    from butler_core.formatters.exposure import FilterLabel
    from pipelines.tasks.catalogue_calibration import Settings


class CalibrateConnections(PipelineTaskConnections, dimensions=("instrument", "visit", "detector")):
    """A catalogue and shards of the reference in; the same catalogue, calibrated, out."""

    sources = Input(
        "src",
        "ArrowAstropy",
        "The sources, in pixels and electrons.",
        dimensions=("instrument", "visit", "detector"),
    )
    wcs = Input(
        "calexp.wcs",
        "Wcs",
        "World coordinates by the telescope's own belief.",
        dimensions=("instrument", "visit", "detector"),
    )
    visit_info = Input(
        "calexp.visitInfo",
        "VisitInfo",
        "Facts about the exposure, for its time.",
        dimensions=("instrument", "visit", "detector"),
    )
    filter_label = Input(
        "calexp.filter",
        "FilterLabel",
        "The filter, for the band of the reference.",
        dimensions=("instrument", "visit", "detector"),
    )
    reference = PrerequisiteInput(
        "gaia_dr2_20191105",
        "SimpleCatalog",
        "Shards of the reference catalogue: coord_ra, coord_dec [rad], fluxes [nJy].",
        multiple=True,
        deferred=True,
        dimensions=("htm7",),
    )
    calibrated = Output(
        "calibratedSrc",
        "ArrowAstropy",
        "The sources with corrected positions and fluxes in nJy.",
        dimensions=("instrument", "visit", "detector"),
    )
    calibration = Output(
        "visit_detector_calibration",
        "StructuredDataDict",
        "Zero point, world coordinates, and how good both are.",
        dimensions=("instrument", "visit", "detector"),
    )


class CalibrateConfig(PipelineTaskConfig, connections=CalibrateConnections):
    """Configuration of `CalibrateTask`."""

    search_arcsec: float = Field(
        default=8.0, gt=0, description="Largest error of the pointing that is looked for [arcsec]."
    )
    match_arcsec: float = Field(
        default=0.7, gt=0, description="Largest distance of a match once that is known [arcsec]."
    )
    least_snr: float = Field(
        default=20.0, gt=0, description="Signal to noise of the faintest star that is matched."
    )
    zero_point_least_snr: float = Field(
        default=50.0, gt=0, description="Signal to noise of the faintest star of the zero point."
    )
    fewest_stars: int = Field(default=6, ge=3, description="Fewest stars that give a calibration.")
    fit_scale: bool = Field(default=True, description="Fit the plate scale, too?")
    reference_flux: str = Field(
        default="{band}_flux", description="Column of the reference's flux; {band} is filled in."
    )


class CalibrateTask(PipelineTask):
    """Fit world coordinates and zero point to reference stars."""

    ConfigClass = CalibrateConfig
    default_name = "calibrate"
    config: CalibrateConfig

    def run(  # type: ignore[override] # named inputs
        self,
        *,
        sources: Table,
        wcs: WCS,
        visit_info: dict[str, Any],
        filter_label: FilterLabel,
        reference: list[Any],
    ) -> Struct:
        """Calibrate a catalogue.

        Parameters
        ----------
        sources
            As `pipelines.tasks.source_table` makes it.
        wcs
            World coordinates before correction.
        visit_info
            Facts about the exposure; ``exposure_time_s`` is needed.
        filter_label
            The filter.
        reference
            Handles of the shards of the reference catalogue.

        Returns
        -------
        Struct
            ``calibrated``: the table; ``calibration``: a dict of plain values.

        Raises
        ------
        TooFewStarsError
            If too few stars match or have a known flux.
        """
        from astropy.table import vstack

        from pipelines.tasks.catalogue_calibration import calibrate_catalogue

        shards = vstack([handle.get() for handle in reference], metadata_conflicts="silent")
        settings = self._settings(filter_label, float(visit_info["exposure_time_s"]))
        result = calibrate_catalogue(sources, wcs, shards, settings)
        calibration = {
            "physical_filter": filter_label.physical,
            "band": _band(filter_label),
            **result.calibration,
        }
        plain = (int, float, str)
        self.metadata.update({k: v for k, v in calibration.items() if isinstance(v, plain)})
        return Struct(calibrated=result.table, calibration=calibration)

    def _settings(self, label: FilterLabel, exposure_s: float) -> Settings:
        """Return what the calibration of one exposure depends on."""
        from pipelines.tasks.catalogue_calibration import Settings

        return Settings(
            flux_column=self.config.reference_flux.format(band=_band(label)),
            exposure_s=exposure_s,
            search_arcsec=self.config.search_arcsec,
            match_arcsec=self.config.match_arcsec,
            least_snr=self.config.least_snr,
            zero_point_least_snr=self.config.zero_point_least_snr,
            fewest_stars=self.config.fewest_stars,
            has_free_scale=self.config.fit_scale,
        )


def _band(label: FilterLabel) -> str:
    """Return a filter's band; cameras whose filters are bands name no other."""
    return str(label.band or label.physical)
