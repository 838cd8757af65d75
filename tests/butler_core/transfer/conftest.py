"""An empty repository, and how to import into it."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from butler_core.repository.repository import Repository
from butler_core.transfer import ImportRequest, ImportSummary, import_repository


@pytest.fixture(scope="session")
def empty_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return an empty repository, closed, to be copied."""
    root = tmp_path_factory.mktemp("empty") / "repo"
    Repository.create(root).close()
    return root


@pytest.fixture
def repository(empty_root: Path, tmp_path: Path) -> Iterator[Repository]:
    """Return an empty repository."""
    shutil.copytree(empty_root, tmp_path / "repo")
    made = Repository.open(tmp_path / "repo", writeable=True)
    yield made
    made.close()


@pytest.fixture
def import_text(repository: Repository, tmp_path: Path) -> Callable[..., ImportSummary]:
    """Return a function that imports the text of an export file, files beside it."""
    folder = tmp_path / "incoming"
    folder.mkdir()

    def import_one(text: str, **options: Any) -> ImportSummary:
        (folder / "export.yaml").write_text(text, encoding="utf-8")
        request = ImportRequest(**{"directory": folder, **options})
        return import_repository(repository, request)

    return import_one


@pytest.fixture
def records(repository: Repository) -> Callable[[str], list[dict[str, Any]]]:
    """Return a function that lists the stored records of an element."""

    def fetch(element: str) -> list[dict[str, Any]]:
        columns = repository.registry.records.fetch(element)
        return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]

    return fetch
