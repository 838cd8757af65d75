"""Repositories of small worlds to build graphs in."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from butler_core import Butler

sys.path.insert(0, str(Path(__file__).parents[1] / "importable"))


@pytest.fixture
def make_repository(tmp_path: Path) -> Iterator[Callable[[Any], Butler]]:
    """Return a function that makes a repository of a world."""
    from graph_world import insert_datasets, insert_records

    opened: list[Butler] = []

    def make(world: Any) -> Butler:
        butler = Butler.create(tmp_path / f"repo{len(opened)}")
        opened.append(butler)
        insert_records(butler, world)
        insert_datasets(butler, world)
        return butler

    yield make
    for butler in opened:
        butler.close()


@pytest.fixture(scope="session")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a graph file, which no test may change."""
    from written_graph import write_graph

    found: Path = write_graph(tmp_path_factory.mktemp("graph"))
    return found
