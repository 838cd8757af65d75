"""A repository with everything odd in it, whose queries the peer has answered too."""

from __future__ import annotations

import runpy
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from butler_core import Butler

TESTS = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def wide(tmp_path_factory: pytest.TempPathFactory, registries: Any) -> Iterator[Butler]:
    """Return a butler of the world of ``wide_world.py``, for reading."""
    shared = SimpleNamespace(**runpy.run_path(str(TESTS / "butler_core" / "conftest.py")))
    world = SimpleNamespace(**runpy.run_path(str(TESTS / "wide_world.py")))
    with registries.create(tmp_path_factory.mktemp("wide") / "repo") as butler:
        shared.fill_records(butler, world)
        shared.fill_datasets(butler, world)
        yield butler
