"""Bad input of every kind: one clear message, an exit code, and nothing half-written."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from butler_core.cli.command_table import COMMANDS

Run = Callable[..., Result]

#: Arguments after REPO that would be good for each command.
REST = {
    "associate": ["tag"],
    "certify-calibrations": ["u/me/bias.1", "Cam/calib/1", "bias"],
    "check": [],
    "collection-chain": ["chain", "tag"],
    "config-dump": [],
    "define-visits": ["Cam"],
    "export-calibs": ["{tmp}/exported"],
    "import": ["{tmp}"],
    "ingest-files": ["bias", "run", "{tmp}/table.csv"],
    "ingest-raws": ["{tmp}"],
    "prune-datasets": ["u/me/run1", "--unstore"],
    "lineage": ["raw"],
    "migrate": [],
    "query-collections": [],
    "query-data-ids": ["exposure"],
    "query-dataset-types": [],
    "query-datasets": [],
    "query-dimension-records": ["exposure"],
    "register-dataset-type": ["new", "StructuredDataDict"],
    "register-instrument": ["LATISS"],
    "register-skymap": ["-C", "{tmp}/map.yaml"],
    "remove-collections": ["tag"],
    "remove-dataset-type": ["flat"],
    "remove-runs": ["u/me/run1"],
    "transfer-from-graph": ["{tmp}/graph.qg"],
    "write-curated-calibrations": ["Cam"],
}

#: Commands whose repository comes after their other arguments.
REPOSITORY_LAST = {"transfer-from-graph"}

#: What is typed (REPO for the repository), the exit code, and what the message must have.
BAD: list[tuple[str, int, list[str]]] = [
    # dataset types
    ("query-datasets REPO ra", 1, ["no dataset type 'ra'", "Did you mean 'raw'"]),
    ("query-data-ids REPO --datasets biass", 1, ["no dataset type 'biass'", "'bias'"]),
    ("query-data-ids REPO --datasets none*", 2, ["no dataset type matches 'none*'"]),
    ("associate REPO new -d biass", 1, ["no dataset type 'biass'", "'bias'"]),
    ("certify-calibrations REPO u/me/bias.1 Cam/calib/1 bia", 1, ["'bia'", "'bias'"]),
    (
        "certify-calibrations REPO Cam/raw/all Cam/calib/1 raw",
        1,
        ["not registered as a calibration"],
    ),
    (
        "certify-calibrations REPO Cam/raw/all Cam/calib/1 bias",
        1,
        ["no 'bias' to certify in 'Cam/raw/all'"],
    ),
    ("remove-dataset-type REPO fla", 1, ["no dataset type 'fla'", "'flat'"]),
    ("register-dataset-type REPO raw StructuredDataDict detector", 1, ["'raw' is registered as"]),
    ("register-dataset-type REPO new.wcs StructuredDataDict", 1, ["'new.wcs'"]),
    ("register-dataset-type REPO new-type StructuredDataDict", 1, ["cannot name a dataset type"]),
    (
        "register-dataset-type REPO new StructuredDataDic",
        1,
        ["'StructuredDataDic'", "Did you mean"],
    ),
    # collections
    ("query-collections REPO Cam/cali", 1, ["no collection 'Cam/cali'", "'Cam/calib'"]),
    ("query-datasets REPO raw --collections Cam/raw/al", 1, ["'Cam/raw/al'", "'Cam/raw/all'"]),
    ("collection-chain REPO new Cam/raw/al", 1, ["'Cam/raw/al'", "'Cam/raw/all'"]),
    ("collection-chain REPO absent tag --mode remove", 1, ["no collection 'absent'"]),
    ("collection-chain REPO Cam/defaults --mode pop 9", 2, ["2 children", "place 9"]),
    ("collection-chain REPO Cam/defaults --mode pop x", 2, ["places, whole numbers, not 'x'"]),
    ("collection-chain REPO Cam/defaults tag --mode remove --flatten", 2, ["--flatten cannot go"]),
    ("collection-chain REPO Cam/calib Cam/defaults", 1, ["it would contain itself"]),
    ("collection-chain REPO tag Cam/raw/all", 1, ["'tag' is a TAGGED collection"]),
    ("associate REPO Cam/raw/all -d raw", 1, ["exists as RUN"]),
    ("certify-calibrations REPO u/me/bias.1 tag bias", 1, ["exists as TAGGED"]),
    ("certify-calibrations REPO u/me/bias Cam/calib/1 bias", 1, ["'u/me/bias'", "'u/me/bias.1'"]),
    ("remove-collections REPO tagg", 1, ["no collection 'tagg'", "'tag'"]),
    ("remove-runs REPO u/me/run", 1, ["no collection 'u/me/run'", "'u/me/run1'"]),
    ("prune-datasets REPO u/me/run1 --disassociate u/me/run1", 1, ["needs a TAGGED collection"]),
    ("prune-datasets REPO --purge tag", 1, ["--purge needs a RUN collection"]),
    ("query-datasets REPO raw --find-first --collections Cam/*", 2, ["names, not patterns"]),
    ("query-datasets REPO raw --find-first", 2, ["needs --collections"]),
    # expressions
    ("query-datasets REPO raw --where exposure!1", 1, ["^", "exposure!1"]),
    ("query-data-ids REPO exposure --where exposure=", 1, ["^", "exposure="]),
    ("query-dimension-records REPO exposure --where (exposure=1", 1, ["^"]),
    ("query-datasets REPO no_such_* --where exposure=", 1, ["^", "exposure="]),
    ("query-datasets REPO raw --where exposur=1", 1, ["'exposur'", "'exposure'"]),
    ("query-datasets REPO raw --where exposure.seqnum=1", 1, ["no field 'seqnum'", "'seq_num'"]),
    ("query-datasets REPO raw --where exposure='a'", 1, ["exposure"]),
    ("query-datasets REPO raw --order-by exposur", 1, ["'exposur'", "'exposure'"]),
    ("query-datasets REPO raw --order-by a.b.c.d", 1, ["cannot order by 'a.b.c.d'"]),
    # dimensions
    ("query-data-ids REPO exposre", 1, ["no dimension 'exposre'", "'exposure'"]),
    ("query-data-ids REPO", 2, ["give DIMENSIONS, or --datasets"]),
    ("query-data-ids REPO --datasets isr_config", 2, ["no dimension in common"]),
    ("query-dimension-records REPO exposre", 1, ["no dimension 'exposre'", "'exposure'"]),
    ("query-dimension-records REPO htm7", 1, ["a pixelization has no table"]),
    ("register-dataset-type REPO new StructuredDataDict detectr", 1, ["'detectr'", "'detector'"]),
    ("import REPO TMP -s detectr", 1, ["no dimension 'detectr'", "'detector'"]),
    # options
    ("import REPO TMP -t teleport", 2, ["'teleport' is not one of", "symlink"]),
    ("ingest-raws REPO TMP -t teleport", 2, ["'teleport' is not one of"]),
    ("ingest-raws REPO TMP -j 0", 2, ["-j"]),
    ("ingest-raws REPO TMP -c nofail=1", 1, ["no configuration 'nofail'", "failFast"]),
    ("ingest-raws REPO TMP -c failFast=7", 1, ["failFast must be True or False"]),
    ("ingest-raws REPO TMP -C TMP/absent.py", 1, ["cannot read the configuration"]),
    ("query-datasets REPO raw --limit many", 2, ["'many' is not a valid integer"]),
    ("query-datasets REPO raw --format yaml", 2, ["'yaml' is not one of"]),
    ("query-datasets REPO raw --colections x", 2, ["--colections", "--collections"]),
    ("query-datasets", 2, ["Missing argument 'REPO'"]),
    ("certify-calibrations REPO u/me/bias.1 Cam/calib/1 bias --begin-date soon", 1, ["'soon'"]),
    (
        (
            "certify-calibrations REPO u/me/bias.1 Cam/calib/1 bias "
            "--begin-date 2022-01-01 --end-date 2021-01-01"
        ),
        2,
        ["does not lie before"],
    ),
    ("config-dump REPO --subset datastor", 1, ["no 'datastor'", "Did you mean 'datastore'"]),
    ("config-dump REPO --subset .registry.d", 1, ["no 'd' in 'registry'"]),
    # files
    ("import REPO TMP", 1, ["there is no export file"]),
    ("import REPO TMP --export-file TMP/broken.yaml", 1, ["broken.yaml"]),
    ("ingest-files REPO bias new TMP/absent.csv", 1, ["there is no table file"]),
    ("ingest-files REPO bias new TMP/broken.yaml", 1, ["broken.yaml"]),
    ("ingest-files REPO bias new TMP/broken.yaml --formatter Bad", 1, ["'Bad'"]),
    (
        "ingest-files REPO bias new TMP/table.csv --data-id detectr=1",
        1,
        ["'detectr'", "'detector'"],
    ),
    ("ingest-files REPO bias new TMP/table.csv --data-id detector", 1, ["DIMENSION=VALUE"]),
    (
        "ingest-files REPO bias new TMP/table.csv --data-id detector=x",
        1,
        ["must be a whole number"],
    ),
    ("ingest-files REPO bias tag TMP/table.csv", 1, ["datasets go into a RUN"]),
    ("ingest-raws REPO TMP/absent.fits", 1, ["no instrument"]),
    # instruments and sky maps
    ("register-skymap REPO", 2, ["-C FILE or -c FIELD=VALUE"]),
    ("register-skymap REPO -C TMP/absent.py", 1, ["absent.py"]),
    ("register-skymap REPO -C TMP/broken.yaml", 1, ["broken.yaml"]),
    ("register-skymap REPO -c nme=a", 1, ["'nme'", "Did you mean 'name'"]),
    ("register-instrument REPO foo.bar.Baz", 1, ["foo.bar.Baz"]),
    ("register-instrument REPO lsst.obs.lsst.Latis", 1, ["Latis"]),
    ("define-visits REPO LATISS", 1, ["'LATISS'", "register-instrument"]),
    ("define-visits REPO Cam", 1, ["'Cam'"]),
    ("write-curated-calibrations REPO LATISS", 1, ["'LATISS'"]),
    ("export-calibs REPO TMP", 1, ["there is something already"]),
    ("export-calibs REPO TMP/new tag", 1, ["'tag'"]),
]


def snapshot(repo: Path) -> tuple[list[str], list[str]]:
    """Return a repository's files and the content of its tables."""
    files = [
        str(path) for path in sorted(repo.rglob("*")) if not path.name.endswith(("-wal", "-shm"))
    ]
    with sqlite3.connect(repo / "gen3.sqlite3") as connection:
        rows = list(connection.iterdump())
    connection.close()
    return files, rows


def prepare(folder: Path) -> None:
    (folder / "broken.yaml").write_text("a: [1\n")
    (folder / "good.yaml").write_text("{a: 1}\n")
    (folder / "table.csv").write_text(f"file,instrument,detector\n{folder}/good.yaml,Cam,0\n")


def require_clear(result: Result, code: int, parts: list[str]) -> None:
    assert result.exit_code == code, result.output
    assert result.stderr.startswith("Error: " if code == 1 else "Usage: ")
    assert "Traceback" not in result.output
    assert "This is a bug" not in result.output
    text = " ".join(result.stderr.split())
    assert [part for part in parts if part not in text] == []


@pytest.mark.parametrize(("typed", "code", "parts"), BAD, ids=[typed for typed, _, _ in BAD])
def test_bad_input_is_told_and_changes_nothing(
    repo: Path, run: Run, tmp_path: Path, typed: str, code: int, parts: list[str]
) -> None:
    prepare(tmp_path)
    before = snapshot(repo)
    places = {"REPO": str(repo), "TMP": str(tmp_path)}

    result = run(*(_filled(word, places) for word in typed.split()))

    require_clear(result, code, parts)
    assert snapshot(repo) == before


def _filled(word: str, places: dict[str, str]) -> str:
    for name, place in places.items():
        word = word.replace(name, place)
    return word


@pytest.mark.parametrize("name", sorted(set(COMMANDS) - {"create"}))
def test_every_command_says_that_there_is_no_repository(
    run: Run, tmp_path: Path, name: str
) -> None:
    prepare(tmp_path)
    place = tmp_path / "absent"

    rest = [arg.format(tmp=tmp_path) for arg in REST[name]]
    result = run(name, *((*rest, place) if name in REPOSITORY_LAST else (place, *rest)))

    require_clear(result, 1, [f"there is no data repository {str(place)!r}"])
    assert not place.exists()


def test_directory_that_is_no_repository_is_told(run: Run, tmp_path: Path) -> None:
    result = run("query-collections", tmp_path)

    require_clear(result, 1, ["it has no butler.yaml", f"`butler create {tmp_path}` makes one"])


def test_unknown_label_offers_a_near_miss(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    index = tmp_path / "index.yaml"
    index.write_text("main: /nowhere\n")
    monkeypatch.setenv("DAF_BUTLER_REPOSITORY_INDEX", str(index))

    result = run("query-collections", "mian")

    require_clear(result, 1, ["Did you mean 'main'?"])


# ---------------------------------------------------------------------- create
def test_create_leaves_an_existing_repository_alone(repo: Path, run: Run) -> None:
    before = snapshot(repo)

    result = run("create", repo)

    require_clear(result, 1, ["there is a data repository in", "already"])
    assert snapshot(repo) == before


@pytest.mark.parametrize(
    ("options", "parts"),
    [
        (["--seed-config", "TMP/absent.yaml"], ["no configuration file"]),
        (["--seed-config", "TMP/broken.yaml"], ["not valid YAML"]),
        (["--seed-config", "TMP/list.yaml"], ["must be a mapping"]),
        (["--seed-config", "TMP/section.yaml"], ["'datastore' in", "must be a mapping"]),
        (["--seed-config", "TMP/mysql.yaml"], ["mysql", "postgresql://HOST/NAME"]),
        (["--dimension-config", "TMP/absent.yaml"], ["no configuration file"]),
        (["--dimension-config", "TMP/broken.yaml"], ["broken.yaml"]),
        (["--dimension-config", "TMP/list.yaml"], ["list.yaml"]),
        (["--dimension-config", "TMP/section.yaml"], ["section.yaml"]),
        (["--dimension-config", "TMP/version.yaml"], ["version.yaml", "form of a dimension"]),
        (["--dimension-config", "TMP/element.yaml"], ["element.yaml", "form of a dimension"]),
        (["--outfile", "TMP/absent/butler.yaml"], ["absent/butler.yaml"]),
    ],
    ids=" ".join,
)
def test_create_with_bad_files_makes_nothing(
    run: Run, tmp_path: Path, options: list[str], parts: list[str]
) -> None:
    prepare(tmp_path)
    (tmp_path / "list.yaml").write_text("- 1\n")
    universe = "common_skypix: htm7\nelements: {a: 3}\n"
    (tmp_path / "version.yaml").write_text(f"version: x\n{universe}")
    (tmp_path / "element.yaml").write_text(f"version: 1\n{universe}")
    (tmp_path / "section.yaml").write_text("datastore: 7\n")
    (tmp_path / "mysql.yaml").write_text("registry: {db: 'mysql://host/db'}\n")
    place = tmp_path / "new"

    result = run("create", place, *(option.replace("TMP", str(tmp_path)) for option in options))

    require_clear(result, 1, parts)
    assert not place.exists()


def test_seed_config_moves_files_with_override_only(run: Run, tmp_path: Path) -> None:
    seed = tmp_path / "seed.yaml"
    seed.write_text(f"datastore: {{root: {tmp_path}/store}}\n")

    plain = run("create", tmp_path / "a", "--seed-config", seed)
    moved = run("create", tmp_path / "b", "--seed-config", seed, "--override")

    assert "use --override" in plain.stderr
    assert "root: <butlerRoot>" in (tmp_path / "a/butler.yaml").read_text()
    assert (moved.exit_code, moved.stderr) == (0, "")
    assert f"root: {tmp_path}/store" in (tmp_path / "b/butler.yaml").read_text()


# ------------------------------------------------------------------- read-only
#: Takes from root what lets it write where permissions forbid it, then runs the program.
_WITHOUT_PRIVILEGE = """
import ctypes, os, sys
if os.geteuid() == 0:
    for capability in (1, 2):  # CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH
        assert ctypes.CDLL(None).prctl(24, capability, 0, 0, 0) == 0  # PR_CAPBSET_DROP
code = "from butler_core.cli import main; main()"
os.execv(sys.executable, [sys.executable, "-c", code, *sys.argv[1:]])
"""


@pytest.fixture
def read_only_repo(repo: Path) -> Path:
    for path in [repo, *repo.rglob("*")]:
        path.chmod(0o555 if path.is_dir() else 0o444)
    return repo


@pytest.mark.parametrize(
    "typed",
    [
        ["collection-chain", "REPO", "new", "tag"],
        ["remove-runs", "REPO", "u/me/run1", "--no-confirm"],
        ["register-dataset-type", "REPO", "new", "StructuredDataDict"],
    ],
    ids=" ".join,
)
def test_read_only_repository_is_told(read_only_repo: Path, typed: list[str]) -> None:
    before = sorted(read_only_repo.rglob("*"))
    args = [str(read_only_repo) if word == "REPO" else word for word in typed]

    result = subprocess.run(
        [sys.executable, "-c", _WITHOUT_PRIVILEGE, *args],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ,
    )

    assert result.returncode == 1
    assert result.stderr.startswith("Error: ")
    assert "cannot be written" in result.stderr
    assert "Traceback" not in result.stderr
    assert sorted(read_only_repo.rglob("*")) == before
