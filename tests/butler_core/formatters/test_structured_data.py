from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import astropy.units as u
import numpy as np
import pydantic
import pytest
from astropy.time import Time
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from butler_core.errors import ParameterError, ReadFileError, WriteFileError
from butler_core.formatters.json import JsonFormatter
from butler_core.formatters.plain_data import to_plain
from butler_core.formatters.text import TextFormatter
from butler_core.formatters.yaml import YamlFormatter

Ask = Callable[..., Any]

PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@pytest.fixture(
    params=[JsonFormatter(), YamlFormatter()], ids=lambda formatter: formatter.extension
)
def formatter(request: Any) -> Any:
    return request.param


@dataclass
class Point:
    x: int
    y: float


class Model(pydantic.BaseModel):
    name: str
    point: dict[str, int]


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(PLAIN)
def test_plain_data_come_back(formatter: Any, tmp_path: Path, ask: Ask, data: Any) -> None:
    path = tmp_path / "data"

    formatter.write(data, path)

    assert formatter.read(ask(path, "StructuredData")) == data


def test_objects_become_what_they_consist_of(formatter: Any, tmp_path: Path, ask: Ask) -> None:
    identity = uuid.UUID(int=5)
    obj = {
        "point": Point(1, 2.5),
        "model": Model(name="n", point={"a": 1}),
        "array": np.arange(3),
        "scalar": np.float32(1.5),
        "set": {3, 1, 2},
        "tuple": (1, "a"),
        "path": Path("a/b"),
        "uuid": identity,
        "length": 3 * u.m,
        "time": Time("2020-01-01T00:00:00"),
    }

    formatter.write(obj, tmp_path / "data")

    assert formatter.read(ask(tmp_path / "data", "StructuredDataDict")) == {
        "point": {"x": 1, "y": 2.5},
        "model": {"name": "n", "point": {"a": 1}},
        "array": [0, 1, 2],
        "scalar": 1.5,
        "set": [1, 2, 3],
        "tuple": [1, "a"],
        "path": "a/b",
        "uuid": str(identity),
        "length": {"value": 3.0, "unit": "m"},
        "time": "2020-01-01T00:00:00.000",
    }


def test_what_has_no_form_is_named_with_its_place(formatter: Any, tmp_path: Path) -> None:
    with pytest.raises(WriteFileError, match=r"\['a'\]\[1\] is a builtins.object"):
        formatter.write({"a": [1, object()]}, tmp_path / "data")


def test_a_component_is_a_key(formatter: Any, tmp_path: Path, ask: Ask) -> None:
    formatter.write({"summary": {"n": 3}}, tmp_path / "data")

    assert formatter.read(ask(tmp_path / "data", "StructuredData", "summary")) == {"n": 3}
    with pytest.raises(ParameterError, match=r"no component 'sumary'.*Did you mean 'summary'"):
        formatter.read(ask(tmp_path / "data", "StructuredData", "sumary"))


def test_repeated_items_are_written_in_full(formatter: Any, tmp_path: Path, ask: Ask) -> None:
    item = [1, 2]

    formatter.write({"a": item, "b": item}, tmp_path / "data")

    assert "&" not in (tmp_path / "data").read_text()
    assert formatter.read(ask(tmp_path / "data", "StructuredData")) == {"a": item, "b": item}


def test_broken_files_are_named(formatter: Any, tmp_path: Path, ask: Ask) -> None:
    (tmp_path / "broken").write_text('{"a": [1, 2')
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")

    for name, message in (
        ("broken", "is no"), ("binary", "no UTF-8 text"), ("absent", "no file at")
    ):  # fmt: skip
        with pytest.raises(ReadFileError, match=message) as caught:
            formatter.read(ask(tmp_path / name, "StructuredData"))
        assert name in str(caught.value)


def test_tags_of_other_software_are_read_as_plain_data(tmp_path: Path, ask: Ask) -> None:
    path = tmp_path / "data.yaml"
    path.write_text(
        "!<lsst.verify.Measurement>\nvalue: 3.0\nparts: !odd [1, 2]\nname: !x abc\n"
        "call: !!python/object/apply:os.system ['touch /tmp/never']\n"
    )

    assert YamlFormatter().read(ask(path, "MetricValue")) == {
        "value": 3.0,
        "parts": [1, 2],
        "name": "abc",
        "call": ["touch /tmp/never"],
    }


def test_rubins_metrics_are_read(test_data: Path, ask: Ask) -> None:
    paths = list((test_data / "repositories/metricvalue/testrun").rglob("*.yaml"))
    assert paths

    for path in paths:
        assert isinstance(YamlFormatter().read(ask(path, "MetricValue"))["value"], float)


def test_nan_is_plain(tmp_path: Path, ask: Ask) -> None:
    JsonFormatter().write([float("nan")], tmp_path / "data")

    assert np.isnan(JsonFormatter().read(ask(tmp_path / "data", "StructuredData"))[0])
    assert to_plain(np.float64(2)) == 2.0


@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.text())
def test_texts_come_back(tmp_path: Path, ask: Ask, text: str) -> None:
    TextFormatter().write(text, tmp_path / "text")

    assert TextFormatter().read(ask(tmp_path / "text", "str")) == text


def test_what_is_no_text_is_refused(tmp_path: Path) -> None:
    with pytest.raises(WriteFileError, match="a int is no text"):
        TextFormatter().write(3, tmp_path / "text")
