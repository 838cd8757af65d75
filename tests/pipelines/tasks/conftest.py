"""A whole simulated night, reduced once by the tasks alone: no repository, no butler."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from astropy.io import fits
from astropy.table import Table

from butler_core.datasets.storage_class import StorageClassRegistry
from butler_core.formatters.exposure import Exposure
from butler_core.formatters.formatter import ReadRequest
from butler_core.formatters.observation_facts import filter_label, visit_info
from butler_core.formatters.raw import RawFormatter
from butler_core.formatters.raw_exposure import RawExposure
from pipelines.simulated_night.exposure import raw_path, truth_path
from pipelines.simulated_night.night import NightReport, write_night
from pipelines.simulated_night.night_plan import ImageType, NightSettings, PlannedExposure
from pipelines.tasks.calibrate import CalibrateTask
from pipelines.tasks.combine_bias import CombineBiasTask
from pipelines.tasks.combine_dark import CombineDarkTask
from pipelines.tasks.combine_flat import CombineFlatTask
from pipelines.tasks.isr import IsrConfig, IsrTask
from pipelines.tasks.measure import MeasureConfig, MeasureTask
from pipetask.config_overrides import apply_overrides
from pipetask.pipeline import Pipeline

NIGHT_YAML = Path(__file__).parents[3] / "pipelines" / "latiss" / "night.yaml"


@dataclass(frozen=True)
class Handle:
    """What a task gets for a deferred input."""

    load: Callable[[], Any]
    data_id: dict[str, Any]

    def get(self, component: str | None = None, parameters: dict[str, Any] | None = None) -> Any:
        assert component is None
        assert parameters is None
        return self.load()


@dataclass(frozen=True)
class Calibrations:
    """The calibrations of a night."""

    bias: Exposure
    dark: Exposure
    #: By band.
    flats: dict[str, Exposure]
    #: The tasks that made them, by dataset type and band, for their metadata.
    tasks: dict[str, Any]


@dataclass(frozen=True)
class ReducedVisit:
    """One science exposure: what the tasks made of it, and what it was made from."""

    plan: PlannedExposure
    post_isr: Exposure
    calexp: Exposure
    background: Exposure
    sources: Table
    calibrated: Table
    calibration: dict[str, Any]
    truth: Table
    cosmic_rays: Table
    conditions: fits.Header


@dataclass(frozen=True)
class ReducedNight:
    """A night and everything made of it."""

    report: NightReport
    calibrations: Calibrations
    visits: list[ReducedVisit]


def read_raw(path: Path, instrument: str = "LATISS") -> RawExposure:
    raw = RawFormatter().read(
        ReadRequest(
            path=str(path),
            storage_class=StorageClassRegistry.default().get("Exposure"),
            data_id={"instrument": instrument, "detector": 0},
        )
    )
    assert isinstance(raw, RawExposure)
    return raw


def raw_handles(
    report: NightReport, image_type: ImageType, band: str | None = None
) -> list[Handle]:
    chosen = [
        plan
        for plan in report.exposures
        if plan.image_type is image_type and band in {None, plan.band}
    ]
    return [
        Handle(
            partial(read_raw, raw_path(report.folder, plan)),
            {"instrument": "LATISS", "exposure": plan.exposure_id, "detector": 0},
        )
        for plan in chosen
    ]


def configured(label: str, config: Any) -> Any:
    """Return a configuration as the pipeline of the night has it."""
    pipeline = Pipeline.from_file(NIGHT_YAML)
    apply_overrides(config, pipeline.config_overrides(label), label=label)
    return config


def reference_handles(report: NightReport) -> list[Handle]:
    shards = sorted((report.folder / "refcats" / "gaia_dr2_20191105").glob("*.fits"))
    return [Handle(partial(Table.read, path), {"htm7": int(path.stem)}) for path in shards]


def make_calibrations(report: NightReport) -> Calibrations:
    bias_task, dark_task = CombineBiasTask(), CombineDarkTask()
    bias = bias_task.run(raws=raw_handles(report, ImageType.BIAS)).combined
    dark = dark_task.run(raws=raw_handles(report, ImageType.DARK), bias=bias).combined
    tasks: dict[str, Any] = {"bias": bias_task, "dark": dark_task}
    flats = {}
    for band in "gr":
        tasks[f"flat_{band}"] = CombineFlatTask()
        raws = raw_handles(report, ImageType.FLAT, band)
        flats[band] = tasks[f"flat_{band}"].run(raws=raws, bias=bias, dark=dark).combined
    return Calibrations(bias, dark, flats, tasks)


def reduce_visit(
    report: NightReport, plan: PlannedExposure, calibrations: Calibrations
) -> ReducedVisit:
    isr = IsrTask(config=configured("isr", IsrConfig()))
    post_isr = isr.run(
        raw=read_raw(raw_path(report.folder, plan)),
        bias=calibrations.bias,
        dark=calibrations.dark,
        flat=calibrations.flats[plan.band],
    ).exposure
    measured = MeasureTask(config=configured("measure", MeasureConfig())).run(exposures=[post_isr])
    result = CalibrateTask().run(
        sources=measured.sources,
        wcs=measured.calexp.wcs,
        visit_info=visit_info(measured.calexp.meta),
        filter_label=filter_label(measured.calexp.meta),
        reference=reference_handles(report),
    )
    path = truth_path(report.folder, plan)
    return ReducedVisit(
        plan=plan,
        post_isr=post_isr,
        calexp=measured.calexp,
        background=measured.background,
        sources=measured.sources,
        calibrated=result.calibrated,
        calibration=result.calibration,
        truth=Table.read(path, hdu="STARS"),
        cosmic_rays=Table.read(path, hdu="COSMIC_RAYS"),
        conditions=fits.getheader(path),
    )


def reduce_night(folder: Path, settings: NightSettings) -> ReducedNight:
    report = write_night(folder, settings)
    calibrations = make_calibrations(report)
    science = [plan for plan in report.exposures if plan.image_type is ImageType.SCIENCE]
    visits = [reduce_visit(report, plan, calibrations) for plan in science]
    return ReducedNight(report, calibrations, visits)


@pytest.fixture(scope="session")
def reduced_night(tmp_path_factory: pytest.TempPathFactory) -> ReducedNight:
    return reduce_night(tmp_path_factory.mktemp("night"), NightSettings())
