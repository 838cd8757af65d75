"""Tests of files taken in by a table of them."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from pathlib import Path

import pytest
from astropy.table import Table
from click.testing import Result

from butler_core.butler.butler import Butler

Run = Callable[..., Result]


@pytest.fixture
def biases(tmp_path: Path) -> Path:
    """Return a folder with two files and tables of them, by absolute path and by name."""
    folder = tmp_path / "files"
    folder.mkdir()
    for detector in (0, 1):
        (folder / f"b{detector}.yaml").write_text("{a: 1}\n")
    rows = {"filename": [str(folder / "b0.yaml"), str(folder / "b1.yaml")], "detector": [0, 1]}
    Table({**rows, "instrument": ["Cam", "Cam"]}).write(folder / "full.ecsv")
    Table({"filename": ["b0.yaml", "b1.yaml"], "detector": [0, 1]}).write(folder / "names.csv")
    return folder


def found(repo: Path, run: str) -> list[tuple[object, uuid.UUID]]:
    with Butler(repo) as butler:
        return [(ref.data_id["detector"], ref.id) for ref in butler.query_datasets("bias", run)]


def test_files_stay_in_place_with_direct(repo: Path, run: Run, biases: Path) -> None:
    result = run("ingest-files", "-t", "direct", repo, "bias", "calib/new", biases / "full.ecsv")

    assert result.exit_code == 0, result.stderr
    assert [detector for detector, _ in found(repo, "calib/new")] == [0, 1]
    with Butler(repo) as butler:
        assert butler.get("bias", instrument="Cam", detector=1, collections="calib/new") == {"a": 1}
        uri = butler.get_uri("bias", instrument="Cam", detector=1, collections="calib/new")
    assert uri == (biases / "b1.yaml").as_uri()


def test_prefix_and_fixed_values_fill_what_the_table_leaves_out(
    repo: Path, run: Run, biases: Path
) -> None:
    result = run(
        "ingest-files", repo, "bias", "calib/new", biases / "names.csv",
        "--prefix", biases, "--data-id", "instrument=Cam", "-t", "copy",
    )  # fmt: skip

    assert result.exit_code == 0, result.stderr
    assert len(list((repo / "calib/new").rglob("*.yaml"))) == 2


def test_ids_can_be_the_same_in_every_repository(repo: Path, run: Run, biases: Path) -> None:
    table = biases / "full.ecsv"
    for target in ("calib/a", "calib/b"):
        run(
            "ingest-files",
            repo,
            "bias",
            target,
            table,
            "--id-generation-mode",
            "DATAID_TYPE_RUN",
            "-t",
            "copy",
        )

    ids = {run_name: [i for _, i in found(repo, run_name)] for run_name in ("calib/a", "calib/b")}
    assert all(i.version == 5 for values in ids.values() for i in values)
    assert ids["calib/a"] != ids["calib/b"]


def test_all_faults_are_listed_and_nothing_is_ingested(
    repo: Path, run: Run, biases: Path, tmp_path: Path
) -> None:
    table = tmp_path / "bad.csv"
    table.write_text(
        f"file,instrument,detector\n{biases}/b0.yaml,Cam,0\n{biases}/b8.yaml,Cam,x\n{biases}/b9.yaml,Cam,1\n"
    )

    result = run("ingest-files", repo, "bias", "calib/new", table)

    assert result.exit_code == 1
    assert "row 2: detector must be a whole number, not 'x'" in result.stderr
    assert f"there is no file '{biases}/b8.yaml'" in result.stderr
    assert f"there is no file '{biases}/b9.yaml'" in result.stderr
    with Butler(repo) as butler:
        assert not butler.collections.exists("calib/new")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("file,detector\nb0.yaml,0\n", "has no column 'instrument'"),
        ("file,instrument,detectr\nb0.yaml,Cam,0\n", "Did you mean 'detector'?"),
        ("file,instrument,detector\n", "has no rows"),
    ],
)
def test_tables_that_cannot_be_are_refused(
    repo: Path, run: Run, tmp_path: Path, content: str, message: str
) -> None:
    table = tmp_path / "bad.csv"
    table.write_text(content)

    result = run("ingest-files", repo, "bias", "calib/new", table)

    assert result.exit_code == 1
    assert message in result.stderr


def test_second_ingest_into_the_same_run_is_refused_whole(
    repo: Path, run: Run, biases: Path
) -> None:
    run("ingest-files", repo, "bias", "calib/new", biases / "full.ecsv", "-t", "copy")
    before = found(repo, "calib/new")

    result = run("ingest-files", repo, "bias", "calib/new", biases / "full.ecsv", "-t", "copy")

    assert result.exit_code == 1
    assert "run 'calib/new' holds 'bias' for" in result.stderr
    assert found(repo, "calib/new") == before
    assert len(list((repo / "calib/new").rglob("*.yaml"))) == 2
