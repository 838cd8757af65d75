from __future__ import annotations

import pickle
import uuid

import pytest

from butler_core import DataCoordinate, DatasetRef, DatasetType, DimensionUniverse
from butler_core.errors import DatasetTypeError

universe = DimensionUniverse.default()


def _raw() -> DatasetType:
    return DatasetType.of("raw", ["exposure", "detector"], "Exposure", universe=universe)


def _ref(id_: int = 1, run: str = "LATISS/raw/all") -> DatasetRef:
    data_id = DataCoordinate.standardize(
        instrument="LATISS", exposure=1, detector=0, universe=universe
    )
    return DatasetRef(_raw(), data_id, run, uuid.UUID(int=id_))


@pytest.mark.parametrize("name", ["", "a-b", "1st", "a.b.c", "a b", ".wcs", "raw.", "é"])
def test_names_that_cannot_be_part_of_a_path_or_query_are_refused(name: str) -> None:
    with pytest.raises(DatasetTypeError, match="cannot name a dataset type"):
        DatasetType.of(name, [], "int", universe=universe)


def test_dimensions_in_any_order_make_the_same_type() -> None:
    other = DatasetType.of(
        "raw", ["detector", "instrument", "exposure"], "Exposure", universe=universe
    )

    assert other == _raw()
    assert hash(other) == hash(_raw())


def test_a_component_has_its_parents_dimensions() -> None:
    wcs = _raw().make_component("wcs", "Wcs")

    assert (wcs.name, wcs.parent_name, wcs.component) == ("raw.wcs", "raw", "wcs")
    assert wcs.nameAndComponent() == ("raw", "wcs")
    assert wcs.dimensions is _raw().dimensions
    assert wcs.storage_class == "Wcs"
    assert _raw().component is None


def test_types_survive_pickling() -> None:
    assert pickle.loads(pickle.dumps(_raw())) == _raw()


def test_references_are_equal_if_id_and_type_are() -> None:
    assert _ref() == _ref(run="elsewhere")
    assert _ref() != _ref(2)
    assert len({_ref(), _ref(run="elsewhere")}) == 1


def test_a_component_of_a_reference_keeps_its_id() -> None:
    component = _ref().make_component_ref("wcs", "Wcs")

    assert component.id == _ref().id
    assert component.dataset_type.name == "raw.wcs"
    with pytest.raises(DatasetTypeError, match="component already"):
        component.make_component_ref("x", "Wcs")


def test_a_reference_prints_all_that_finds_it() -> None:
    assert str(_ref()) == (
        "raw@{instrument: 'LATISS', detector: 0, exposure: 1} [LATISS/raw/all] "
        "(00000000-0000-0000-0000-000000000001)"
    )


def test_the_spellings_of_notebooks_work() -> None:
    assert _ref().dataId == _ref().data_id
    assert _ref().datasetType == _raw()
    assert _raw().isCalibration is False
