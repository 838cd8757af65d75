"""Keys that a process sets aside for datasets to come are nobody else's."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from butler_core import Butler, DatasetType
from butler_core.repository.ingest import IngestRequest, ingest_files

#: More than are set aside at once.
_N_PUTS = 100


@pytest.fixture
def pair(tmp_path: Path, registries: Any) -> Iterator[tuple[Butler, Butler]]:
    """Return two butlers of one repository, as two processes would have them."""
    with registries.create(tmp_path / "repo") as one:
        note = DatasetType.of("note", [], "StructuredDataDict", universe=one.dimensions)
        one.register_dataset_type(note)
        with Butler(tmp_path / "repo", writeable=True) as other:
            yield one, other


def _put(butler: Butler, run: str) -> None:
    butler.put({"in": run}, "note", run=run)


def _put_and_undo(butler: Butler) -> None:
    with butler.transaction():
        _put(butler, "undone")
        raise RuntimeError("undone")


def _check(butler: Butler, expected: int) -> None:
    found = butler.query_datasets("note", "*", find_first=False)
    assert len(set(found.columns["dataset_key"])) == len(found) == expected
    assert all(butler.get(ref)["in"] == ref.run for ref in found)


def test_in_turns(pair: tuple[Butler, Butler]) -> None:
    for number in range(_N_PUTS):
        _put(pair[number % 2], f"run/{number}")

    _check(pair[0], _N_PUTS)


def test_what_an_undone_transaction_set_aside_is_void(pair: tuple[Butler, Butler]) -> None:
    one, other = pair
    with pytest.raises(RuntimeError, match="undone"):
        _put_and_undo(one)
    for number in range(_N_PUTS):
        _put(other, f"other/{number}")
        _put(one, f"one/{number}")

    _check(one, 2 * _N_PUTS)


def test_what_an_undone_part_of_a_transaction_set_aside_is_void(
    pair: tuple[Butler, Butler],
) -> None:
    one, other = pair
    with one.transaction():
        with pytest.raises(RuntimeError, match="undone"):
            _put_and_undo(one)
        _put(one, "kept")
    for number in range(_N_PUTS):
        _put(other, f"other/{number}")
        _put(one, f"one/{number}")

    _check(one, 2 * _N_PUTS + 1)


def test_beside_an_ingest(pair: tuple[Butler, Butler], tmp_path: Path) -> None:
    one, _ = pair
    source = tmp_path / "note.yaml"
    source.write_text("in: ingested\n", encoding="utf-8")
    _put(one, "before")
    ingest_files(one.repository, IngestRequest("note", "ingested", [source], {}))
    _put(one, "after")

    _check(one, 3)
