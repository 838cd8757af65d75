from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from butler_core import Butler, DatasetType
from butler_core.errors import (
    ConfigError,
    ReadOnlyRepositoryError,
    RepositoryExistsError,
    RepositoryNotFoundError,
)
from butler_core.repository import Repository


def test_a_new_repository_is_two_files(tmp_path: Path) -> None:
    Repository.create(tmp_path / "deep" / "repo").close()

    assert sorted(p.name for p in (tmp_path / "deep" / "repo").iterdir()) == [
        "butler.yaml",
        "gen3.sqlite3",
    ]


def test_nothing_is_made_where_a_repository_is(tmp_path: Path) -> None:
    Repository.create(tmp_path / "repo").close()

    with pytest.raises(RepositoryExistsError, match=r"a data repository in .* already"):
        Repository.create(tmp_path / "repo")


def test_a_file_is_no_place_for_a_repository(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(RepositoryExistsError, match="needs a directory"):
        Repository.create(tmp_path / "file")


def test_a_repository_can_be_moved(tmp_path: Path) -> None:
    with Butler.create(tmp_path / "old") as butler:
        butler.register_dataset_type(DatasetType.of("note", [], "str", universe=butler.dimensions))
        Butler(butler.repository, run="run").put("text", "note")
    (tmp_path / "old").rename(tmp_path / "new")

    with Butler(tmp_path / "new", collections="run") as butler:
        assert butler.get("note") == "text"


def test_the_configuration_may_lie_elsewhere(tmp_path: Path) -> None:
    config = tmp_path / "configs" / "mine.yaml"
    config.parent.mkdir()

    Repository.create(tmp_path / "repo", outfile=config).close()

    assert not (tmp_path / "repo" / "butler.yaml").exists()
    repository = Repository.open(config)
    assert repository.root == tmp_path / "repo"
    repository.close()


def test_a_standalone_configuration_holds_all_defaults(tmp_path: Path) -> None:
    Repository.create(tmp_path / "repo", standalone=True).close()

    config = yaml.safe_load((tmp_path / "repo" / "butler.yaml").read_text())

    assert "default" in config["datastore"]["templates"]


def test_a_seed_configuration_is_merged(tmp_path: Path) -> None:
    seed = tmp_path / "seed.yaml"
    seed.write_text("datastore: {templates: {note: '{id}'}, checksum: none}\n")

    with Butler(Repository.create(tmp_path / "repo", seed_config=seed), run="run") as butler:
        butler.register_dataset_type(DatasetType.of("note", [], "str", universe=butler.dimensions))
        ref = butler.put("text", "note")
        uri = butler.get_uri(ref)

    assert uri == (tmp_path / "repo" / str(ref.id)).as_uri() + Path(uri).suffix


@pytest.mark.parametrize("name", ["seed_config", "dimension_config"])
def test_an_absent_configuration_file_is_told(tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigError, match=r"no configuration file '.*nowhere.yaml'"):
        Repository.create(tmp_path / "repo", **{name: tmp_path / "nowhere.yaml"})

    assert not (tmp_path / "repo").exists()


def test_repositories_are_found_by_directory_file_url_and_label(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Repository.create(tmp_path / "repo").close()
    index = tmp_path / "index.yaml"
    index.write_text(f"mine: {tmp_path / 'repo'}\n")
    monkeypatch.setenv("DAF_BUTLER_REPOSITORY_INDEX", str(index))
    monkeypatch.chdir(tmp_path)

    for place in (
        tmp_path / "repo",
        "repo",
        str(tmp_path / "repo" / "butler.yaml"),
        (tmp_path / "repo").as_uri(),
        "mine",
    ):
        repository = Repository.open(place)
        assert repository.root.samefile(tmp_path / "repo")
        repository.close()
    with pytest.raises(RepositoryNotFoundError, match=r"no data repository 'mien'.*'mine'"):
        Repository.open("mien")


def test_a_directory_that_is_no_repository_is_told(tmp_path: Path) -> None:
    with pytest.raises(RepositoryNotFoundError, match=r"has no butler.yaml.*`butler create"):
        Repository.open(tmp_path)


@pytest.mark.parametrize("content", ["a: [", "- 1", "just text"])
def test_a_broken_configuration_is_told(tmp_path: Path, content: str) -> None:
    (tmp_path / "butler.yaml").write_text(content)

    with pytest.raises(ConfigError, match=r"butler\.yaml"):
        Repository.open(tmp_path)


def test_a_password_in_a_database_url_is_not_shown(tmp_path: Path) -> None:
    (tmp_path / "butler.yaml").write_text("registry: {db: 'mysql://me:secret@host/db'}")

    with pytest.raises(ConfigError, match="'host/db' is not of a kind") as caught:
        Repository.open(tmp_path)

    assert "secret" not in str(caught.value)


def test_a_reader_changes_nothing(filled_root: Path) -> None:
    with Butler(filled_root) as butler:
        for change in (
            lambda: butler.put({}, "calexp", run="x"),
            lambda: butler.collections.register("x"),
            lambda: butler.remove_runs(["run/1"]),
            lambda: butler.insert_dimension_data("instrument", {"name": "X"}),
            lambda: butler.collections.prepend_chain("outer", "run/1"),
        ):
            with pytest.raises(ReadOnlyRepositoryError, match="writeable=True"):
                change()


#: Takes from root what lets it write where permissions forbid it, then reads.
_READ_WITHOUT_PRIVILEGE = """
import ctypes, os, sys
if os.geteuid() == 0:
    for capability in (1, 2):  # CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH
        assert ctypes.CDLL(None).prctl(24, capability, 0, 0, 0) == 0  # PR_CAPBSET_DROP
os.execv(sys.executable, [sys.executable, "-c", sys.argv[1], sys.argv[2]])
"""
_READ = """
import os, sys
from butler_core import Butler
assert not os.access(sys.argv[1], os.W_OK)
with Butler(sys.argv[1]) as butler:
    print(len(butler.query_datasets("calexp", "run/2")))
"""


def test_a_reader_needs_no_right_to_write(
    filled_root: Path, tmp_path: Path, registries: Any
) -> None:
    copy = tmp_path / "repo"
    registries.copy(filled_root, copy)
    for path in (*copy.iterdir(), copy):
        path.chmod(path.stat().st_mode & ~0o222)

    done = subprocess.run(
        [sys.executable, "-c", _READ_WITHOUT_PRIVILEGE, _READ, str(copy)],
        capture_output=True,
        text=True,
        check=False,
    )

    copy.chmod(0o755)
    assert (done.returncode, done.stderr) == (0, "")
    assert int(done.stdout) > 0
