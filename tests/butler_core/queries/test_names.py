from __future__ import annotations

import pytest

from butler_core import DimensionUniverse
from butler_core.errors import UnknownNameError
from butler_core.queries.expression_tree import Name
from butler_core.queries.names import meaning_of

universe = DimensionUniverse.default()


def _meaning(
    text: str,
    *,
    element: str | None = None,
    types: tuple[str, ...] = (),
    dimensions: tuple[str, ...] | None = None,
) -> tuple:
    found = meaning_of(
        Name(tuple(text.split("."))),
        universe,
        dataset_types=types,
        element=universe[element] if element else None,
        group=None if dimensions is None else universe.conform(dimensions),
    )
    return found.kind, str(found.element), found.field or found.dataset_type


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("visit", ("dimension", "visit", "")),
        ("visit.id", ("dimension", "visit", "")),
        ("instrument.name", ("dimension", "instrument", "")),
        ("exposure.day_obs", ("dimension", "day_obs", "")),
        ("visit.physical_filter", ("dimension", "physical_filter", "")),
        ("detector.full_name", ("field", "detector", "full_name")),
        ("visit.name", ("field", "visit", "name")),
        ("visit.timespan", ("timespan", "visit", "")),
        ("exposure.timespan.begin", ("begin", "exposure", "")),
        ("exposure.timespan.end", ("end", "exposure", "")),
        ("patch.region", ("region", "patch", "")),
        ("visit_detector_region.region", ("region", "visit_detector_region", "")),
        ("htm7", ("dimension", "htm7", "")),
        ("htm7.region", ("region", "htm7", "")),
        ("obs_id", ("field", "exposure", "obs_id")),
    ],
)
def test_a_name_stands_for_one_thing(text: str, expected: tuple[str, str, str]) -> None:
    assert _meaning(text) == expected


def test_the_fields_of_the_element_queried_need_no_prefix() -> None:
    assert _meaning("name", element="visit") == ("field", "visit", "name")
    assert _meaning("id", element="visit") == ("dimension", "visit", "")
    assert _meaning("seq_num", element="exposure") == ("field", "exposure", "seq_num")
    assert _meaning("timespan.begin", element="exposure") == ("begin", "exposure", "")


def test_a_field_of_one_element_of_the_rows_needs_no_prefix() -> None:
    assert _meaning("seq_num", dimensions=("exposure",)) == ("field", "exposure", "seq_num")
    assert _meaning("timespan.end", dimensions=("day_obs",)) == ("end", "day_obs", "")
    assert _meaning("id", dimensions=("detector",)) == ("dimension", "detector", "")
    with pytest.raises(UnknownNameError, match="any of day_obs.timespan, exposure.timespan"):
        _meaning("timespan", dimensions=("exposure",))


def test_a_field_of_the_one_dataset_type_needs_no_prefix() -> None:
    assert _meaning("ingest_date", types=("bias",)) == ("dataset", "None", "ingest_date")
    assert _meaning("timespan.begin", types=("bias",)) == ("dataset", "None", "timespan.begin")
    with pytest.raises(UnknownNameError, match="any of bias.run, flat.run; write the one"):
        _meaning("run", types=("flat", "bias"))


def test_datasets_have_fields() -> None:
    assert _meaning("bias.run", types=("bias",))[:1] == ("dataset",)
    with pytest.raises(
        UnknownNameError, match=r"a dataset has no field 'rum' .*Did you mean 'run'"
    ):
        _meaning("bias.rum", types=("bias",))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("visit.nam", r"'visit' has no field 'nam'; it has .*Did you mean 'name'"),
        ("seq_num", r"may be any of exposure.seq_num, visit.seq_num"),
        ("LATISS", r"'LATISS' is no dimension, field or bound value.*single quotes"),
        ("exposrue", r"Did you mean 'exposure'"),
        ("visit_definition", r"'visit_definition' has no field ''"),
        ("visit.timespan.middle", r"has no field 'timespan.middle'"),
        ("htm7.timespan", r"'htm7' has no field 'timespan'"),
    ],
)
def test_a_name_that_stands_for_nothing_is_refused(text: str, message: str) -> None:
    with pytest.raises(UnknownNameError, match=message):
        _meaning(text)
