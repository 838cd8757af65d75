from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from butler_core import DimensionUniverse
from butler_core.errors import QueryError
from butler_core.queries.join_plan import JoinPlan, plan_joins

universe = DimensionUniverse.default()
NAMES = [e.name for e in universe if e.is_dimension and e.skypix is None]


def _plan(*names: str, datasets: tuple[tuple[str, ...], ...] = (), **more: object) -> JoinPlan:
    groups = [universe.conform(dimensions) for dimensions in datasets]
    group = universe.conform([*names, *(name for one in groups for name in one)])
    return plan_joins(group, datasets=groups, **more)  # type: ignore[arg-type]


def _joined(plan: JoinPlan) -> set[str]:
    return {element.name for element in plan.elements}


def _pairs(plan: JoinPlan) -> list[tuple[str, str]]:
    return [(first.name, second.name) for first, second in plan.spatial]


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        ((), set()),
        (("instrument",), {"instrument"}),
        (("detector",), {"detector"}),
        (("exposure", "detector"), {"exposure", "detector", "physical_filter"}),
        (("band",), {"band"}),
        (("tract", "band"), {"tract", "band"}),
        (("exposure", "subfilter"), {"exposure", "subfilter", "physical_filter"}),
        (("visit", "exposure"), {"visit_definition", "visit", "exposure", "physical_filter"}),
    ],
)
def test_tables_that_give_all_values_are_joined_and_no_others(
    names: tuple[str, ...], expected: set[str]
) -> None:
    plan = _plan(*names)

    assert _joined(plan) <= expected | {"physical_filter"}
    assert _given(plan) >= set(universe.conform(names).names)


def _given(plan: JoinPlan) -> set[str]:
    return {name for e in plan.elements for name in (*e.required, *e.implied)}


@given(st.sets(st.sampled_from(NAMES), max_size=3))
def test_every_dimension_has_its_value_from_some_table(names: set[str]) -> None:
    plan = _plan(*names)

    assert set(plan.group.names) <= _given(plan)


def test_required_values_alone_need_no_table_of_what_they_imply() -> None:
    plan = _plan("exposure", "detector", values=("instrument", "exposure", "detector"))

    assert _joined(plan) == {"exposure", "detector"}


def test_a_dataset_gives_the_values_of_its_dimensions() -> None:
    plan = _plan(
        "exposure",
        datasets=(("exposure", "detector"),),
        values=("instrument", "exposure", "detector"),
    )

    assert plan.elements == ()


def test_a_datasets_filter_must_be_the_visits() -> None:
    plan = _plan("visit", datasets=(("detector", "physical_filter"),))

    assert "visit" in _joined(plan)


def test_visits_and_exposures_are_related_by_their_definition() -> None:
    assert "visit_definition" in _joined(_plan("visit", "exposure"))
    assert "visit_system_membership" in _joined(_plan("visit", "visit_system"))
    assert "visit_definition" not in _joined(
        _plan("visit", datasets=(("visit", "exposure"),), values=("visit",))
    )


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (("visit",), []),
        (("visit", "tract"), [("tract", "visit")]),
        (("visit", "detector", "patch"), [("patch", "visit_detector_region")]),
        (("visit", "htm7"), [("visit", "htm7")]),
        (("detector", "patch"), []),
        (("visit", "patch", "htm7"), [("patch", "visit"), ("patch", "htm7"), ("visit", "htm7")]),
    ],
)
def test_the_finest_regions_are_joined(
    names: tuple[str, ...], expected: list[tuple[str, str]]
) -> None:
    assert sorted(_pairs(_plan(*names))) == sorted(expected)


def test_what_a_dataset_relates_is_not_joined_again() -> None:
    assert _pairs(_plan("visit", "tract", datasets=(("visit", "tract"),))) == []
    assert _pairs(_plan("visit", datasets=(("htm7",),))) == [("visit", "htm7")]


def test_a_dataset_of_whole_visits_does_not_relate_their_detectors() -> None:
    plan = _plan("detector", datasets=(("visit", "htm7"),))

    assert _pairs(plan) == [("visit_detector_region", "htm7")]


def test_the_band_of_a_subfilter_is_that_of_the_exposures_filter() -> None:
    assert {"exposure", "physical_filter", "subfilter"} <= _joined(_plan("exposure", "subfilter"))


def test_regions_that_the_query_relates_replace_the_finest() -> None:
    said = (universe["visit"], universe["tract"])

    plan = _plan("visit", "detector", "patch", overlaps=[said])

    assert _pairs(plan) == [("visit", "tract")]
    assert {"visit", "tract", "patch"} <= _joined(plan)


def test_a_pixel_without_anything_to_relate_it_to_is_refused() -> None:
    with pytest.raises(QueryError, match="'htm7' needs something to relate it to"):
        _plan("htm7")
    with pytest.raises(QueryError, match="two kinds of region at most"):
        _plan("htm7", "healpix3")


def test_elements_whose_fields_are_used_are_joined() -> None:
    assert "detector" in _joined(
        _plan(datasets=(("detector", "exposure"),), fields_of=["detector"], values=())
    )
