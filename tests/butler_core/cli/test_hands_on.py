"""The commands of the hands-on session "How to use the gen3 butler", one after the other.

A small simulated night of LATISS stands for the raw files, calibrations exported from a second
repository for those of the session, and real shards of Gaia's catalogue for the reference stars.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from astropy.table import Table
from click.testing import CliRunner, Result

from butler_core.butler.butler import Butler
from butler_core.cli.butler_program import butler as program
from pipelines.simulated_night.night import write_night
from pipelines.simulated_night.night_plan import NightSettings

CATALOGUE = "gaia_dr2_20191105"
DAY = "raw/2021-07-07"


def call(*args: object) -> Result:
    return CliRunner().invoke(program, [str(arg) for arg in args], prog_name="butler")


def done(*args: object) -> str:
    result = call(*args)
    assert result.exit_code == 0, result.stderr
    return result.stdout


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory, test_data: Path) -> dict[str, Path]:
    """Run the session and return the places of it."""
    folder = tmp_path_factory.mktemp("hands_on")
    repo, calib = folder / "gen3-demo-1", folder / "import-calibs"
    write_night(folder / "night", NightSettings(n_science=2, n_calibrations=1, n_rows=32))
    _export_calibrations(folder / "elsewhere", calib)
    table = folder / f"{CATALOGUE}.ecsv"
    shards = sorted((test_data / "refcats/gaia_dr2_20200414").glob("*.fits"))
    Table({"filename": [str(f) for f in shards], "htm7": [int(f.stem) for f in shards]}).write(
        table
    )

    done("create", repo)
    done("register-instrument", repo, "lsst.obs.lsst.Latiss")
    science = sorted((folder / "night" / DAY).glob("20210707003*"))
    done("ingest-raws", "--transfer", "symlink", "-j", "8", repo, *science)
    done(
        "import", "--transfer", "copy", "--export-file", calib / "export.yaml", repo, calib,
        "-s", "instrument", "-s", "detector", "-s", "physical_filter",
    )  # fmt: skip
    done("register-dataset-type", repo, CATALOGUE, "SimpleCatalog", "htm7")
    done("ingest-files", "-t", "direct", repo, CATALOGUE, "refcats", table)
    return {"repo": repo, "night": folder / "night", "shard": shards[0]}


def _export_calibrations(repo: Path, folder: Path) -> None:
    done("create", repo)
    done("register-instrument", repo, "LATISS")
    done("write-curated-calibrations", repo, "LATISS", "--label", "DM-28636")
    done("collection-chain", repo, "LATISS/calib", "LATISS/calib/DM-28636")
    done("export-calibs", repo, folder, "LATISS/calib", "-t", "copy")


def test_create_makes_the_two_files_of_the_session(session: dict[str, Path]) -> None:
    names = {path.name for path in session["repo"].iterdir() if path.is_file()}

    assert names - {"gen3.sqlite3-wal", "gen3.sqlite3-shm"} == {"butler.yaml", "gen3.sqlite3"}


def test_raws_are_links_below_latiss_raw(session: dict[str, Path]) -> None:
    links = list((session["repo"] / "LATISS/raw").rglob("*.fits"))

    assert len(links) == 2
    assert all(
        path.is_symlink() and path.resolve().is_relative_to(session["night"]) for path in links
    )


def test_collections_are_shown_as_a_tree(session: dict[str, Path]) -> None:
    text = done("query-collections", session["repo"], "LATISS/*", "--chains=TREE")

    assert [line.split() for line in text.splitlines() if not line.startswith("-")] == [
        ["Name", "Type"],
        ["LATISS/calib", "CHAINED"],
        ["LATISS/calib/DM-28636", "CALIBRATION"],
        ["LATISS/calib/DM-28636", "CALIBRATION"],
        ["LATISS/calib/DM-28636/curated/19700101T000000Z", "RUN"],
        ["LATISS/calib/DM-28636/unbounded", "RUN"],
        ["LATISS/raw/all", "RUN"],
    ]
    assert "\n  LATISS/calib/DM-28636 " in text


def test_reference_catalogue_is_read_where_it_lies(session: dict[str, Path]) -> None:
    text = done("query-datasets", session["repo"], CATALOGUE, "--show-uri", "--format", "json")

    rows = json.loads(text)
    assert [row["htm7"] for row in rows] == [189584, 189648]
    assert rows[0]["URI"] == session["shard"].as_uri()
    with Butler(session["repo"]) as butler:
        stars = butler.get(CATALOGUE, htm7=189584, collections="refcats")
    assert len(stars) == 2762


def test_visits_are_defined_once(session: dict[str, Path]) -> None:
    first = done("define-visits", session["repo"], "LATISS")
    second = done("define-visits", session["repo"], "LATISS")

    assert first.startswith("Defined 2 visits (2 new, 0 unchanged) from 2 exposures")
    assert second.startswith("Defined 2 visits (0 new, 2 unchanged) from 2 exposures")
    where = "instrument='LATISS' AND visit.day_obs=20210707"
    text = done("query-data-ids", session["repo"], "visit", "--where", where, "--format", "json")
    assert [row["visit"] for row in json.loads(text)] == [2021070700300, 2021070700301]


def test_ingesting_again_fails_unless_existing_raws_are_passed_over(
    session: dict[str, Path],
) -> None:
    files = sorted((session["night"] / DAY).glob("20210707003*"))

    refused = call("ingest-raws", session["repo"], "-t", "symlink", *files)
    passed = done("ingest-raws", session["repo"], "-t", "symlink", "--skip-existing", *files)

    assert refused.exit_code == 1
    assert "Error: 2 of 2 files were not ingested:" in refused.stderr
    assert passed.endswith("2 were there already.\n")


def test_raws_can_be_read_with_values_that_follow(session: dict[str, Path]) -> None:
    with Butler(session["repo"], collections="LATISS/raw/all") as butler:
        raw = butler.get("raw", instrument="LATISS", exposure=2021070700300, detector=0)

    assert raw.shape[0] > 0


def test_sky_maps_can_be_registered(session: dict[str, Path]) -> None:
    settings = ["raList=[150.0]", "decList=[2.0]", "radiusList=[0.2]", "pixelScale=0.5"]
    config = [f'skyMap["discrete"].{setting}' for setting in settings]
    options = ["name=small", 'skyMap.name="discrete"', *config]

    text = done("register-skymap", session["repo"], *(x for o in options for x in ("-c", o)))

    assert text.startswith("Registered small with 1 tracts")


def test_broken_files_are_listed_and_keep_no_other_out(
    tmp_path: Path, session: dict[str, Path]
) -> None:
    repo = tmp_path / "repo"
    good = next((session["night"] / DAY).glob("20210707003*"))
    (tmp_path / "broken.fits").write_bytes(b"no FITS at all")
    done("create", repo)
    done("register-instrument", repo, "LATISS")

    result = call("ingest-raws", repo, tmp_path / "broken.fits", good, "-t", "direct")

    assert result.exit_code == 1
    assert "Ingested 1 files of 1 exposures" in result.stdout
    assert "1 of 2 files were not ingested:" in result.stderr
    assert "broken.fits" in result.stderr
