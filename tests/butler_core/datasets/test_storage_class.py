from __future__ import annotations

import pickle
import subprocess
import sys

import numpy as np
import pytest
from astropy.nddata import CCDData
from astropy.table import Table

from butler_core.datasets.storage_class import StorageClass, StorageClassRegistry, can_convert
from butler_core.errors import (
    ConfigError,
    StorageClassMismatchError,
    UnknownStorageClassError,
)
from butler_core.formatters.exposure import Exposure, FilterLabel


@pytest.fixture
def registry() -> StorageClassRegistry:
    return StorageClassRegistry.default()


@pytest.mark.parametrize(
    "name",
    [
        "Exposure", "ExposureF", "ExposureI", "ExposureU", "ImageF", "MaskedImageF", "Mask",
        "MaskX", "DecoratedImageU", "Wcs", "Psf", "PhotoCalib", "Filter", "FilterLabel",
        "VisitInfo",
        "Detector", "Camera", "Defects", "IsrCalib", "SimpleCatalog", "SourceCatalog",
        "ExposureCatalog", "AstropyTable", "ArrowAstropy", "DataFrame", "ArrowTable", "ArrowNumpy",
        "NumpyArray", "ArrowNumpyDict", "StructuredData", "StructuredDataDict",
        "StructuredDataList", "StructuredDataNoComponents", "Packages", "TaskMetadata",
        "ButlerLogRecords", "Config", "Plot", "MetricValue", "MetricMeasurementBundle", "SkyMap",
        "Background", "TransmissionCurve", "CrosstalkCalib", "Linearizer", "BrighterFatterKernel",
        "int",
    ],
)  # fmt: skip
def test_rubins_names_are_known(registry: StorageClassRegistry, name: str) -> None:
    assert registry.get(name).name == name


def test_unknown_name_offers_near_misses(registry: StorageClassRegistry) -> None:
    with pytest.raises(UnknownStorageClassError, match="Did you mean 'ExposureF'"):
        registry.get("ExposrueF")


def test_every_packaged_component_has_a_storage_class(registry: StorageClassRegistry) -> None:
    for name in registry:
        for component in registry.get(name).all_components:
            assert registry.component_of(name, component).name in registry


def test_inherited_components_and_parameters(registry: StorageClassRegistry) -> None:
    exposure = registry.get("ExposureF")

    assert exposure.pytype is Exposure
    assert exposure.component("wcs") == "Wcs"
    assert exposure.component("bbox") == "Box2I"
    assert exposure.parameters == {"bbox", "origin"}


def test_unknown_component_names_those_there_are(registry: StorageClassRegistry) -> None:
    with pytest.raises(UnknownStorageClassError, match=r"no component 'wsc'.*Did you mean 'wcs'"):
        registry.get("Exposure").component("wsc")


def test_reading_the_table_imports_no_science_library() -> None:
    code = (
        "import sys; from butler_core.datasets.storage_class import StorageClassRegistry as R;"
        "R.default().get('ExposureF');"
        "sys.exit(' '.join({'numpy', 'astropy'} & set(sys.modules)) or 0)"
    )

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_check_returns_an_object_of_the_type_unchanged(registry: StorageClassRegistry) -> None:
    table = Table({"a": [1]})

    assert registry.get("SourceCatalog").check(table) is table


def test_check_converts(registry: StorageClassRegistry) -> None:
    array = np.array([(1, 2.0)], dtype=[("a", int), ("b", float)])

    assert registry.get("ArrowAstropy").check(array).colnames == ["a", "b"]
    assert registry.get("ArrowNumpy").check(Table(array)).dtype.names == ("a", "b")
    assert list(registry.get("ArrowNumpyDict").check(array)) == ["a", "b"]
    assert isinstance(registry.get("ExposureF").check(CCDData([[1.0]], unit="adu")), Exposure)
    assert registry.get("ImageF").check(np.zeros((2, 3))).bbox.nx == 3
    assert registry.get("FilterLabel").check("r_03") == FilterLabel(physical="r_03")
    assert registry.get("StructuredDataList").check((1, 2)) == [1, 2]


def test_check_says_what_was_expected_and_given(registry: StorageClassRegistry) -> None:
    with pytest.raises(StorageClassMismatchError, match=r"holds astropy.table.Table, not int"):
        registry.get("ArrowAstropy").check(3)


def test_a_converter_that_fails_is_a_mismatch(registry: StorageClassRegistry) -> None:
    with pytest.raises(StorageClassMismatchError, match="two axes"):
        registry.get("ImageF").check(np.zeros(3))


def test_object_takes_anything(registry: StorageClassRegistry) -> None:
    thing = object()

    assert registry.get("Linearizer").check(thing) is thing


def test_subclasses_are_convertible_to_their_parents(registry: StorageClassRegistry) -> None:
    qtable, table = registry.get("AstropyQTable"), registry.get("ArrowAstropy")

    assert can_convert(qtable, table)
    assert can_convert(table, qtable)


@pytest.mark.parametrize(
    ("source", "target", "expected"),
    [
        ("SimpleCatalog", "SourceCatalog", True),
        ("ArrowAstropy", "ArrowNumpy", True),
        ("ExposureF", "Exposure", True),
        ("ExposureF", "ArrowAstropy", False),
        ("Linearizer", "ExposureF", False),
        ("ExposureF", "Linearizer", True),
    ],
)
def test_can_convert(
    registry: StorageClassRegistry, source: str, target: str, expected: bool
) -> None:
    assert can_convert(registry.get(source), registry.get(target)) is expected


def test_types_that_are_not_installed_are_not_convertible() -> None:
    registry = StorageClassRegistry({"Far": {"pytype": "no_such_package.Thing"}})

    assert not can_convert(registry.get("Far"), registry.get("ArrowAstropy"))
    with pytest.raises(ConfigError, match="install the package 'no_such_package'"):
        registry.get("Far").check(3)


def test_extra_definitions_inherit_and_replace() -> None:
    registry = StorageClassRegistry(
        {
            "Mine": {"inheritsFrom": "ExposureF", "parameters": ["tile"]},
            "int": {"pytype": "float"},
        }
    )

    assert registry.get("Mine").parameters == {"bbox", "origin", "tile"}
    assert registry.get("int").pytype is float


def test_faults_of_definitions_are_told_together() -> None:
    with pytest.raises(ConfigError) as caught:
        StorageClassRegistry(
            {
                "A": {"pytpe": "int"},
                "B": {"inheritsFrom": "Nothing"},
                "C": {"pytype": "int", "components": {"x": "Nowhere"}},
                "D": {"inheritsFrom": "E"},
                "E": {"inheritsFrom": "D"},
            }
        )

    text = str(caught.value)
    for part in ("'pytpe'", "'Nothing'", "'Nowhere'", "'D' inherits from itself"):
        assert part in text


def test_storage_classes_travel_and_compare(registry: StorageClassRegistry) -> None:
    exposure = registry.get("ExposureF")

    assert pickle.loads(pickle.dumps(exposure)) == exposure
    assert len({exposure, registry.get("ExposureF")}) == 1
    assert StorageClass("x", "int") != StorageClass("x", "float")
