"""What FITS, Parquet and ECSV tables have in common."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import astropy.units as u
import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from astropy.table import MaskedColumn, QTable, Table
from astropy.time import Time
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from butler_core.errors import ParameterError, ReadFileError, WriteFileError
from butler_core.formatters.ecsv import EcsvFormatter
from butler_core.formatters.fits_table import FitsTableFormatter
from butler_core.formatters.parquet import ParquetFormatter

Ask = Callable[..., Any]
FORMATS = [FitsTableFormatter(), ParquetFormatter(), EcsvFormatter()]
QUICK = settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.fixture(params=FORMATS, ids=lambda formatter: formatter.extension)
def formatter(request: Any) -> Any:
    return request.param


def make_table() -> Table:
    table = Table(
        {
            "id": np.arange(3),
            "flux": np.array([1.0, 2.0, np.nan], dtype=np.float32) * u.nJy,
            "name": ["x", "yyy", "é"],
            "count": MaskedColumn([1, 2, 3], mask=[False, True, False], dtype=np.int16),
            "angle": MaskedColumn([1.0, 2.0, np.nan], mask=[False, True, False], unit="deg"),
            "note": MaskedColumn(["a", "b", ""], mask=[False, True, False]),
            "pair": np.arange(6.0).reshape(3, 2),
            "block": np.arange(12).reshape(3, 2, 2),
            "is_good": [True, False, True],
        },
        meta={"hello": 1, "nested": {"list": [1, 2]}},
    )
    table["id"].description = "a number"
    return table


def assert_equal(one: Table, other: Table) -> None:
    assert one.colnames == other.colnames
    for name in one.colnames:
        a, b = one[name], other[name]
        assert a.shape == b.shape, name
        assert a.dtype.kind == b.dtype.kind, name
        assert a.dtype.kind == "U" or a.dtype == b.dtype, name
        assert (a.unit, a.description or None) == (b.unit, b.description or None), name
        assert np.array_equal(np.ma.getmaskarray(a), np.ma.getmaskarray(b)), name
        assert repr(np.ma.asarray(a).tolist()) == repr(np.ma.asarray(b).tolist()), name
    assert dict(one.meta) == dict(other.meta)


def there_and_back(formatter: Any, table: Any, folder: Path, ask: Ask) -> Any:
    path = folder / f"table{formatter.extension}"
    formatter.write(table, path)
    return formatter.read(ask(path, "ArrowAstropy"))


def test_everything_comes_back(formatter: Any, tmp_path: Path, ask: Ask) -> None:
    table = make_table()

    assert_equal(there_and_back(formatter, table, tmp_path, ask), table)
    assert table["note"].mask.tolist() == [False, True, False]


def test_tables_without_rows_come_back(formatter: Any, tmp_path: Path, ask: Ask) -> None:
    table = make_table()[:0]
    table.remove_columns(["pair", "block"] if formatter.extension == ".ecsv" else [])

    assert_equal(there_and_back(formatter, table, tmp_path, ask), table)


def test_the_same_table_gives_the_same_bytes(
    formatter: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    formatter.write(make_table(), tmp_path / "one")
    monkeypatch.setattr("time.time", lambda: 1e9)
    formatter.write(make_table(), tmp_path / "two")

    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


@QUICK
@given(
    hnp.arrays(
        st.sampled_from([np.float32, np.float64, np.int16, np.int32, np.int64, np.bool_]),
        hnp.array_shapes(min_dims=1, max_dims=3, max_side=4),
    )
)
def test_numbers_come_back(formatter: Any, tmp_path: Path, ask: Ask, values: Any) -> None:
    back = there_and_back(formatter, Table({"a": values}), tmp_path, ask)["a"]

    assert back.dtype == values.dtype
    assert np.array_equal(back, values, equal_nan=values.dtype.kind == "f")


@QUICK
@given(st.lists(st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"])), min_size=1))
@example(["#", "#a", "b#", '#"c'])
def test_texts_come_back(formatter: Any, tmp_path: Path, ask: Ask, texts: list[str]) -> None:
    back = there_and_back(formatter, Table({"a": texts}), tmp_path, ask)["a"]

    assert list(back) == texts


def test_components_and_columns(formatter: Any, tmp_path: Path, ask: Ask) -> None:
    path = tmp_path / "table"
    formatter.write(make_table(), path)

    def read(component: str | None = None, **parameters: Any) -> Any:
        return formatter.read(ask(path, "ArrowAstropy", component, parameters=parameters))

    assert read("rowcount") == 3
    assert read("columns") == make_table().colnames
    assert read(columns=["flux", "id"]).colnames == ["flux", "id"]
    assert read(columns="id").colnames == ["id"]
    assert read(columns=["flux"])["flux"].unit == u.nJy
    schema = read("schema")
    assert schema["flux"] == {"dtype": "float32", "shape": (), "unit": "nJy", "description": None}
    assert schema["pair"]["shape"] == (2,)
    assert schema["id"]["description"] == "a number"
    with pytest.raises(ParameterError, match=r"no column 'flx'.*Did you mean 'flux'"):
        read(columns=["flx"])
    with pytest.raises(ParameterError, match="no component 'psf'"):
        read("psf")
    with pytest.raises(ParameterError, match="'filters' cannot be used"):
        read(filters=[])


def test_times_and_coordinates_come_back(formatter: Any, tmp_path: Path, ask: Ask) -> None:
    table = QTable(
        {
            "time": Time([50000.0, 50001.5], format="mjd", scale="tai"),
            "place": SkyCoord([1, 2] * u.deg, [3, 4] * u.deg),
            "speed": [1.0, 2.0] * u.km / u.s,
        }
    )

    back = there_and_back(formatter, table, tmp_path, ask)

    assert np.all(back["time"].mjd == table["time"].mjd)
    assert back["time"].scale == "tai"
    assert np.all(back["place"].ra == table["place"].ra)
    assert back["speed"].unit == u.km / u.s


@pytest.mark.parametrize(
    "other",
    [
        np.array([(1, 2.0)], dtype=[("a", int), ("b", float)]),
        {"a": np.array([1]), "b": np.array([2.0])},
    ],
)
def test_other_types_of_table_are_written(
    formatter: Any, tmp_path: Path, ask: Ask, other: Any
) -> None:
    assert there_and_back(formatter, other, tmp_path, ask)["b"][0] == 2.0


def test_other_types_of_table_are_read(tmp_path: Path, ask: Ask) -> None:
    path = tmp_path / "table.parq"
    ParquetFormatter().write(Table({"a": [1, 2], "b": [1.5, 2.5]}), path)

    array = ParquetFormatter().read(ask(path, "ArrowNumpy"))
    columns = ParquetFormatter().read(ask(path, "ArrowNumpyDict"))

    assert array["b"].tolist() == [1.5, 2.5]
    assert isinstance(columns, dict)
    assert columns["a"].tolist() == [1, 2]


def test_what_is_no_table_is_refused(formatter: Any, tmp_path: Path) -> None:
    with pytest.raises(WriteFileError, match="a list is no table"):
        formatter.write([1, 2], tmp_path / "table")


def test_columns_of_objects_are_refused_where_there_is_no_form(tmp_path: Path) -> None:
    table = Table({"a": np.array([object(), object()], dtype=object)})

    for formatter in (FitsTableFormatter(), ParquetFormatter()):
        with pytest.raises(WriteFileError, match="form"):
            formatter.write(table, tmp_path / "table")


def test_broken_files_are_named(formatter: Any, tmp_path: Path, ask: Ask) -> None:
    path = tmp_path / "whole"
    formatter.write(Table({"a": np.arange(10000)}), path)
    whole = path.read_bytes()
    (tmp_path / "cut").write_bytes(whole[:9000])
    (tmp_path / "text").write_bytes(b"no such thing\n" * 500)

    with pytest.raises(ReadFileError, match=r"no file at.*absent"):
        formatter.read(ask(tmp_path / "absent", "ArrowAstropy"))
    with pytest.raises(ReadFileError, match="text"):
        formatter.read(ask(tmp_path / "text", "ArrowAstropy"))
    if formatter.extension != ".ecsv":
        with pytest.raises(ReadFileError, match="cut"):
            formatter.read(ask(tmp_path / "cut", "ArrowAstropy"))


def test_parquet_through_a_url(tmp_path: Path, ask: Ask) -> None:
    import fsspec

    ParquetFormatter().write(make_table(), tmp_path / "table")
    content = (tmp_path / "table").read_bytes()
    fsspec.filesystem("memory").pipe("/bucket/table.parq", content)

    back = ParquetFormatter().read(ask("memory://bucket/table.parq", "ArrowAstropy"))

    assert_equal(back, make_table())
    with pytest.raises(ReadFileError, match="no file at 'memory://bucket/absent"):
        ParquetFormatter().read(ask("memory://bucket/absent.parq", "ArrowAstropy"))


def test_a_path_with_wildcards_means_itself(tmp_path: Path, ask: Ask) -> None:
    path = tmp_path / "t[1]*?'.parq"
    ParquetFormatter().write(Table({"a": [1]}), path)

    assert len(ParquetFormatter().read(ask(path, "ArrowAstropy"))) == 1


def test_a_part_of_a_mixin_column_is_readable_alone(tmp_path: Path, ask: Ask) -> None:
    path = tmp_path / "table.parq"
    ParquetFormatter().write(Table({"t": Time([5e4], format="mjd"), "a": [1]}), path)

    back = ParquetFormatter().read(ask(path, "ArrowAstropy", parameters={"columns": ["a"]}))

    assert back.colnames == ["a"]


def test_very_wide_columns_are_refused_in_parquet(tmp_path: Path) -> None:
    with pytest.raises(WriteFileError, match="5000 values in each row"):
        ParquetFormatter().write(Table({"a": np.zeros((1, 5000))}), tmp_path / "table")


def test_pandas_files_are_read(test_data: Path, ask: Ask) -> None:
    folder = test_data / "repositories/imsim_dc2/dia_catalogs"
    paths = sorted(folder.rglob("*.parq"))
    assert paths

    for path in paths:
        table = ParquetFormatter().read(ask(path, "ArrowAstropy"))
        assert len(table) == ParquetFormatter().read(ask(path, "ArrowAstropy", "rowcount"))
        assert {"ra", "dec"} <= set(table.colnames)


def test_reference_catalogues_are_read(test_data: Path, ask: Ask) -> None:
    paths = sorted((test_data / "refcats").rglob("*.fits"))
    assert paths

    for path in paths:
        table = FitsTableFormatter().read(ask(path, "SimpleCatalog"))
        assert table["coord_ra"].unit == u.rad
        assert len(table) > 1000


def test_flags_of_rubins_catalogues_are_columns(test_data: Path, ask: Ask) -> None:
    path = test_data / "refcats/gaia_dr2_20200414/189584.fits"

    table = FitsTableFormatter().read(ask(path, "SimpleCatalog"))

    assert table["pm_flag"].dtype == bool
    assert "flags" not in table.colnames
    assert not any(card.startswith("TFLAG") for card in table.meta)
    assert table["coord_ra"].description
