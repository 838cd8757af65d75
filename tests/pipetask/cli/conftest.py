"""A small repository, made once and copied for each test, and ways to run the program."""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from butler_core import Butler, CollectionType, DatasetType
from butler_core.cli.butler_program import butler as butler_program
from butler_core.timespan import Timespan, iso_to_ns
from pipetask.cli.pipetask_program import pipetask as program
from tests.pipetask.cli.chain_steps import CHAIN, well

IMPORTABLE = Path(__file__).parent / "importable"

PIPELINE = """\
description: A little pipeline
instrument: Cam
tasks:
  measure: toy_tasks.MeasureTask
  merge: {class: toy_tasks.MergeTask, config: {scale: 2}}
subsets:
  first: {subset: [measure], description: One frame at a time}
"""

Run = Callable[..., Result]


@pytest.fixture(scope="session", autouse=True)
def _tasks_on_path() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(IMPORTABLE))
        before = os.environ.get("PYTHONPATH")
        patch.setenv("PYTHONPATH", os.pathsep.join(filter(None, (str(IMPORTABLE), before))))
        yield


def _insert_records(butler: Butler) -> None:
    camera = {"name": "Cam", "visit_max": 99, "exposure_max": 99, "detector_max": 9}
    butler.insert_dimension_data("instrument", {**camera, "class_name": "no.such.Camera"})
    butler.insert_dimension_data(
        "physical_filter", {"instrument": "Cam", "name": "Cam-G", "band": "g"}
    )
    butler.insert_dimension_data(
        "detector",
        *(
            {"instrument": "Cam", "id": i, "full_name": f"D{i}", "purpose": "SCIENCE"}
            for i in (0, 1)
        ),
    )
    day = Timespan(iso_to_ns("2021-07-07T12:00:00"), iso_to_ns("2021-07-08T12:00:00"))
    butler.insert_dimension_data("day_obs", {"instrument": "Cam", "id": 20210707, "timespan": day})
    butler.insert_dimension_data("group", {"instrument": "Cam", "name": "g1"})
    shared = {"instrument": "Cam", "physical_filter": "Cam-G", "group": "g1", "day_obs": 20210707}
    butler.insert_dimension_data(
        "exposure",
        *(
            {**shared, "id": i, "obs_id": f"o{i}", "seq_num": i, "observation_type": "science",
             "exposure_time": 30.0, "timespan": Timespan(day.begin_ns + i, day.begin_ns + i + 1)}
            for i in (1, 2, 3)
        ),
    )  # fmt: skip


def _put_datasets(butler: Butler) -> None:
    frame, detector = ("instrument", "exposure", "detector"), ("instrument", "detector")
    types = [("raw", frame, False), ("bias", detector, True), ("frame", detector, False)]
    for name, dimensions, is_calibration in types:
        butler.register_dataset_type(
            DatasetType.of(
                name,
                dimensions,
                "StructuredDataDict",
                universe=butler.dimensions,
                is_calibration=is_calibration,
            )
        )
    for exposure in (1, 2):
        for number in (0, 1):
            butler.put(
                {"exposure": exposure, "counts": 10 * exposure + number},
                "raw", instrument="Cam", exposure=exposure, detector=number, run="Cam/raw/all",
            )  # fmt: skip
    butler.collections.register("empty", CollectionType.RUN)


@pytest.fixture(scope="session")
def pristine_repo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a repository that no test may change: frames of two exposures, and a third without."""
    root = tmp_path_factory.mktemp("pipetask-cli") / "repo"
    Butler.create(root).close()
    with Butler(root, writeable=True) as butler:
        with butler.transaction():
            _insert_records(butler)
        _put_datasets(butler)
    return root


@pytest.fixture
def repo(pristine_repo: Path, tmp_path: Path) -> Path:
    """Return a repository of the test's own."""
    root = tmp_path / "repo"
    shutil.copytree(pristine_repo, root)
    return root


@pytest.fixture
def pipeline(tmp_path: Path) -> Path:
    """Return the file of a pipeline of two tasks."""
    path = tmp_path / "little.yaml"
    path.write_text(PIPELINE)
    return path


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Run:
    """Return a function that runs ``pipetask`` with some arguments in this process."""
    monkeypatch.delenv("DAF_BUTLER_REPOSITORY_INDEX", raising=False)

    def invoke(*args: object, answer: str | None = None) -> Result:
        return CliRunner().invoke(
            program, [str(arg) for arg in args], input=answer, prog_name="pipetask"
        )

    return invoke


@pytest.fixture
def snapshot() -> Callable[[Path], tuple[list[str], list[str]]]:
    """Return a function that tells a repository's files and the content of its tables."""

    def take(repo: Path) -> tuple[list[str], list[str]]:
        files = [
            str(path)
            for path in sorted(repo.rglob("*"))
            if path.is_file() and not path.name.endswith(("-wal", "-shm"))
        ]
        with contextlib.closing(sqlite3.connect(repo / "gen3.sqlite3")) as connection:
            return files, list(connection.iterdump())

    return take


# ------------------------------------------------------------ the chain of tasks
@pytest.fixture
def chain_pipeline(tmp_path: Path) -> Path:
    """Return the file of a pipeline of three tasks that follow one another."""
    path = tmp_path / "chain.yaml"
    path.write_text(CHAIN)
    return path


@pytest.fixture
def chain(run: Run, repo: Path, chain_pipeline: Path) -> Run:
    """Return a function that runs this pipeline into a run of the chain ``out``."""

    def invoke(output_run: str, *args: object) -> Result:
        with Butler(repo) as butler:
            inputs = [] if butler.collections.exists("out") else ["-i", "Cam/raw/all"]
        common = ["-b", repo, "-p", chain_pipeline, "-o", "out", "--output-run", output_run]
        return run("run", *common, *inputs, "--register-dataset-types", *args)

    return invoke


@pytest.fixture(scope="session")
def _chain_repo(pristine_repo: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("chain")
    root, pipeline = folder / "repo", folder / "chain.yaml"
    shutil.copytree(pristine_repo, root)
    pipeline.write_text(CHAIN)
    collections = ["-i", "Cam/raw/all", "-o", "out", "--output-run", "out/1"]
    typed = ["run", "-b", root, "-p", pipeline, *collections, "--register-dataset-types"]
    result = CliRunner().invoke(program, [str(word) for word in typed])
    assert result.exit_code == 0, result.output
    return root


@pytest.fixture
def chain_done(repo: Path, _chain_repo: Path) -> None:
    """Have the pipeline run once, into ``out/1``."""
    shutil.rmtree(repo)
    shutil.copytree(_chain_repo, repo)


# ---------------------------------------------------------- without a registry
@pytest.fixture
def build(run: Run, repo: Path, pipeline: Path, tmp_path: Path) -> Callable[..., Path]:
    """Return a function that builds a graph: quanta 0 to 3 measure, 4 and 5 merge."""

    def make(*args: object, name: str = "files.qg") -> Path:
        file = tmp_path / name
        common = ["-i", "Cam/raw/all", "-o", "out", "--output-run", "out/1", "-q", file]
        result = run("qgraph", "-b", repo, "-p", pipeline, *common, *args)
        assert result.exit_code == 0, result.output
        return file

    return make


@pytest.fixture(scope="session")
def files_graph(pristine_repo: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a graph that says where its inputs are."""
    folder = tmp_path_factory.mktemp("files")
    (folder / "little.yaml").write_text(PIPELINE)
    typed = ["qgraph", "-b", pristine_repo, "-p", folder / "little.yaml", "-i", "Cam/raw/all"]
    typed += ["-o", "out", "--output-run", "out/1", "-q", folder / "files.qg"]
    words = [*map(str, typed), "--qgraph-datastore-records"]
    well(CliRunner().invoke(program, words))
    return folder / "files.qg"


@pytest.fixture
def transfer(repo: Path) -> Run:
    """Return a function that registers what a graph has made."""

    def invoke(file: Path, *args: str) -> Result:
        given = ["transfer-from-graph", str(file), str(repo), "--register-dataset-types", *args]
        return CliRunner().invoke(butler_program, given, prog_name="butler")

    return invoke
