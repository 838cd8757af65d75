from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from astropy.table import Table
from click.testing import CliRunner, Result

from butler_core import Butler, CollectionType, DatasetType
from butler_core.formatters.exposure import Exposure
from butler_core.instruments import register_instrument
from butler_core.raw_ingest import RawIngestRequest, ingest_raws
from butler_core.visits import define_visits
from pipelines.night_picture import flux_pulls
from pipelines.night_report import main
from pipelines.simulated_night import NightSettings, write_night

FRAME = ("instrument", "visit", "detector")
SHAPE = (32, 4072)
SEEING_BY_VISIT = {2021070700300: 0.8, 2021070700301: 0.7, 2021070700302: 0.9}


def catalogue(seed: int) -> Table:
    random = np.random.default_rng(seed)
    flux = np.geomspace(1e3, 1e5, 40)
    error = 0.01 * flux
    return Table(
        {
            "x": np.linspace(10.0, 4000.0, 40),
            "y": np.full(40, 16.0),
            "flag": np.arange(40) % 10 == 0,
            "snr": np.full(40, 100.0),
            "reference_id": np.arange(40),
            "psf_flux_njy": flux + error * random.normal(size=40),
            "psf_flux_err_njy": error,
        }
    )


def summary(visit: int) -> Table:
    return Table(
        {
            "detector": [0],
            "band": ["gr"[visit % 2]],
            "seeing_arcsec": [SEEING_BY_VISIT[visit]],
            "zero_point": [24.77],
            "zero_point_err": [0.0012],
            "sky_electrons_per_s": [0.5],
            "n_sources": [40],
            "astrometric_rms_arcsec": [0.0101],
        }
    )


def put_results(butler: Butler) -> None:
    types = {
        "visitSummary": (("instrument", "visit"), "ArrowAstropy"),
        "calexp": (FRAME, "ExposureF"),
        "src": (FRAME, "ArrowAstropy"),
        "calibratedSrc": (FRAME, "ArrowAstropy"),
        "measure_metadata": (FRAME, "TaskMetadata"),
        "measure_log": (FRAME, "ButlerLogRecords"),
    }
    for name, (dimensions, storage_class) in types.items():
        butler.register_dataset_type(
            DatasetType.of(name, dimensions, storage_class, universe=butler.dimensions)
        )
    for visit in SEEING_BY_VISIT:
        data_id = {"instrument": "LATISS", "visit": visit, "detector": 0}
        pixels = np.random.default_rng(visit).normal(size=SHAPE).astype(np.float32)
        butler.put(summary(visit), "visitSummary", {"instrument": "LATISS", "visit": visit})
        butler.put(Exposure(pixels, unit="electron"), "calexp", data_id)
        butler.put(catalogue(visit), "src", data_id)
        butler.put(catalogue(visit), "calibratedSrc", data_id)
        butler.put([], "measure_log", data_id)
        if visit % 2 == 0:
            butler.put({"n": 1}, "measure_metadata", data_id)


@pytest.fixture(scope="module")
def reduced(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository in which three visits were reduced, not by tasks; nobody changes it."""
    folder = tmp_path_factory.mktemp("report")
    write_night(folder / "night", NightSettings(n_science=3, n_calibrations=1, n_rows=SHAPE[0]))
    Butler.create(folder / "repo").close()
    with Butler(folder / "repo", run="u/me/run", writeable=True) as butler:
        register_instrument(butler, "LATISS")
        ingest_raws(butler, RawIngestRequest([folder / "night" / "raw"]))
        define_visits(butler, "LATISS")
        put_results(butler)
        butler.collections.register("u/me", CollectionType.CHAINED)
        butler.collections.redefine_chain("u/me", ["u/me/run", "LATISS/raw/all"])
    return folder / "repo"


def report(*args: Any) -> Result:
    return CliRunner().invoke(main, [str(arg) for arg in args])


def test_each_visit_has_a_line_with_its_measures(reduced: Path) -> None:
    lines = report(reduced, "u/me").output.splitlines()

    assert lines[-3].split() == [
        *("2021070700300", "g", "0.800", "24.7700", "±", "0.0012", "0.500", "40", "0.0101")
    ]
    assert [line.split()[0] for line in lines[-3:]] == [str(visit) for visit in SEEING_BY_VISIT]


def test_log_without_metadata_is_a_failure(reduced: Path) -> None:
    first = report(reduced, "u/me").output.splitlines()[2]

    assert first.split() == ["measure", "3", "2", "1"]


def test_picture_shows_the_visit_with_the_best_seeing(reduced: Path, tmp_path: Path) -> None:
    result = report(reduced, "u/me", "--picture", tmp_path / "a" / "night.png", "--dpi", 50)

    assert result.exit_code == 0, result.output
    assert "shows visit 2021070700301" in result.output
    assert (tmp_path / "a" / "night.png").read_bytes().startswith(b"\x89PNG")


def test_same_night_gives_the_same_picture(reduced: Path, tmp_path: Path) -> None:
    paths = [tmp_path / name for name in ("one.png", "two.png")]

    for path in paths:
        report(reduced, "u/me", "--picture", path, "--dpi", 30, "--visit", 2021070700302)

    assert paths[0].read_bytes() == paths[1].read_bytes()


@pytest.mark.parametrize(
    ("collection", "options", "message"),
    [
        ("LATISS/raw/all", (), "no 'visitSummary' in 'LATISS/raw/all'"),
        ("nowhere", (), "no collection 'nowhere'"),
        ("u/me", ("--visit", "5"), "no summary of visit 5; there are those of 2021070700300"),
        ("u/me/run", (), "no 'raw' for"),
    ],
)
def test_what_cannot_be_reported_says_why(
    reduced: Path, tmp_path: Path, collection: str, options: tuple[str, ...], message: str
) -> None:
    result = report(reduced, collection, "--picture", tmp_path / "night.png", *options)

    assert result.exit_code == 1
    assert message in result.output


def test_picture_that_cannot_be_written_says_why(reduced: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    result = report(reduced, "u/me", "--picture", tmp_path / "file" / "night.png")

    assert result.exit_code == 1
    assert "night.png" in result.output


def test_pulls_of_right_errors_are_normal() -> None:
    catalogues = [catalogue(seed) for seed in range(200)]

    pulls = flux_pulls(catalogues)

    assert pulls.size == 200 * 36  # reference 0 is no match, and every tenth is flagged
    assert pulls.std() == pytest.approx(1.0, abs=0.03)
    assert pulls.mean() == pytest.approx(0.0, abs=0.03)


def test_stars_seen_once_have_no_pull() -> None:
    assert flux_pulls([catalogue(1)]).size == 0
