from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from butler_core import DimensionUniverse
from butler_core.registry.address import RegistryAddress
from butler_core.registry.registry import Registry


@pytest.fixture
def address(tmp_path: Path, registries: Any) -> RegistryAddress:
    """Return where a registry may be made."""
    found: RegistryAddress = registries.address(tmp_path)
    return found


@pytest.fixture
def registry(address: RegistryAddress) -> Iterator[Registry]:
    """Return an empty registry that can be written."""
    found = Registry.create(address, DimensionUniverse.default())
    yield found
    found.close()
