"""The tables of the first release, kept in ``first_release``, become those of this one."""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path

import pytest

from butler_core import Butler
from butler_core.errors import SchemaVersionError
from butler_core.registry.migration import STEPS
from butler_core.registry.schema import SCHEMA_VERSION
from butler_core.repository import Repository

FIRST = Path(__file__).parents[1] / "first_release"


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """Return a repository as the first release made it."""
    root = tmp_path / "old"
    shutil.copytree(FIRST, root)
    script = (root / "registry.sql").read_text()
    (root / "registry.sql").unlink()
    with sqlite3.connect(root / "gen3.sqlite3") as connection:
        connection.executescript(script)
    connection.close()
    return root


def test_an_old_repository_says_how_to_upgrade_it(old: Path) -> None:
    with pytest.raises(SchemaVersionError, match="version 1.*`butler migrate`"):
        Butler(old)


def test_a_dry_run_changes_nothing(old: Path) -> None:
    before = (old / "gen3.sqlite3").read_bytes()

    steps = Repository.migrate(old, dry_run=True)

    assert [step.version for step in steps] == list(range(2, SCHEMA_VERSION + 1))
    assert (old / "gen3.sqlite3").read_bytes() == before


def test_an_upgraded_repository_has_everything_that_it_had(old: Path) -> None:
    Repository.migrate(old)

    with Butler(old, writeable=True) as butler:
        raws = {
            (ref.data_id["exposure"], ref.data_id["detector"]): butler.get(ref)
            for ref in butler.query_datasets("raw", "u/chain")
        }
        assert raws == {
            (e, d): {"exposure": e, "detector": d} for e in (1, 2) for d in (0, 1)
        }  # fmt: skip
        assert butler.get("summary", instrument="Cam", visit=1, collections="u/chain") == {"n": 1}
        assert butler.query_datasets("raw", "u/tag").count() == 2
        bias = butler.get("bias", instrument="Cam", exposure=2, detector=1, collections="Cam/calib")
        assert bias == {"bias": 1}
        visits = butler.query_dimension_records(
            "visit", where="visit.region OVERLAPS POINT(10.1, 0.1)"
        )
        assert len(visits) == 1
        butler.put({"new": 1}, "raw", instrument="Cam", exposure=2, detector=1, run="u/new")


def test_upgraded_tables_are_those_of_a_new_repository(old: Path, tmp_path: Path) -> None:
    Repository.migrate(old)
    Butler.create(tmp_path / "new").close()

    upgraded, new = (_description(path / "gen3.sqlite3") for path in (old, tmp_path / "new"))

    assert {name: upgraded[name] for name in new} == new


def test_upgrading_twice_does_nothing_more(old: Path) -> None:
    Repository.migrate(old)

    assert Repository.migrate(old) == ()


def test_an_upgrade_that_fails_leaves_the_old_tables(old: Path) -> None:
    with sqlite3.connect(old / "gen3.sqlite3") as connection:
        connection.execute("PRAGMA foreign_keys=OFF")
        connection.execute("DELETE FROM collection WHERE name = 'Cam/raw'")
    connection.close()

    with pytest.raises(SchemaVersionError, match="refer to rows that are not there"):
        Repository.migrate(old)
    with pytest.raises(SchemaVersionError, match="version 1"):
        Butler(old)


def test_every_version_has_a_step() -> None:
    assert [step.version for step in STEPS] == list(range(2, SCHEMA_VERSION + 1))


def _description(path: Path) -> dict[str, object]:
    """Return columns, indexes, references and how keys are given, of all tables."""
    with sqlite3.connect(path) as connection:
        tables = connection.execute(
            "SELECT name, sql FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%'"
        ).fetchall()
        found = {
            name: [
                sorted(connection.execute(f'PRAGMA table_info("{name}")')),
                sorted(row[2:] for row in connection.execute(f'PRAGMA index_list("{name}")')),
                sorted(row[2:] for row in connection.execute(f'PRAGMA foreign_key_list("{name}")')),
                "AUTOINCREMENT" in sql,
            ]
            for name, sql in tables
        }
    connection.close()
    return found
