from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa

from butler_core import Butler
from butler_core.errors import DimensionError, MissingRecordError, RecordConflictError
from butler_core.region import box, encode, htm7_envelope
from butler_core.registry.registry import Registry


@pytest.fixture
def registry(make_butler: Callable[..., Butler]) -> Registry:
    return make_butler().repository.registry


def _detectors(*ids: int, names: list[str] | None = None) -> dict[str, list[Any]]:
    return {
        "instrument": ["CamB"] * len(ids),
        "id": list(ids),
        "full_name": names or [f"D{i}" for i in ids],
    }


def _overlaps(registry: Registry, tract: int) -> list[int]:
    table = registry.schema.overlaps["tract"]
    stored = sa.select(table.c.pixel).where(table.c.id == tract, table.c.skymap == "grid")
    rows = registry.database.fetch_rows(stored)
    return sorted(row[0] for row in rows)


def test_records_come_back_as_columns_in_key_order(registry: Registry) -> None:
    registry.records.insert("detector", _detectors(9, 8))

    found = registry.records.fetch("detector", {"instrument": "CamB"})

    assert found["id"] == [0, 1, 8, 9]
    assert found["full_name"][2:] == ["D8", "D9"]
    assert found["raft"][2:] == [None, None]


@pytest.mark.parametrize("rows", [(8, 1), (8, 8)])
def test_a_record_that_is_there_is_a_conflict(registry: Registry, rows: tuple[int, ...]) -> None:
    with pytest.raises(RecordConflictError, match=r"a detector record \{instrument: 'CamB', detec"):
        registry.records.insert("detector", _detectors(*rows))
    assert registry.records.fetch("detector", {"instrument": "CamB"})["id"] == [0, 1]


def test_records_that_are_there_can_be_skipped(registry: Registry) -> None:
    assert registry.records.insert("detector", _detectors(1, 8, 8), on_conflict="skip") == 1
    assert registry.records.fetch("detector", {"id": 1, "instrument": "CamB"})["full_name"] == [
        "R0_S1"
    ]


def test_records_that_are_there_can_be_replaced(registry: Registry) -> None:
    columns = _detectors(1, 8, 8, names=["new", "first", "last"])

    registry.records.insert("detector", columns, on_conflict="replace")

    found = registry.records.fetch("detector", {"instrument": "CamB"})
    assert found["full_name"] == ["R0_S0", "new", "last"]
    assert found["raft"][1] == "R0"


def test_a_second_name_that_is_taken_is_a_conflict(registry: Registry) -> None:
    with pytest.raises(RecordConflictError, match="detector records cannot be stored"):
        registry.records.insert("detector", _detectors(8, names=["R0_S0"]))


def test_a_record_of_something_unknown_names_what_is_missing(registry: Registry) -> None:
    with pytest.raises(MissingRecordError, match=r"detector record refers to instrument .*'Nikon'"):
        registry.records.insert(
            "detector", {"instrument": ["Nikon"], "id": [0], "full_name": ["x"]}
        )


def test_unknown_and_missing_columns_are_told_together(registry: Registry) -> None:
    with pytest.raises(DimensionError, match=r"unknown: colour; missing: instrument, id"):
        registry.records.insert("detector", {"colour": ["red"]})
    with pytest.raises(DimensionError, match=r"unknown: colour"):
        registry.records.sync("detector", {"instrument": "CamB", "id": 1, "colour": "red"})


def test_pixels_of_a_region_are_stored_with_it(registry: Registry) -> None:
    region = box(10.0, 10.0, 2.0, 2.0)
    columns = {"skymap": ["grid"], "id": [77], "region": [encode(region)]}

    registry.records.insert("tract", columns)

    assert _overlaps(registry, 77) == htm7_envelope(region).tolist()


def test_pixels_follow_when_a_region_is_replaced(registry: Registry) -> None:
    region = box(10.0, 10.0, 2.0, 2.0)
    columns = {"skymap": ["grid"], "id": [1], "region": [encode(region)]}

    registry.records.insert("tract", columns, on_conflict="replace")
    assert _overlaps(registry, 1) == htm7_envelope(region).tolist()

    registry.records.insert("tract", {"skymap": ["grid"], "id": [1]}, on_conflict="replace")
    assert _overlaps(registry, 1) == htm7_envelope(region).tolist()

    registry.records.insert(
        "tract", {"skymap": ["grid"], "id": [1], "region": [None]}, on_conflict="replace"
    )
    assert _overlaps(registry, 1) == []


def test_a_record_is_synced_unless_it_differs(registry: Registry) -> None:
    values = {"instrument": "CamB", "id": 8, "full_name": "D8"}

    assert registry.records.sync("detector", values) is True
    assert registry.records.sync("detector", values) is False
    with pytest.raises(RecordConflictError, match=r"full_name: 'D8' is not 'other'"):
        registry.records.sync("detector", values | {"full_name": "other"})
    assert registry.records.sync("detector", values | {"full_name": "other"}, update=True) is True
    assert registry.records.fetch("detector", {"id": 8, "instrument": "CamB"})["full_name"] == [
        "other"
    ]


def test_bands_are_those_of_the_physical_filters(registry: Registry) -> None:
    assert registry.records.fetch("band") == {"name": ["g", "i", "r", "z"]}


def test_records_are_deleted_with_their_pixels(registry: Registry) -> None:
    registry.records.delete("patch", {"skymap": "cap", "tract": 0})

    assert registry.records.delete("tract", {"skymap": "cap", "id": 0}) == 1
    assert len(registry.records.fetch("tract", {"skymap": "cap"})["id"]) == 1
