"""Tests of tables as text: aligned as astropy aligns them, CSV and JSON that others can read."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import pytest
from astropy.table import Table
from hypothesis import given
from hypothesis import strategies as st

from butler_core.cli.table_text import Sheet, aligned_lines, csv_lines, json_lines

CELLS = st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=9)
TABLES = st.integers(1, 4).flatmap(
    lambda rows: st.dictionaries(
        CELLS.filter(len), st.lists(CELLS, min_size=rows, max_size=rows), min_size=1, max_size=4
    )
)


@given(columns=TABLES, is_left=st.booleans())
def test_aligned_lines_are_those_of_astropy(columns: dict[str, list[Any]], is_left: bool) -> None:
    table = Table(columns)
    expected = table.pformat(max_lines=-1, max_width=-1, align="<" if is_left else ">")

    lines = list(aligned_lines(Sheet(columns, is_left_aligned=is_left)))

    # astropy puts headers at the side of the values where it is told the side; Rubin's program,
    # and so this one, has them in the middle.
    assert lines[1:] == expected[1:]
    assert lines[0].split() == " ".join(columns).split()


def test_headers_stand_in_the_middle() -> None:
    sheet = Sheet({"a": ["wide value"], "number": [7]})

    assert list(aligned_lines(sheet)) == [
        "    a      number",
        "---------- ------",
        "wide value      7",
    ]


def test_lists_take_several_lines() -> None:
    sheet = Sheet({"name": ["x", "y"], "parts": [["a", "b"], []]}, is_left_aligned=True)

    assert list(aligned_lines(sheet))[2:] == ["x    a    ", "     b    ", "y         "]


def test_csv_has_all_headers_and_leaves_absent_cells_empty() -> None:
    sheets = [Sheet({"a": ["1,2"], "b": [["x", "y"]]}), Sheet({"a": [None], "c": [3]})]

    rows = list(csv.reader(io.StringIO("\n".join(csv_lines(sheets, ["a", "b", "c"])))))

    assert rows == [["a", "b", "c"], ["1,2", "x y", ""], ["", "", "3"]]


@pytest.mark.parametrize("count", [0, 1, 3])
def test_json_is_one_array_of_rows(count: int) -> None:
    sheets = [
        Sheet({"a": list(range(count)), "b": [float("nan")] * count}),
        Sheet({"c": ["x"] * count}),
    ]

    rows = json.loads("\n".join(json_lines(sheets)))

    assert rows == [{"a": i, "b": None} for i in range(count)] + [{"c": "x"}] * count
