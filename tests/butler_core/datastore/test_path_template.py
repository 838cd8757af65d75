from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from butler_core import DatasetType, DimensionUniverse
from butler_core.datastore.path_template import PathTemplate, TemplateTable
from butler_core.errors import PathTemplateError
from butler_core.repository.configuration import default_datastore_config

universe = DimensionUniverse.default()
DEFAULT = default_datastore_config()["templates"]["default"]


def _type(*dimensions: str, name: str = "calexp") -> DatasetType:
    return DatasetType.of(name, dimensions, "Exposure", universe=universe)


def _path(template: str, dataset_type: DatasetType, run: str = "run", **values: Any) -> str:
    fitted = PathTemplate(template).fit(dataset_type.dimensions)
    return fitted.format(dataset_type, run, "ID", values)


VALUES = {
    "day_obs": 20210707, "band": "r", "physical_filter": "RG610~empty", "visit": 2021070700300,
    "visit.day_obs": 20210707, "exposure.day_obs": 20210707, "detector.full_name": "RXX_S00",
    "instrument": "LATISS", "exposure.obs_id": "AT_O_20210707_000300",
}  # fmt: skip


@pytest.mark.parametrize(
    ("dimensions", "expected"),
    [
        (
            ("visit", "detector"),
            (
                "u/me/run/calexp/20210707/r/RG610~empty/2021070700300/"
                "calexp_LATISS_r_RG610~empty_2021070700300_RXX_S00_u_me_run"
            ),
        ),
        (
            ("exposure", "detector"),
            (
                "u/me/run/calexp/20210707/r/RG610~empty/AT_O_20210707_000300/"
                "calexp_LATISS_r_RG610~empty_AT_O_20210707_000300_RXX_S00_u_me_run"
            ),
        ),
        (("instrument",), "u/me/run/calexp/calexp_LATISS_u_me_run"),
        ((), "u/me/run/calexp/calexp_u_me_run"),
    ],
)
def test_the_default_template_gives_daf_butlers_paths(
    dimensions: tuple[str, ...], expected: str
) -> None:
    assert _path(DEFAULT, _type(*dimensions), "u/me/run", **VALUES) == expected


def test_a_skypix_dimension_of_any_system_fills_skypix() -> None:
    assert _path(DEFAULT, _type("htm7"), htm7=189584) == "run/calexp/calexp_189584_run"
    assert _path(DEFAULT, _type("healpix3"), healpix3=5) == "run/calexp/calexp_5_run"


def test_slashes_make_directories_only_where_asked() -> None:
    assert (
        _path("{run:/}/{datasetType}/{band}", _type("band"), "a/b", band="x/y") == "a/b/calexp/x_y"
    )
    assert _path("{run}/{datasetType}/{band}", _type("band"), "a/b", band="x") == "a_b/calexp/x"


@pytest.mark.parametrize("character", list(' <>:"\\|?*'))
def test_characters_that_some_system_forbids_are_replaced(character: str) -> None:
    path = _path("{run:/}/{datasetType}/{band}_x", _type("band"), band=f"a{character}b")

    assert path == "run/calexp/a_b_x"


def test_dots_leave_the_file_name_so_that_the_extension_is_plain() -> None:
    assert _path("{run:/}/{datasetType}/{band}", _type("band"), "v1.2", band="r.B#1") == (
        "v1.2/calexp/r_BHASH1"
    )


def test_an_absent_optional_value_takes_its_literal_with_it_but_not_its_directory() -> None:
    template = "{run:/}/{datasetType}/{visit:?}/x_{detector:?}_{instrument:?}"

    assert _path(template, _type("instrument"), instrument="L") == "run/calexp/x__L"


def test_the_first_alternative_that_the_dimensions_have_is_taken() -> None:
    template = "{run:/}/{datasetType}/{visit|exposure|detector}"

    assert PathTemplate(template).fit(_type("exposure", "detector").dimensions).fields == (
        "exposure",
    )
    assert PathTemplate(template).fit(_type("detector").dimensions).fields == ("detector",)


def test_a_format_spec_is_applied() -> None:
    assert _path("{run:/}/{datasetType}/{detector:03d}", _type("detector"), detector=7).endswith(
        "/007"
    )


def test_a_needed_value_that_the_dimensions_lack_is_refused() -> None:
    with pytest.raises(PathTemplateError, match="needs 'visit', which datasets of"):
        PathTemplate("{run}/{datasetType}/{visit}").fit(_type("detector").dimensions)


def test_a_needed_value_that_is_null_is_refused() -> None:
    with pytest.raises(PathTemplateError, match=r"'visit.name', which is not known"):
        _path("{run}/{datasetType}/{visit.name}", _type("visit"), **{"visit.name": None})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{run}/{datasetType", "malformed"),
        ("{run}/x", "no two datasets share a path"),
        ("{datasetType}/x", "no two datasets share a path"),
    ],
)
def test_a_faulty_template_is_refused(text: str, message: str) -> None:
    with pytest.raises(PathTemplateError, match=message):
        PathTemplate(text)


@pytest.mark.parametrize("run", ["..", "../x", "a/../../x"])
def test_no_run_name_leads_out_of_the_datastore(run: str) -> None:
    with pytest.raises(PathTemplateError, match="outside the datastore"):
        _path("{run:/}/{datasetType}/x", _type(), run)


plain_text = st.text("abcXYZ019~-", min_size=1, max_size=6)


@given(
    st.lists(
        st.tuples(plain_text, st.integers(0, 10**12), plain_text, plain_text),
        min_size=2,
        max_size=6,
    )
)
def test_different_plain_values_have_different_paths(rows: list[tuple[str, int, str, str]]) -> None:
    dataset_type = _type("visit", "detector")
    paths = {
        (instrument, visit, detector, run): _path(
            DEFAULT,
            dataset_type,
            run,
            **{
                "instrument": instrument, "visit": visit, "detector.full_name": detector,
                "band": "r", "physical_filter": "r", "day_obs": 1,
            },
        )
        for instrument, visit, detector, run in rows
    }  # fmt: skip

    assert len(set(paths.values())) == len(paths)


@given(run=st.text(min_size=1, max_size=12), band=st.text(min_size=1, max_size=12))
def test_every_path_stays_below_the_root_or_is_refused(run: str, band: str) -> None:
    try:
        path = _path("{run:/}/{datasetType}/{band}_{run}", _type("band"), run, band=band)
    except PathTemplateError:
        return

    assert not path.startswith(("/", "../"))
    assert ".." not in path.split("/")


CONFIG = {
    "default": "{id}",
    "calexp": "{run}/{datasetType}/by_name",
    "Exposure": "{run}/{datasetType}/by_class",
    "exposure+detector": "{run}/{datasetType}/by_dimensions",
    "instrument<HSC>": {
        "default": "{run}/{datasetType}/hsc",
        "calexp": "{run}/{datasetType}/hsc_name",
    },
}


@pytest.mark.parametrize(
    ("dataset_type", "instrument", "expected"),
    [
        (_type("exposure", "detector"), None, "by_name"),
        (_type("exposure", "detector", name="raw"), "LATISS", "by_dimensions"),
        (_type("visit", name="x"), None, "by_class"),
        (_type("visit", name="calexp.wcs"), None, "by_name"),
        (_type("visit", name="x").with_storage_class("int"), None, "{id}"),
        (_type("visit", name="x"), "HSC", "hsc"),
        (_type("visit"), "HSC", "hsc_name"),
    ],
)
def test_templates_are_found_by_instrument_then_name_dimensions_class_and_default(
    dataset_type: DatasetType, instrument: str | None, expected: str
) -> None:
    assert TemplateTable(CONFIG).template_for(dataset_type, instrument).text.endswith(expected)


def test_a_type_for_which_there_is_no_template_is_refused() -> None:
    with pytest.raises(PathTemplateError, match="no path template for"):
        TemplateTable({}).template_for(_type())
