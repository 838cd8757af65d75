from __future__ import annotations

import uuid
from collections.abc import Callable

import pytest

from butler_core import Butler, DatasetType
from butler_core.datasets import DatasetIdMode
from butler_core.errors import DatasetExistsError, MissingRecordError
from butler_core.registry.dataset_types import RegisteredType
from butler_core.registry.registry import Registry


@pytest.fixture
def registry(make_butler: Callable[..., Butler]) -> Registry:
    """Return the small world's records, with two dataset types and two runs."""
    registry = make_butler().repository.registry
    for name, dimensions in (("raw", ["exposure", "detector"]), ("note", [])):
        registry.dataset_types.register(
            DatasetType.of(name, dimensions, "int", universe=registry.universe)
        )
    for run in ("run/1", "run/2"):
        registry.collections.register(run)
    return registry


@pytest.fixture
def raw(registry: Registry) -> RegisteredType:
    return registry.dataset_types.get("raw")


def _columns(*pairs: tuple[int, int]) -> dict[str, list]:
    return {
        "instrument": ["CamA"] * len(pairs),
        "exposure": [exposure for exposure, _ in pairs],
        "detector": [detector for _, detector in pairs],
    }


def _insert(registry: Registry, raw: RegisteredType, run: str, *pairs: tuple[int, int], **more):
    return registry.datasets.insert(raw, registry.collections.get(run), _columns(*pairs), **more)


def test_datasets_are_found_by_id(registry: Registry, raw: RegisteredType) -> None:
    inserted = _insert(registry, raw, "run/1", (100, 0), (101, 1))

    found = registry.datasets.find_ids([*inserted.ids, b"x" * 16])

    assert set(found) == set(inserted.ids)
    ref, key = found[inserted.ids[1]]
    assert ref.data_id == {"instrument": "CamA", "exposure": 101, "detector": 1}
    assert (ref.run, ref.dataset_type, key) == ("run/1", raw.dataset_type, inserted.keys[1])
    assert registry.datasets.keys_of([ref]) == {ref.id.bytes: key}


def test_a_run_holds_a_data_id_once(registry: Registry, raw: RegisteredType) -> None:
    _insert(registry, raw, "run/1", (100, 0))
    _insert(registry, raw, "run/2", (100, 0))

    with pytest.raises(
        DatasetExistsError, match=r"'run/1' holds 'raw' for .*exposure: 100\} already"
    ):
        _insert(registry, raw, "run/1", (101, 0), (100, 0))
    assert registry.datasets.in_run(registry.collections.get("run/1"))["raw"]["exposure"] == [100]


def test_a_data_id_given_twice_is_told(registry: Registry, raw: RegisteredType) -> None:
    with pytest.raises(DatasetExistsError, match="was given twice for run 'run/1'"):
        _insert(registry, raw, "run/1", (100, 0), (100, 0))


def test_an_id_belongs_to_one_dataset(registry: Registry, raw: RegisteredType) -> None:
    inserted = _insert(registry, raw, "run/1", (100, 0))

    with pytest.raises(DatasetExistsError, match=r"belongs to raw@.*already"):
        _insert(registry, raw, "run/1", (101, 0), ids=inserted.ids)


def test_a_data_id_without_records_is_refused(registry: Registry, raw: RegisteredType) -> None:
    with pytest.raises(MissingRecordError, match=r"no dimension record of exposure .*999"):
        _insert(registry, raw, "run/1", (100, 0), (999, 0))
    with pytest.raises(MissingRecordError, match=r"no dimension record of detector .*77.* 1 more"):
        _insert(registry, raw, "run/1", (100, 77), (101, 78))


def test_a_type_of_no_dimensions_has_one_dataset_a_run(registry: Registry) -> None:
    note = registry.dataset_types.get("note")
    run = registry.collections.get("run/1")
    registry.datasets.insert(note, run, {})

    with pytest.raises(DatasetExistsError, match="run 'run/1' holds 'note' already"):
        registry.datasets.insert(note, run, {})


def test_reproducible_ids_are_the_same_in_every_insertion(
    registry: Registry, raw: RegisteredType
) -> None:
    first = _insert(registry, raw, "run/1", (100, 0), id_mode=DatasetIdMode.DATAID_TYPE_RUN)
    registry.datasets.delete(first.keys)

    again = _insert(registry, raw, "run/1", (100, 0), id_mode=DatasetIdMode.DATAID_TYPE_RUN)

    assert first.ids == again.ids
    assert uuid.UUID(bytes=first.ids[0]).version == 5


def test_collections_that_hold_a_type_are_named(registry: Registry, raw: RegisteredType) -> None:
    _insert(registry, raw, "run/2", (100, 0))

    held = registry.datasets.holds(raw, registry.collections.resolve(["run/*"]))

    assert held == {"run/2"}


def test_deleted_datasets_are_gone_and_counted(registry: Registry, raw: RegisteredType) -> None:
    inserted = _insert(registry, raw, "run/1", (100, 0), (101, 0), (102, 0))

    assert registry.datasets.delete(inserted.keys[:2]) == 2
    assert registry.datasets.delete(inserted.keys[:2]) == 0
    assert set(registry.datasets.find_ids(inserted.ids)) == {inserted.ids[2]}


def test_many_datasets_keep_their_order(registry: Registry, raw: RegisteredType) -> None:
    pairs = [(100 + e, d) for e in range(14) for d in range(4)]

    inserted = _insert(registry, raw, "run/1", *pairs)

    found = registry.datasets.find_ids(inserted.ids)
    assert [
        (found[i][0].data_id["exposure"], found[i][0].data_id["detector"]) for i in inserted.ids
    ] == pairs
    assert inserted.keys == sorted(inserted.keys)
