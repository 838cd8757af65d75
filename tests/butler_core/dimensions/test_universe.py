from __future__ import annotations

import pickle
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from butler_core import DimensionUniverse
from butler_core.dimensions.universe_file import parse_universe
from butler_core.errors import ConfigError, UnknownDimensionError

universe = DimensionUniverse.default()
NAMES = [e.name for e in universe if e.is_dimension and (e.skypix is None or e.name == "htm7")]
some_names = st.lists(st.sampled_from(NAMES), max_size=5)


@given(some_names)
def test_a_group_holds_all_that_its_dimensions_require_and_imply(names: list[str]) -> None:
    group = universe.conform(names)

    assert set(names) <= set(group.names)
    for name in group:
        assert {*universe[name].required, *universe[name].implied} <= set(group.names)


@given(some_names)
def test_conforming_twice_changes_nothing(names: list[str]) -> None:
    group = universe.conform(names)

    assert universe.conform(group.names) is group
    assert universe.conform(group.required) is group
    assert universe.conform(reversed(names)) is group


@given(some_names, some_names)
def test_the_union_of_groups_is_the_group_of_the_union(a: list[str], b: list[str]) -> None:
    one, other = universe.conform(a), universe.conform(b)

    union = one | other

    assert union is universe.conform([*a, *b])
    assert one <= union
    assert other <= union


@given(some_names, some_names)
def test_the_intersection_of_groups_lies_in_both(a: list[str], b: list[str]) -> None:
    one, other = universe.conform(a), universe.conform(b)

    common = one & other

    assert common <= one
    assert common <= other
    assert set(common.names) == set(one.names) & set(other.names)


@given(some_names)
def test_names_stand_in_the_universes_order(names: list[str]) -> None:
    group = universe.conform(names)

    assert list(group.names) == sorted(group.names, key=lambda name: universe[name].index)
    assert set(group.required) | set(group.implied) == set(group.names)
    assert not set(group.required) & set(group.implied)


@given(some_names)
def test_a_group_survives_pickling(names: list[str]) -> None:
    group = universe.conform(names)

    assert pickle.loads(pickle.dumps(group)) is group


@pytest.mark.parametrize(
    ("names", "required", "implied"),
    [
        ((), (), ()),
        (("band",), ("band",), ()),
        (("physical_filter",), ("instrument", "physical_filter"), ("band",)),
        (("band", "physical_filter"), ("instrument", "physical_filter"), ("band",)),
        (
            ("exposure", "detector"),
            ("instrument", "detector", "exposure"),
            ("band", "day_obs", "group", "physical_filter"),
        ),
        (
            ("visit",),
            ("instrument", "visit"),
            ("band", "day_obs", "physical_filter"),
        ),
        (("patch", "band"), ("band", "skymap", "tract", "patch"), ()),
        (("htm7",), ("htm7",), ()),
        (
            ("detector", "physical_filter"),
            ("instrument", "detector", "physical_filter"),
            ("band",),
        ),
        (("subfilter", "tract"), ("band", "skymap", "subfilter", "tract"), ()),
    ],
)
def test_groups_have_the_required_and_implied_dimensions_of_daf_butler(
    names: tuple[str, ...], required: tuple[str, ...], implied: tuple[str, ...]
) -> None:
    group = universe.conform(names)

    assert group.required == required
    assert group.implied == implied


@pytest.mark.parametrize(
    ("names", "spatial", "temporal"),
    [
        (("visit",), ["visit"], ["visit"]),
        (("visit", "detector"), ["visit_detector_region"], ["visit"]),
        (("visit", "exposure"), ["visit"], ["exposure"]),
        (("patch", "visit"), ["patch", "visit"], ["visit"]),
        (("tract",), ["tract"], []),
        (("day_obs",), [], ["day_obs"]),
        (("htm7", "htm9"), ["htm9"], []),
        (("htm7", "healpix9", "tract"), ["healpix9", "htm7", "tract"], []),
        (("detector",), [], []),
    ],
)
def test_the_finest_element_of_each_family_joins(
    names: tuple[str, ...], spatial: list[str], temporal: list[str]
) -> None:
    group = universe.conform(names)

    assert [element.name for element in group.spatial] == spatial
    assert [element.name for element in group.temporal] == temporal


def test_combinations_belong_to_groups_that_have_all_they_require() -> None:
    group = universe.conform(["exposure", "visit", "detector"])

    names = [element.name for element in group.elements]

    assert "visit_definition" in names
    assert "visit_detector_region" in names
    assert "visit_system_membership" not in names


def test_elements_stand_after_all_that_they_refer_to() -> None:
    for element in universe:
        for name in {*element.required, *element.implied} - {element.name}:
            assert universe[name].index < element.index


def test_an_unknown_dimension_is_named_with_near_misses() -> None:
    with pytest.raises(UnknownDimensionError, match=r"'exposrue'.*Did you mean 'exposure'"):
        universe.conform(["exposrue", "detector"])
    with pytest.raises(UnknownDimensionError, match="'vist'"):
        universe["vist"]


def test_a_combination_is_no_dimension_to_conform() -> None:
    with pytest.raises(UnknownDimensionError, match="visit_definition"):
        universe.conform(["visit_definition"])


def test_elements_and_universes_survive_pickling() -> None:
    element = pickle.loads(pickle.dumps(universe["exposure"]))

    assert element is universe["exposure"]
    assert pickle.loads(pickle.dumps(universe)) is universe


def test_a_universe_of_ones_own_can_be_pickled() -> None:
    config = {
        "version": 1,
        "common_skypix": "htm7",
        "elements": {"camera": {"key": {"name": "text(8)"}}},
    }
    own = DimensionUniverse(config)

    again = pickle.loads(pickle.dumps(own))

    assert [element.name for element in again] == ["camera"]
    assert again["camera"].key == own["camera"].key


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"a": {"key": {"id": "int"}, "requires": ["b"]}}, "'a' refers to 'b'"),
        ({"a": {"key": {"id": "number"}}}, "type 'number'"),
        ({"a": {"key": {"id": "int"}, "columns": {"x": "text(3"}}}, r"type 'text\(3'"),
    ],
)
def test_a_faulty_universe_is_refused(changed: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        DimensionUniverse({"version": 1, "common_skypix": "htm7", "elements": changed})


@pytest.mark.parametrize("text", ["a: [", "just text", "version: 1"])
def test_a_file_that_is_no_universe_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="dimension universe"):
        parse_universe(text)
