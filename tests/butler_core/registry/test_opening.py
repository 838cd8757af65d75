from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path

import pytest

from butler_core import DimensionUniverse
from butler_core.errors import SchemaVersionError
from butler_core.registry.address import RegistryAddress
from butler_core.registry.registry import Registry
from butler_core.registry.schema import SCHEMA_VERSION


def test_what_was_created_can_be_opened(registry: Registry, address: RegistryAddress) -> None:
    other = Registry.open(address, writeable=False)

    assert other.universe is DimensionUniverse.default()
    assert other.attributes.get("schema_version") == str(SCHEMA_VERSION)
    assert other.attributes.get("no such name") is None
    other.close()


def test_attributes_are_replaced(registry: Registry) -> None:
    registry.attributes.set("a", "1")
    registry.attributes.set("a", "2")

    assert registry.attributes.get("a") == "2"


@pytest.mark.parametrize(
    ("version", "advice"), [("99", "newer program"), ("1", "`butler migrate`")]
)
def test_tables_of_another_version_are_refused(
    registry: Registry, address: RegistryAddress, version: str, advice: str
) -> None:
    registry.attributes.set("schema_version", version)

    with pytest.raises(SchemaVersionError, match=f"version {version}.*{advice}"):
        Registry.open(address, writeable=False)


def test_some_other_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.sqlite3"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE t (a)")
    connection.close()

    with pytest.raises(SchemaVersionError, match="not the registry of a data repository"):
        Registry.open(RegistryAddress.of_file(path), writeable=False)


def test_a_repository_of_rubins_is_told_by_name(test_data: Path, tmp_path: Path) -> None:
    shutil.copy(test_data / "repositories" / "latiss" / "gen3.sqlite3", tmp_path / "gen3.sqlite3")

    with pytest.raises(SchemaVersionError, match=r"Rubin's middleware.*`butler import`"):
        Registry.open(RegistryAddress.of_file(tmp_path / "gen3.sqlite3"), writeable=False)


def test_a_universe_of_ones_own_comes_back(address: RegistryAddress) -> None:
    config = {
        "version": 3, "namespace": "mine", "common_skypix": "htm7",
        "skypix": {"htm": {"pixelization": "lsst.sphgeom.HtmPixelization", "max_level": 9}},
        "elements": {
            "telescope": {"key": {"name": "text(8)"}, "governor": True},
            "shot": {"key": {"id": "int"}, "requires": ["telescope"], "region": True},
        },
    }  # fmt: skip
    Registry.create(address, DimensionUniverse(config)).close()

    registry = Registry.open(address, writeable=True)

    assert registry.universe.namespace == "mine"
    assert registry.universe.conform(["shot"]).names == ("telescope", "shot")
    registry.records.insert("telescope", {"name": ["T1"]})
    registry.records.insert("shot", {"telescope": ["T1"], "id": [1], "region": [None]})
    assert registry.records.fetch("shot")["id"] == [1]
    registry.close()
