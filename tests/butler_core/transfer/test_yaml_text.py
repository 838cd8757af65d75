"""The reader and the writer of export files' YAML, against PyYAML and each other."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from lsst.sphgeom import Box, Circle, UnitVector3d

from butler_core.errors import ExportFileError
from butler_core.tai import iso_to_ns
from butler_core.timespan import Timespan
from butler_core.transfer.yaml_reader import read_yaml
from butler_core.transfer.yaml_writer import EncodedRegion, TaiTime, document_lines

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(st.characters(blacklist_categories=("Cs",)), max_size=12)
    | st.sampled_from(["null", "~", "yes", "No", "1e5", "0x1f", "1_000", "2020-01-01", "=", "<<"])
    | st.binary(max_size=8)
)
TREES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text("abcxyn", min_size=1), inner, max_size=3)
    ),
    max_leaves=12,
)


def written(value: Any) -> str:
    return "".join(document_lines({"version": "1.0.2"}, "data", [{"value": value}]))


@given(TREES)
def test_what_is_written_reads_as_what_it_was(value: Any) -> None:
    text = written(value)

    assert read_yaml(text).value["data"] == [{"value": value}]
    assert yaml.safe_load(text)["data"] == [{"value": value}]


@given(TREES)
def test_pyyamls_own_text_reads_as_pyyaml_reads_it(value: Any) -> None:
    text = yaml.safe_dump({"data": [{"value": value}]})

    assert read_yaml(text).value == yaml.safe_load(text)


@pytest.mark.parametrize(
    "text",
    [
        "a: [1, 0o7, 010, 0x1f, 1_000, 190:20:30, .5, 1e5, 1.0e+5, -.inf, +12]",
        "a: [yes, No, ON, off, true, ~, null, '', '12', \"x\\ny\", 2013-06-17]",
        "a: 2013-06-17 13:29:11.039",
        "a: &x [1, 2]\nb: *x\nc: &y {k: v}\nd: *y\ne: &z text\nf: *z",
        "a: |\n  one\n  two\nb: >\n  one\n  two\nc:\nd: !!str 12\ne: !!int '3'\nf: ! 12",
        "a: {}\nb: []\n? c\n: d\n",
    ],
)
def test_reader_means_what_pyyaml_means(text: str) -> None:
    document = read_yaml(text)

    assert document.faults == []
    assert document.value == yaml.safe_load(text)


def test_tags_of_export_files_become_values() -> None:
    id_ = uuid.uuid4()
    circle, box = Circle(UnitVector3d(1.0, 0.0, 0.0)).encode(), Box.full().encode()
    values = {
        "id": id_,
        "time": TaiTime(iso_to_ns("2021-07-07T01:02:03.000000004")),
        "circle": EncodedRegion(circle),
        "box": EncodedRegion(box),
        "spans": [Timespan(5, 6), Timespan.unbounded(), Timespan.empty()],
    }

    text = written(values)

    assert "!butler_time/tai/iso '2021-07-07 01:02:03.000000004'" in text
    assert "!<lsst.sphgeom.Circle>" in text
    assert read_yaml(text).value["data"][0]["value"] == {
        "id": id_,
        "time": iso_to_ns("2021-07-07T01:02:03.000000004"),
        "circle": circle,
        "box": box,
        "spans": values["spans"],
    }


def test_lines_of_sections_are_known() -> None:
    document = read_yaml("version: 0\ndata:\n- type: run\n  name: a\n\n- type: run\n  name: b\n")

    assert document.section_lines == [3, 6]


def test_faulty_scalars_are_told_with_their_lines() -> None:
    document = read_yaml(
        "a: !uuid 'no'\n"
        "b: !butler_time/tai/iso 'yesterday'\n"
        "c: !!python/object/apply:os.system ['true']\n"
        "d: !<lsst.sphgeom.ConvexPolygon>\n  encoded: 70ff\n"
        "e: 2013-13-45\n"
        "f: *nowhere\n"
        "<<: {g: h}\n"
    )

    assert [fault.partition(":")[0] for fault in document.faults] == [
        f"line {n}" for n in (1, 2, 3, 4, 6, 7, 8)
    ]


def test_text_that_is_no_yaml_is_told_with_its_line() -> None:
    with pytest.raises(ExportFileError, match="line 2, column 4"):
        read_yaml("a: 1\nb: ]\n")
    with pytest.raises(ExportFileError, match="not YAML"):
        read_yaml("a: \x07")


def test_a_second_document_is_a_fault() -> None:
    assert "second document" in read_yaml("a: 1\n---\nb: 2\n").faults[0]
