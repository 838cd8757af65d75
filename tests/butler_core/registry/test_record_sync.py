"""Tests of storing dimension records in bulk unless they are there."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from butler_core import Butler
from butler_core.errors import RecordConflictError
from butler_core.registry.record_sync import compare_records, sync_records, take_rows
from butler_core.registry.registry import Registry

DETECTORS = {"instrument": ["Cam"] * 3, "id": [0, 1, 2], "full_name": ["a", "b", "c"]}


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[Registry]:
    with Butler.create(tmp_path / "repo") as butler:
        butler.insert_dimension_data("instrument", {"name": "Cam"})
        sync_records(butler.repository.registry, "detector", take_rows(DETECTORS, [0, 1]))
        yield butler.repository.registry


def changed(name: str) -> dict[str, list[object]]:
    return {**DETECTORS, "full_name": ["a", name, "c"]}  # type: ignore[dict-item]


def test_rows_are_told_apart(registry: Registry) -> None:
    comparison = compare_records(registry, "detector", changed("x"))

    assert (comparison.new, comparison.same, list(comparison.differences)) == ([2], [0], [1])


def test_new_rows_are_stored_and_the_others_stay(registry: Registry) -> None:
    sync_records(registry, "detector", DETECTORS)

    assert registry.records.fetch("detector")["full_name"] == ["a", "b", "c"]


def test_conflict_names_record_and_field_and_stores_nothing(registry: Registry) -> None:
    with pytest.raises(
        RecordConflictError, match=r"instrument: 'Cam', detector: 1.*full_name: 'b' is not 'x'"
    ):
        sync_records(registry, "detector", changed("x"))

    assert registry.records.fetch("detector")["id"] == [0, 1]


def test_update_replaces_what_differs(registry: Registry) -> None:
    sync_records(registry, "detector", changed("x"), update=True)

    assert registry.records.fetch("detector")["full_name"] == ["a", "x", "c"]


def test_columns_left_out_are_not_compared(registry: Registry) -> None:
    keys = {name: DETECTORS[name] for name in ("instrument", "id")}

    assert compare_records(registry, "detector", keys).same == [0, 1]
