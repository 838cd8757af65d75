"""What else the reduced night must be: calibrations, noise, masks, zero points, positions."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from astropy.wcs import WCS

from butler_core.datasets.storage_class import StorageClassRegistry
from butler_core.formatters.formatter import ReadRequest
from butler_core.formatters.formatter_table import FormatterTable
from pipelines.simulated_night.exposure import set_stage
from pipelines.simulated_night.night_plan import NightSettings
from pipelines.tasks.visit_summary import SUMMARY_COLUMNS, VisitSummaryTask

from .conftest import Handle, ReducedNight


def test_bias_has_the_structure_and_its_error(reduced_night: ReducedNight) -> None:
    sensor, bias = set_stage(NightSettings()).sensor, reduced_night.calibrations.bias
    first = sensor.window.amplifiers[0]
    rows, columns = slice(None, None, -1), slice(None, None, -1)
    true = sensor.bias_structure[0][rows, columns]

    pull = (bias.data[first.box.slices] - true) / np.sqrt(bias.variance[first.box.slices])

    assert bias.unit == "adu"
    assert abs(np.median(pull)) < 0.1
    assert 0.9 < np.std(pull) < 1.1


def test_dark_masks_the_hot_pixels_and_no_others(reduced_night: ReducedNight) -> None:
    sensor, dark = set_stage(NightSettings()).sensor, reduced_night.calibrations.dark
    hot = {(d.x0, d.y0) for d in sensor.defects if d.kind == "hot pixel"}

    rows, columns = np.nonzero(dark.is_masked("BAD"))

    assert set(zip(columns.tolist(), rows.tolist(), strict=True)) == hot
    assert reduced_night.calibrations.tasks["dark"].metadata["rejected_fraction"] < 1e-3


@pytest.mark.parametrize("band", ["g", "r"])
def test_flat_is_the_response_over_its_median(reduced_night: ReducedNight, band: str) -> None:
    sensor, flat = set_stage(NightSettings()).sensor, reduced_night.calibrations.flats[band]
    true = sensor.response[band] / np.median(sensor.response[band])
    good = ~flat.is_masked("BAD")

    pull = ((flat.data - true) / np.sqrt(flat.variance))[good]

    assert np.median(flat.data) == pytest.approx(1.0, abs=1e-4)
    assert abs(np.median(pull)) < 0.05
    assert 0.95 < np.std(pull) < 1.05
    column = next(d for d in sensor.defects if d.kind == "dead column")
    assert flat.is_masked("BAD")[column.y0 : column.y0 + column.height, column.x0].all()


def test_calibrations_note_how_they_were_made(reduced_night: ReducedNight) -> None:
    for name, task in reduced_night.calibrations.tasks.items():
        notes = task.metadata

        assert notes["n_combined"] == 5, name
        assert {"level", "scatter", "noise", "rejected_fraction", "bad_fraction"} <= set(notes)


def test_variance_plane_is_the_scatter_of_the_sky(reduced_night: ReducedNight) -> None:
    for visit in reduced_night.visits:
        calexp = visit.calexp
        is_sky = ~calexp.is_masked()
        pull = calexp.data[is_sky] / np.sqrt(np.median(calexp.variance[is_sky]))

        assert 0.97 < np.std(pull) < 1.03
        assert calexp.unit == "electron"


def test_sky_is_recovered(reduced_night: ReducedNight) -> None:
    response = set_stage(NightSettings()).sensor.response
    for visit in reduced_night.visits:
        true = visit.conditions["SKYRATE"] * 30.0 * np.median(response[visit.plan.band])

        # An electron in a hundred is what undetected stars and wings may add.
        assert np.median(visit.background.data) == pytest.approx(true, rel=0.01)


def test_cosmic_rays_are_found_and_stars_are_not(reduced_night: ReducedNight) -> None:
    n_hit, n_found, n_false = 0, 0, 0
    for visit in reduced_night.visits:
        strong = visit.cosmic_rays[np.asarray(visit.cosmic_rays["electrons"]) > 200.0]
        flagged = visit.post_isr.is_masked("CR", "SAT", "BAD")
        n_hit += len(strong)
        n_found += int(flagged[strong["y"], strong["x"]].sum())
        true = np.zeros(flagged.shape, dtype=bool)
        for step_y in (-1, 0, 1):
            for step_x in (-1, 0, 1):
                rows = np.clip(visit.cosmic_rays["y"] + step_y, 0, true.shape[0] - 1)
                columns = np.clip(visit.cosmic_rays["x"] + step_x, 0, true.shape[1] - 1)
                true[rows, columns] = True
        n_false += int((visit.post_isr.is_masked("CR") & ~true).sum())

    assert n_found / n_hit > 0.9, f"{n_found} of {n_hit}"
    assert n_false < 20 * len(reduced_night.visits), n_false


def test_saturated_stars_are_flagged(reduced_night: ReducedNight) -> None:
    for visit in reduced_night.visits:
        truth = visit.truth[np.asarray(visit.truth["saturated"])]
        rows, columns = (np.rint(np.asarray(truth[name])).astype(int) for name in ("y", "x"))

        assert visit.post_isr.is_masked("SAT")[rows, columns].all()


def test_seeing_is_recovered(reduced_night: ReducedNight) -> None:
    for visit in reduced_night.visits:
        seeing = visit.calibration["seeing_arcsec"]

        assert seeing == pytest.approx(visit.conditions["SEEING"], rel=0.005)
        assert visit.calexp.psf["profile"] == "moffat"


def test_zero_points_agree_with_the_truth(reduced_night: ReducedNight) -> None:
    response = set_stage(NightSettings()).sensor.response
    pulls = []
    for visit in reduced_night.visits:
        # The flat's median is 1: an electron of it is one of the median response.
        flat_mag = -2.5 * np.log10(np.median(response[visit.plan.band]))
        expected = visit.conditions["ZEROPT"] - flat_mag
        pulls.append(
            (visit.calibration["zero_point"] - expected) / visit.calibration["zero_point_err"]
        )

    # The exposures share the reference's errors, so that the pulls have a common part.
    assert np.abs(pulls).max() < 3.5, pulls
    assert abs(np.mean(pulls)) < 2.0, pulls


def test_positions_agree_with_the_truth(reduced_night: ReducedNight) -> None:
    for visit in reduced_night.visits:
        wcs = WCS(visit.calibration["wcs"])
        truth = visit.truth
        ra, dec = wcs.all_pix2world(truth["x"], truth["y"], 0)
        east = (ra - truth["ra"]) * np.cos(np.radians(truth["dec"])) * 3600.0
        north = (dec - truth["dec"]) * 3600.0

        assert np.hypot(east, north).max() < 0.01
        astrometry = visit.calibration["astrometry"]
        assert astrometry["n_stars"] > 100
        assert 0.8 < astrometry["pull_scatter"] < 1.3
        assert visit.calibration["astrometric_rms_arcsec"] < 0.02


def test_position_errors_are_right(reduced_night: ReducedNight) -> None:
    pulls = []
    for visit in reduced_night.visits:
        sources = visit.sources[~np.asarray(visit.sources["flag"])]
        for axis in ("x", "y"):
            distance = np.abs(np.subtract.outer(sources["x"], visit.truth["x"]))
            distance = np.hypot(distance, np.subtract.outer(sources["y"], visit.truth["y"]))
            nearest = distance.argmin(axis=1)
            is_same = distance.min(axis=1) < 3.0
            difference = np.asarray(sources[axis]) - np.asarray(visit.truth[axis])[nearest]
            pulls.append((difference / np.asarray(sources[f"{axis}_err"]))[is_same])
    pull = np.concatenate(pulls)

    assert abs(np.median(pull)) < 0.05
    assert 0.8 < 1.4826 * np.median(np.abs(pull)) < 1.3


def test_catalogues_have_units_and_matched_ids(reduced_night: ReducedNight) -> None:
    for visit in reduced_night.visits:
        calibrated = visit.calibrated

        assert str(calibrated["psf_flux_njy"].unit) == "nJy"
        assert str(visit.sources["psf_flux"].unit) == "electron"
        assert (np.asarray(calibrated["reference_id"]) > 0).sum() > 100
        assert calibrated.meta["psf_fwhm_pix"] == visit.sources.meta["psf_fwhm_pix"]


def test_outputs_survive_their_files(reduced_night: ReducedNight, tmp_path: Path) -> None:
    visit = reduced_night.visits[0]

    for name, storage, dataset in (
        ("dark", "ExposureF", reduced_night.calibrations.dark),
        ("flat", "ExposureF", reduced_night.calibrations.flats["g"]),
        ("calexp", "ExposureF", visit.calexp),
    ):
        back = through_file(name, storage, dataset, tmp_path)
        assert back.unit == dataset.unit
        assert back.bbox == dataset.bbox
        np.testing.assert_array_equal(back.data, dataset.data)
        np.testing.assert_array_equal(back.variance, dataset.variance)
        np.testing.assert_array_equal(back.mask, dataset.mask)
    assert back.psf == visit.calexp.psf
    dark = through_file("dark", "ExposureF", reduced_night.calibrations.dark, tmp_path)
    assert dark.meta["BIASCRC"] == reduced_night.calibrations.dark.meta["BIASCRC"]


def test_catalogues_and_calibration_survive_their_files(
    reduced_night: ReducedNight, tmp_path: Path
) -> None:
    visit = reduced_night.visits[0]

    back = through_file("src", "ArrowAstropy", visit.sources, tmp_path)
    calibration = through_file(
        "visit_detector_calibration", "StructuredDataDict", visit.calibration, tmp_path
    )

    assert back.colnames == visit.sources.colnames
    assert back.meta["psf_fwhm_pix"] == visit.sources.meta["psf_fwhm_pix"]
    assert str(back["psf_flux"].unit) == "electron"
    assert calibration == visit.calibration


def through_file(name: str, storage: str, dataset: Any, folder: Path) -> Any:
    """Write a dataset as the butler would, and read it back."""
    storage_class = StorageClassRegistry.default().get(storage)
    formatter = FormatterTable().for_writing(name, storage_class)
    path = folder / f"{name}{formatter.extension}"
    formatter.write(dataset, path)
    return formatter.read(ReadRequest(path=str(path), storage_class=storage_class))


def test_visit_summary_has_a_row_a_detector(reduced_night: ReducedNight) -> None:
    first, second = (visit.calibration for visit in reduced_night.visits[:2])
    handles = [
        Handle(lambda: second, {"detector": 1}),
        Handle(lambda: first, {"detector": 0}),
    ]

    summary = VisitSummaryTask().run(calibrations=handles).summary

    assert list(summary["detector"]) == [0, 1]
    assert list(summary["zero_point"]) == [first["zero_point"], second["zero_point"]]
    assert set(SUMMARY_COLUMNS) < set(summary.colnames)
