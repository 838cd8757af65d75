from __future__ import annotations

import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from butler_core import DataCoordinate, DimensionUniverse
from butler_core.errors import DataIdError, UnknownDimensionError

universe = DimensionUniverse.default()
RAW = universe.conform(["exposure", "detector"])
FULL = {
    "band": "r", "instrument": "LATISS", "day_obs": 20210707, "detector": 0, "group": "g",
    "physical_filter": "RG610", "exposure": 17,
}  # fmt: skip


def _raw(**more: Any) -> DataCoordinate:
    return DataCoordinate.standardize(
        instrument="LATISS", exposure=17, detector=0, group=None, universe=universe, **more
    )


def test_equality_and_hash_ignore_implied_values() -> None:
    plain = _raw()
    full = plain.expanded(FULL)

    assert plain == full
    assert hash(plain) == hash(full)
    assert len({plain, full}) == 1


def test_a_data_id_is_a_mapping_of_its_required_values() -> None:
    data_id = _raw().expanded(FULL)

    assert dict(data_id) == {"instrument": "LATISS", "detector": 0, "exposure": 17}
    assert data_id == {"instrument": "LATISS", "exposure": 17, "detector": 0}
    assert data_id["physical_filter"] == "RG610"
    assert "band" in data_id
    assert len(data_id) == 3


def test_implied_values_that_are_not_known_are_not_made_up() -> None:
    data_id = _raw()

    assert not data_id.has_full()
    assert "band" not in data_id
    with pytest.raises(KeyError):
        data_id["band"]
    with pytest.raises(DataIdError, match="expand"):
        _ = data_id.full
    with pytest.raises(DataIdError, match="expand"):
        _ = data_id.records


def test_data_ids_of_other_dimensions_differ() -> None:
    one = DataCoordinate.standardize(instrument="X", detector=1, universe=universe)
    other = DataCoordinate.standardize(instrument="X", exposure=1, universe=universe)

    assert one != other
    assert one != 3


@given(st.permutations(["instrument", "exposure", "detector"]))
def test_the_order_of_the_values_given_does_not_matter(order: list[str]) -> None:
    values = {"instrument": "LATISS", "exposure": 17, "detector": 0}

    data_id = DataCoordinate.standardize({name: values[name] for name in order}, universe=universe)

    assert data_id == _raw()
    assert data_id.values_required == ("LATISS", 0, 17)


@pytest.mark.parametrize("value", [17, "17", np.int64(17), np.uint8(17), "017"])
def test_integers_in_any_form_are_the_same(value: Any) -> None:
    data_id = DataCoordinate.standardize(instrument="L", exposure=value, universe=universe)

    assert data_id["exposure"] == 17
    assert type(data_id["exposure"]) is int


@pytest.mark.parametrize("value", [1.5, 17.0, True, "one", "--5", "²", "1 7", b"17", [17]])
def test_what_is_no_integer_is_refused(value: Any) -> None:
    with pytest.raises(DataIdError, match="exposure must be an integer"):
        DataCoordinate.standardize(instrument="L", exposure=value, universe=universe)


def test_all_faults_are_told_together() -> None:
    with pytest.raises(DataIdError, match=r"instrument must be a string.*exposure must be"):
        DataCoordinate.standardize(instrument=3, exposure=1.5, universe=universe)


def test_what_is_missing_is_named() -> None:
    with pytest.raises(DataIdError, match=r"detector not given \(got .*LATISS"):
        DataCoordinate.standardize(instrument="LATISS", exposure=1, group=RAW)


def test_an_unknown_name_is_refused_where_no_group_is_given() -> None:
    with pytest.raises(UnknownDimensionError, match="'detectr'"):
        DataCoordinate.standardize(instrument="LATISS", detectr=1, universe=universe)


def test_defaults_fill_what_nobody_gave() -> None:
    data_id = DataCoordinate.standardize(
        {"exposure": 17, "detector": 0}, group=RAW, defaults={"instrument": "LATISS", "detector": 9}
    )

    assert data_id == _raw()


def test_a_subset_keeps_what_is_known() -> None:
    data_id = _raw().expanded(FULL, {"detector": None, "exposure": None})

    part = data_id.subset(universe.conform(["physical_filter"]))

    assert part == {"instrument": "LATISS", "physical_filter": "RG610"}
    assert part.full["band"] == "r"
    assert dict(part.records) == {}
    assert data_id.subset(RAW) is data_id


def test_a_subset_of_what_is_not_known_is_refused() -> None:
    with pytest.raises(DataIdError, match="physical_filter not given"):
        _raw().subset(universe.conform(["physical_filter"]))


@pytest.mark.parametrize("make", [_raw, lambda: _raw().expanded(FULL, {"detector": None})])
def test_data_ids_survive_pickling(make: Callable[[], DataCoordinate]) -> None:
    data_id = make()

    again = pickle.loads(pickle.dumps(data_id))

    assert again == data_id
    assert again.mapping == data_id.mapping
    assert again.has_records() == data_id.has_records()
    assert again.group is data_id.group


def test_the_empty_data_id_has_everything() -> None:
    empty = DataCoordinate.make_empty(universe)

    assert empty.has_full()
    assert dict(empty) == {}
    assert repr(empty) == "{}"


def test_a_data_id_prints_required_values_first() -> None:
    assert repr(_raw().expanded(FULL)).startswith(
        "{instrument: 'LATISS', detector: 0, exposure: 17"
    )


def test_json_has_all_known_values_in_the_groups_order() -> None:
    assert list(_raw().expanded(FULL).to_json()) == list(RAW.names)
