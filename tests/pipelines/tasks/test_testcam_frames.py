"""The real frames of the small test camera, through isr and measure."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from astropy.table import Table

from butler_core.formatters.fits_table import table_of
from pipelines.tasks.isr import IsrConfig, IsrTask
from pipelines.tasks.measure import MeasureConfig, MeasureTask
from pipetask.config_overrides import apply_overrides
from pipetask.pipeline import Pipeline

from .conftest import read_raw

TESTCAM_YAML = Path(__file__).parents[3] / "pipelines" / "testcam" / "night.yaml"


@pytest.fixture(scope="module")
def pipeline() -> Pipeline:
    return Pipeline.from_file(TESTCAM_YAML)


@pytest.fixture(scope="module")
def defects(test_data: Path) -> Table:
    with fits.open(test_data / "images" / "defects.fits") as hdus:
        return table_of(hdus[1])


@pytest.mark.parametrize(
    ("name", "has_defects"), [("raw_v1_fg", True), ("raw_v2_fg", True), ("raw_v3_fr", False)]
)
def test_frame_gives_sources_and_a_plausible_seeing(
    test_data: Path, pipeline: Pipeline, defects: Table, *, name: str, has_defects: bool
) -> None:
    raw = read_raw(test_data / "images" / f"{name}.fits.gz", "testCam")
    isr_config, measure_config = IsrConfig(do_defects=has_defects), MeasureConfig()
    apply_overrides(isr_config, pipeline.config_overrides("isr"), label="isr")
    apply_overrides(measure_config, pipeline.config_overrides("measure"), label="measure")

    isr = IsrTask(config=isr_config)
    exposure = isr.run(raw=raw, defects=defects if has_defects else None).exposure
    result = MeasureTask(config=measure_config).run(exposures=[exposure])

    assert exposure.data.shape == (2000, 1018)
    assert exposure.is_masked("BAD").any() == has_defects
    good = result.sources[~np.asarray(result.sources["flag"])]
    assert len(good) > 200
    # 0.2 arcsec a pixel: 0.5 to 1 arcsec.
    assert 2.5 < result.sources.meta["psf_fwhm_pix"] < 5.0
    bright = good[np.asarray(good["snr"]) > 50.0]
    assert len(bright) > 20
    assert np.median(bright["ap_flux"] / bright["psf_flux"]) == pytest.approx(1.0, abs=0.1)
    # The sky's noise is what the variance plane says, galaxies or not.
    is_sky = ~result.calexp.is_masked()
    scatter = 1.4826 * np.median(np.abs(result.calexp.data[is_sky]))
    assert scatter == pytest.approx(np.sqrt(np.median(exposure.variance[is_sky])), rel=0.05)
    assert 78.0 < np.median(good["ra"]) < 80.0
