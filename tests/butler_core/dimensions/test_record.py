from __future__ import annotations

import copy
import pickle

import pytest

from butler_core import DimensionUniverse
from butler_core.dimensions import DimensionRecord

universe = DimensionUniverse.default()


def _detector(**more: object) -> DimensionRecord:
    values = {"instrument": "LATISS", "id": 0, "full_name": "RXX_S00", "raft": None}
    return DimensionRecord(universe["detector"], {**values, **more})


def test_fields_are_attributes() -> None:
    record = _detector()

    assert record.id == 0
    assert record.full_name == "RXX_S00"
    assert record.raft is None
    with pytest.raises(AttributeError, match="'detector' has no field 'rafts'; its fields are"):
        _ = record.rafts


def test_a_record_knows_its_data_id() -> None:
    assert _detector().data_id == {"instrument": "LATISS", "detector": 0}


def test_records_compare_by_all_fields_and_hash_by_key() -> None:
    same, other = _detector(), _detector(raft="R0")

    assert _detector() == same
    assert _detector() != other
    assert hash(_detector()) == hash(other)


def test_records_can_be_copied_and_pickled() -> None:
    record = _detector()

    assert pickle.loads(pickle.dumps(record)) == record
    assert copy.deepcopy(record) == record


def test_the_dict_of_a_record_is_its_own() -> None:
    record = _detector()

    record.to_dict()["raft"] = "changed"

    assert record.raft is None
