from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from butler_core import DimensionUniverse
from butler_core.registry.registry import Registry


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[Registry]:
    """Return an empty registry that can be written."""
    found = Registry.create_sqlite(tmp_path / "gen3.sqlite3", DimensionUniverse.default())
    yield found
    found.close()
