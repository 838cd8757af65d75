"""Answers in every form, fetched when they are wanted."""

from __future__ import annotations

import uuid
from typing import Any

import numpy as np
import pytest

from butler_core import Butler, DatasetType
from butler_core.errors import MissingPackageError, UnknownNameError
from butler_core.queries.arrays import ids_as_text, to_array
from butler_core.registry.row_spool import RowSpool


def test_columns_become_arrays_of_their_types(filled: Butler) -> None:
    arrays = filled.query_datasets("raw", "*").to_numpy()

    assert arrays["detector"].dtype == np.int64
    assert arrays["instrument"].dtype.kind == "U"
    assert arrays["id"].dtype == np.dtype("V16")
    refs = list(filled.query_datasets("raw", "*"))
    assert {uuid.UUID(bytes=one.tobytes()) for one in arrays["id"]} == {ref.id for ref in refs}


def test_missing_values_are_masked(filled: Butler) -> None:
    found = filled.query_dimension_records("exposure")

    arrays = found.to_numpy()

    missing = [value is None for value in found.columns["target_name"]]
    assert any(missing)
    assert arrays["target_name"].mask.tolist() == missing
    assert found.to_table()["target_name"].mask.tolist() == missing


def test_ids_are_text_in_tables(filled: Butler) -> None:
    table = filled.query_datasets("raw", "*").to_table()

    expected = [str(ref.id) for ref in filled.query_datasets("raw", "*")]
    assert sorted(table["id"]) == sorted(expected)


def test_an_answer_becomes_an_arrow_table(filled: Butler) -> None:
    import pyarrow as pa

    found = filled.query_datasets("raw", "*")

    table = found.to_arrow()

    assert isinstance(table, pa.Table)
    assert table.num_rows == len(found)
    assert table.schema.field("id").type == pa.binary(16)
    assert table.column("detector").to_pylist() == found.columns["detector"]


def test_without_pyarrow_one_is_told_what_to_install(
    filled: Butler, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "pyarrow", None)

    with pytest.raises(MissingPackageError, match="pip install pyarrow"):
        filled.query_data_ids("detector").to_arrow()


def test_nothing_has_all_forms_too(filled: Butler) -> None:
    found = filled.query_datasets("raw", "*", where="exposure = 999999")

    assert found.to_numpy()["id"].shape == (0,)
    assert len(found.to_table()) == found.to_arrow().num_rows == found.count() == 0
    assert list(found) == []


def test_counting_fetches_nothing(filled: Butler) -> None:
    found = filled.query_datasets("raw", "*")

    assert found.count() == len(list(filled.query_datasets("raw", "*")))
    assert "columns" not in vars(found)


@pytest.mark.parametrize(("where", "expected"), [("exposure > 0", True), ("exposure < 0", False)])
def test_asking_for_existence_fetches_nothing(filled: Butler, where: str, expected: bool) -> None:
    found = filled.query_datasets("raw", "*", where=where, order_by="-exposure")

    assert found.any() is expected
    assert "columns" not in vars(found)
    assert filled.query_data_ids("exposure", where=where, limit=2).any() is expected


def test_a_limit_counts(filled: Butler) -> None:
    assert filled.query_data_ids("exposure", limit=3).count() == 3


def test_a_bad_name_is_told_when_the_question_is_asked(filled: Butler) -> None:
    with pytest.raises(UnknownNameError):
        filled.query_datasets("raw", "*", where="exposure.no_such = 3")


def test_a_message_has_the_numbers_that_were_written(filled: Butler) -> None:
    with pytest.raises(Exception, match=r"exposure\.obs_id = 317"):
        filled.query_datasets("raw", "*", where="exposure.obs_id = 317")


def test_questions_of_one_shape_share_a_statement(filled: Butler) -> None:
    kept = filled.repository.registry.prepared._kept

    def ask(visit: int) -> list[Any]:
        where = f"visit = {visit} AND visit.exposure_time > {visit - 95}.5"
        return filled.query_data_ids("visit", where=where, instrument="CamA").columns["visit"]

    first = ask(100)
    before = len(kept)

    assert (first, ask(101), ask(102)) == ([100], [101], [102])
    assert len(kept) == before


def test_iterating_and_fetching_give_the_same(writeable_world: Butler) -> None:
    names = list(writeable_world.collections.query("run/*"))
    for chosen in (names, names[::-1], ["outer"], ["tag"]):
        fetched = writeable_world.query_datasets("calexp", chosen)
        columns = fetched.columns
        streamed = {(ref.id, ref.run) for ref in writeable_world.query_datasets("calexp", chosen)}
        assert streamed == {
            (uuid.UUID(bytes=id_), run)
            for id_, run in zip(columns["id"], columns["run"], strict=True)
        }
        assert len(streamed) == len(columns["id"])


def test_writing_while_an_answer_is_gone_through(writeable_world: Butler) -> None:
    universe = writeable_world.dimensions
    writeable_world.register_dataset_type(
        DatasetType.of("note", ["instrument", "visit"], "StructuredDataDict", universe=universe)
    )
    seen = 0
    for data_id in writeable_world.query_data_ids("visit", instrument="CamA"):
        writeable_world.put({"seen": seen}, "note", data_id, run="notes")
        seen += 1

    assert writeable_world.query_datasets("note", "notes").count() == seen > 1


def test_text_that_repeats_and_text_that_does_not_become_the_same_arrays() -> None:
    few, many = ["g", "r"] * 50, [f"exposure {i}" for i in range(100)]

    assert to_array(few).tolist() == few
    assert to_array(many).tolist() == many
    assert to_array([b"ab", b"abc"]).tolist() == [b"ab", b"abc"]
    assert to_array([]).shape == (0,)
    assert to_array([None, None]).mask.all()


def test_ids_are_written_as_uuids_are() -> None:
    ids = [uuid.uuid4() for _ in range(5)]

    assert ids_as_text([id_.bytes for id_ in ids]) == [str(id_) for id_ in ids]


def test_a_spool_gives_its_pages_as_often_as_asked() -> None:
    pages = [[(1, "a")], [(2, "b"), (3, None)], [(4, "d")]]
    spool = RowSpool(pages)

    assert list(spool.pages()) == pages
    assert list(spool.pages()) == pages
    assert spool.n_rows == 4
    assert RowSpool([]).n_rows == 0
