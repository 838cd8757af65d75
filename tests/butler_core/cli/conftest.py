"""A small repository, made once and copied for each test, and ways to run the program."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from butler_core.butler.butler import Butler
from butler_core.cli.butler_program import butler as program
from butler_core.datasets.collection import CollectionType
from butler_core.datasets.dataset_type import DatasetType
from butler_core.timespan import Timespan, iso_to_ns

_TYPES = [
    ("raw", ["exposure", "detector"], False),
    ("bias", ["detector"], True),
    ("flat", ["detector", "physical_filter"], True),
    ("isr_config", [], False),
    ("isr_log", ["exposure", "detector"], False),
]


def _span(begin: str, end: str) -> Timespan:
    return Timespan(iso_to_ns(begin), iso_to_ns(end))


def _insert_records(butler: Butler) -> None:
    butler.insert_dimension_data(
        "instrument",
        {
            "name": "Cam",
            "visit_max": 10**7,
            "exposure_max": 10**7,
            "detector_max": 10,
            "visit_system": 0,
            "class_name": "x.y.Cam",
        },
    )
    filters = [{"instrument": "Cam", "name": f"Cam-{b.upper()}", "band": b} for b in "gr"]
    butler.insert_dimension_data("physical_filter", *filters)
    detectors = [
        {
            "instrument": "Cam",
            "id": i,
            "full_name": f"D{i}",
            "name_in_raft": f"S{i}",
            "raft": "R",
            "purpose": "SCIENCE",
        }
        for i in (0, 1)
    ]
    butler.insert_dimension_data("detector", *detectors)
    day = _span("2021-07-07T12:00:00", "2021-07-08T12:00:00")
    butler.insert_dimension_data("day_obs", {"instrument": "Cam", "id": 20210707, "timespan": day})
    butler.insert_dimension_data("group", {"instrument": "Cam", "name": "g1"})
    exposures = [
        {
            "instrument": "Cam",
            "id": i,
            "obs_id": f"o{i}",
            "physical_filter": "Cam-G",
            "group": "g1",
            "day_obs": 20210707,
            "seq_num": i,
            "exposure_time": 30.0,
            "timespan": _span("2021-07-08T01:00:00", "2021-07-08T01:00:30"),
        }
        for i in (1, 2)
    ]
    butler.insert_dimension_data("exposure", *exposures)


def _put_datasets(butler: Butler) -> None:
    for name, dimensions, is_calibration in _TYPES:
        butler.register_dataset_type(
            DatasetType.of(
                name,
                dimensions,
                "StructuredDataDict",
                universe=butler.dimensions,
                is_calibration=is_calibration,
            )
        )
    for detector in (0, 1):
        for exposure in (1, 2):
            data_id = {"instrument": "Cam", "exposure": exposure, "detector": detector}
            butler.put({"a": 1}, "raw", data_id, run="Cam/raw/all")
            butler.put({"a": 1}, "isr_log", data_id, run="u/me/run1")
        butler.put({"a": 1}, "bias", instrument="Cam", detector=detector, run="u/me/bias.1")
    butler.put({"a": 1}, "isr_config", run="u/me/run1")


def _chain_collections(butler: Butler) -> None:
    butler.collections.register("Cam/calib/1", CollectionType.CALIBRATION)
    butler.collections.register("tag", CollectionType.TAGGED)
    butler.collections.register("Cam/calib", CollectionType.CHAINED)
    butler.collections.register("Cam/defaults", CollectionType.CHAINED)
    butler.collections.redefine_chain("Cam/calib", ["Cam/calib/1"])
    butler.collections.redefine_chain("Cam/defaults", ["Cam/raw/all", "Cam/calib"])


@pytest.fixture(scope="session")
def pristine_repo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a repository that no test may change."""
    root = tmp_path_factory.mktemp("cli") / "repo"
    with Butler.create(root) as made:
        made.close()
    with Butler(root, writeable=True) as butler:
        with butler.transaction():
            _insert_records(butler)
        _put_datasets(butler)
        _chain_collections(butler)
    return root


@pytest.fixture
def repo(pristine_repo: Path, tmp_path: Path) -> Path:
    """Return a repository of the test's own."""
    root = tmp_path / "repo"
    shutil.copytree(pristine_repo, root)
    return root


Run = Callable[..., Result]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Run:
    """Return a function that runs ``butler`` with some arguments in this process."""
    monkeypatch.delenv("DAF_BUTLER_REPOSITORY_INDEX", raising=False)

    def invoke(*args: object, answer: str | None = None) -> Result:
        return CliRunner().invoke(
            program, [str(arg) for arg in args], input=answer, prog_name="butler"
        )

    return invoke
