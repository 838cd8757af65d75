"""Tests of the tasks' configuration, connections and refusals."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
from typing import Any

import numpy as np
import pytest

from butler_core.formatters.raw_exposure import RawExposure
from pipelines.simulated_night.exposure import raw_path
from pipelines.simulated_night.night_plan import ImageType
from pipelines.tasks.combine_bias import CombineBiasTask
from pipelines.tasks.combine_dark import CombineDarkTask
from pipelines.tasks.combine_flat import CombineFlatTask
from pipelines.tasks.errors import CalibrationMismatchError, UnusableExposureError
from pipelines.tasks.isr import IsrConfig, IsrConnections, IsrTask
from pipelines.tasks.measure import MeasureTask, added_snaps
from pipelines.tasks.signature import Calibrations

from .conftest import Handle, ReducedNight, raw_handles, read_raw

TASK_MODULES = (
    "calibrate",
    "combine_bias",
    "combine_dark",
    "combine_flat",
    "isr",
    "measure",
    "visit_summary",
)


def test_importing_tasks_imports_no_science_library() -> None:
    imports = ", ".join(f"pipelines.tasks.{name}" for name in TASK_MODULES)
    heavy = "{'numpy', 'scipy', 'astropy', 'ccdproc', 'photutils', 'astroscrappy'}"
    code = f"import sys, {imports}; print(sorted({heavy} & set(sys.modules)))"

    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )

    assert result.stdout.strip() == "[]"


def test_calibrations_switched_off_are_no_connections() -> None:
    config = IsrConfig(do_bias=False, do_dark=False, do_flat=False)

    connections = IsrConnections(config=config)

    assert set(connections.prerequisite_inputs) == set()
    assert set(IsrConnections(config=IsrConfig()).prerequisite_inputs) == {"bias", "dark", "flat"}
    with_defects = IsrConnections(config=IsrConfig(do_defects=True))
    assert "defects" in with_defects.prerequisite_inputs


def test_calibrations_may_be_certified() -> None:
    for task in (CombineBiasTask, CombineDarkTask, CombineFlatTask):
        combined = task.ConfigClass.ConnectionsClass.all_connections["combined"]

        assert combined.is_calibration  # type: ignore[attr-defined]
        assert combined.storage_class == "ExposureF"


def test_science_exposures_make_no_bias(reduced_night: ReducedNight) -> None:
    raws = raw_handles(reduced_night.report, ImageType.SCIENCE)[:3]

    with pytest.raises(UnusableExposureError, match="no bias can be made of these 3") as error:
        CombineBiasTask().run(raws=raws)

    assert str(error.value).count("not 'bias'") == 3


def test_two_biases_are_too_few(reduced_night: ReducedNight) -> None:
    raws = raw_handles(reduced_night.report, ImageType.BIAS)[:2]

    with pytest.raises(UnusableExposureError, match="at least 3 are needed"):
        CombineBiasTask().run(raws=raws)


def test_biases_make_no_dark(reduced_night: ReducedNight) -> None:
    raws = raw_handles(reduced_night.report, ImageType.BIAS)

    with pytest.raises(UnusableExposureError, match="not 'dark'"):
        CombineDarkTask().run(raws=raws, bias=reduced_night.calibrations.bias)


def with_pixels(handle: Handle, level: int) -> Handle:
    """The same exposure with all pixels at a level."""
    raw = handle.get()
    amplifiers = tuple(
        dataclasses.replace(item, data=np.full_like(item.data, level)) for item in raw.amplifiers
    )
    changed = RawExposure(
        raw.data,
        amplifiers=amplifiers,
        detector=raw.detector,
        unit=raw.unit,
        meta=raw.meta,
        xy0=raw.xy0,
    )
    return Handle(lambda: changed, handle.data_id)


def flat_error(reduced_night: ReducedNight, raws: list[Handle]) -> str:
    calibrations = reduced_night.calibrations
    with pytest.raises(UnusableExposureError) as error:
        CombineFlatTask().run(raws=raws, bias=calibrations.bias, dark=calibrations.dark)
    return str(error.value)


def test_saturated_and_faint_flats_are_refused_together(reduced_night: ReducedNight) -> None:
    raws = raw_handles(reduced_night.report, ImageType.FLAT, "g")[:3]

    message = flat_error(
        reduced_night, [with_pixels(raws[0], 200_000), with_pixels(raws[1], 15_000), raws[2]]
    )

    assert "saturated in 100.0 %" in message
    assert "median of" in message


def test_flats_of_two_filters_are_refused(reduced_night: ReducedNight) -> None:
    g, r = (raw_handles(reduced_night.report, ImageType.FLAT, band)[:2] for band in "gr")

    message = flat_error(reduced_night, [*g, *r])

    assert message.count("the first one of 'SDSSg_65mm'") == 2


def test_calibration_of_a_smaller_window_is_refused(reduced_night: ReducedNight) -> None:
    raw = read_raw(raw_path(reduced_night.report.folder, reduced_night.visits[0].plan))
    small = reduced_night.calibrations.bias[:100]
    config = IsrConfig(do_dark=False, do_flat=False)

    with pytest.raises(CalibrationMismatchError, match="the bias covers"):
        IsrTask(config=config).run(raw=raw, bias=small)


def test_larger_calibrations_are_cut_to_the_window(reduced_night: ReducedNight) -> None:
    raw = read_raw(raw_path(reduced_night.report.folder, reduced_night.visits[0].plan))
    part: Any = raw[50:150]

    fitted = Calibrations(bias=reduced_night.calibrations.bias).fitted(part)

    assert fitted.bias is not None
    assert fitted.bias.bbox == part.bbox


def test_isr_keeps_header_and_wcs(reduced_night: ReducedNight) -> None:
    visit = reduced_night.visits[0]
    raw = read_raw(raw_path(reduced_night.report.folder, visit.plan))

    assert visit.post_isr.meta["OBSID"] == visit.plan.obs_id
    assert visit.post_isr.meta["DOFLAT"] is True
    assert visit.post_isr.xy0 == raw.xy0
    np.testing.assert_allclose(
        visit.post_isr.wcs.all_pix2world([[0.0, 0.0]], 0), raw.wcs.all_pix2world([[0.0, 0.0]], 0)
    )


def test_snaps_are_added(reduced_night: ReducedNight) -> None:
    exposure = reduced_night.visits[0].post_isr

    total = added_snaps([exposure, exposure])

    np.testing.assert_allclose(total.data, 2.0 * exposure.data, rtol=1e-6)
    np.testing.assert_allclose(total.variance, 2.0 * exposure.variance, rtol=1e-6)
    assert total.meta["EXPTIME"] == 60.0
    np.testing.assert_array_equal(total.mask, exposure.mask)


def test_snaps_of_different_windows_are_refused(reduced_night: ReducedNight) -> None:
    exposure = reduced_night.visits[0].post_isr

    with pytest.raises(CalibrationMismatchError, match="different windows"):
        added_snaps([exposure, exposure[:100]])


def test_image_without_variance_is_refused(reduced_night: ReducedNight) -> None:
    bare = reduced_night.visits[0].post_isr.copy()
    bare.uncertainty = None

    with pytest.raises(CalibrationMismatchError, match="no variance"):
        MeasureTask().run(exposures=[bare])
