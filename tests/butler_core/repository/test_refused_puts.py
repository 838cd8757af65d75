"""What a put that is refused says, and that it leaves nothing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from butler_core import Butler, DatasetType
from butler_core.errors import DatasetExistsError, StorageClassMismatchError, WriteFileError


@pytest.fixture
def butler(tmp_path: Path, registries: Any) -> Iterator[Butler]:
    """Return a repository with a dataset type that has no dimensions."""
    with registries.create(tmp_path / "repo") as found:
        note = DatasetType.of("note", [], "StructuredDataDict", universe=found.dimensions)
        found.register_dataset_type(note)
        yield found


@pytest.mark.parametrize(
    ("obj", "error"), [({"a": object()}, WriteFileError), ([1], StorageClassMismatchError)]
)
def test_what_cannot_be_written_makes_no_run(butler: Butler, obj: Any, error: Any) -> None:
    with pytest.raises(error):
        butler.put(obj, "note", run="new")

    assert list(butler.collections.query("*")) == []
    assert not (butler.repository.root / "new").exists()


def test_a_second_one_without_dimensions_is_told_in_plain_words(butler: Butler) -> None:
    butler.put({"a": 1}, "note", run="run")

    with pytest.raises(DatasetExistsError, match="run 'run' holds 'note' already; use another"):
        butler.put({"a": 2}, "note", run="run")

    assert butler.get("note", collections="run") == {"a": 1}
