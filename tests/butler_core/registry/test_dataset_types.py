from __future__ import annotations

import pytest

from butler_core import CollectionType, DatasetType, DimensionUniverse
from butler_core.errors import (
    DatasetTypeConflictError,
    DatasetTypeError,
    DatasetTypeInUseError,
    UnknownDatasetTypeError,
)
from butler_core.registry.address import RegistryAddress
from butler_core.registry.registry import Registry

universe = DimensionUniverse.default()


def _type(name: str, *dimensions: str, storage_class: str = "int") -> DatasetType:
    return DatasetType.of(name, dimensions, storage_class, universe=universe)


def test_a_type_registered_twice_was_there(registry: Registry) -> None:
    assert registry.dataset_types.register(_type("raw", "exposure", "detector")) is True
    assert registry.dataset_types.register(_type("raw", "detector", "exposure")) is False
    assert registry.dataset_types.get("raw").dataset_type == _type("raw", "exposure", "detector")


@pytest.mark.parametrize(
    "other",
    [
        _type("raw", "exposure"),
        _type("raw", "exposure", "detector", storage_class="float"),
        DatasetType.of(
            "raw", ["exposure", "detector"], "int", universe=universe, is_calibration=True
        ),
    ],
)
def test_another_definition_under_the_same_name_is_refused(
    registry: Registry, other: DatasetType
) -> None:
    registry.dataset_types.register(_type("raw", "exposure", "detector"))

    with pytest.raises(DatasetTypeConflictError, match=r"'raw' is registered as .* asked for"):
        registry.dataset_types.register(other)


def test_a_component_is_never_registered_but_finds_its_parent(registry: Registry) -> None:
    registry.dataset_types.register(_type("raw", "exposure"))

    with pytest.raises(DatasetTypeError, match="register 'raw'"):
        registry.dataset_types.register(_type("raw.wcs", "exposure"))
    assert registry.dataset_types.get("raw.wcs").dataset_type.name == "raw"


def test_an_unknown_type_is_named_with_near_misses(registry: Registry) -> None:
    registry.dataset_types.register(_type("calexp", "visit"))

    with pytest.raises(UnknownDatasetTypeError, match=r"no dataset type 'calexpp'.*'calexp'"):
        registry.dataset_types.get("calexpp")


def test_types_of_one_dimension_group_share_tables(registry: Registry) -> None:
    for name in ("a", "b"):
        registry.dataset_types.register(_type(name, "visit", "detector"))
    registry.dataset_types.register(_type("c", "visit"))
    types = registry.dataset_types

    assert types.get("a").tables is types.get("b").tables
    assert types.get("a").group_id != types.get("c").group_id


def test_names_are_found_by_pattern_in_order(registry: Registry) -> None:
    for name in ("raw", "calexp", "calexpBackground"):
        registry.dataset_types.register(_type(name))

    found = registry.dataset_types.resolve(["raw", "cal*"])

    assert [r.dataset_type.name for r in found] == ["calexp", "calexpBackground", "raw"]


def test_another_process_sees_a_new_type(registry: Registry, address: RegistryAddress) -> None:
    other = Registry.open(address, writeable=False)
    registry.dataset_types.register(_type("raw", "exposure"))

    assert other.dataset_types.get("raw").dataset_type == _type("raw", "exposure")
    other.close()


def test_a_type_whose_registration_was_undone_is_not_remembered(registry: Registry) -> None:
    with pytest.raises(KeyError), registry.database.transaction():  # noqa: PT012 - the step that fails ends it
        registry.dataset_types.register(_type("raw", "exposure", "detector"))
        raise KeyError

    assert registry.dataset_types.find("raw") is None
    assert registry.dataset_types.register(_type("calexp", "visit")) is True
    assert registry.dataset_types.register(_type("raw", "tract")) is True
    assert "visit" in registry.dataset_types.get("calexp").tables.dataset.c
    assert "tract" in registry.dataset_types.get("raw").tables.dataset.c


def test_a_type_with_datasets_cannot_go(registry: Registry) -> None:
    registry.dataset_types.register(_type("note"))
    registered = registry.dataset_types.get("note")
    registry.collections.register("run", CollectionType.RUN)
    inserted = registry.datasets.insert(registered, registry.collections.get("run"), {})

    with pytest.raises(DatasetTypeInUseError, match="'note' cannot go while datasets"):
        registry.dataset_types.remove("note")
    registry.datasets.delete(inserted.keys)
    registry.dataset_types.remove("note")
    assert registry.dataset_types.find("note") is None


def test_the_key_of_a_type_that_is_gone_is_not_given_again(registry: Registry) -> None:
    registry.dataset_types.register(_type("old"))
    key = registry.dataset_types.get("old").key
    registry.dataset_types.remove("old")

    registry.dataset_types.register(_type("new"))

    assert registry.dataset_types.get("new").key != key
