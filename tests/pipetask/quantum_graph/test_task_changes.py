"""What is said of a task's configuration and code that differ from those of an earlier run."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from pipetask.provenance.code_trace import CodeTrace
from pipetask.quantum_graph.task_changes import code_change, config_change

SCALARS = st.none() | st.booleans() | st.integers(-9, 9) | st.sampled_from(["", "a", "null", "1"])
CONFIGS = st.dictionaries(
    st.sampled_from("abcd"),
    st.recursive(
        SCALARS | st.lists(SCALARS, max_size=2),
        lambda inner: st.dictionaries(st.sampled_from("xyz"), inner, max_size=3),
        max_leaves=6,
    ),
    max_size=4,
)


def changed(old: Any, new: Any) -> str:
    return config_change(yaml.safe_dump(old), yaml.safe_dump(new))


# -------------------------------------------------------------- configurations
@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ({"a": 1}, {"a": 2}, "a: 1 -> 2"),
        ({"a": "x"}, {"a": None}, 'a: "x" -> null'),
        ({"a": {"b": {"c": 1}}}, {"a": {"b": {"c": [1]}}}, "a.b.c: 1 -> [1]"),
        ({}, {"a": 1}, "a: not there -> 1"),
        ({"a": 1}, {}, "a: 1 -> not there"),
        ({"a": True}, {"a": 1}, "a: true -> 1"),
        ({"a": 1}, {"a": 1.0}, "a: 1 -> 1.0"),
        ({"a": None}, {}, "a: null -> not there"),
        ({"a": {}}, {"a": {"b": 1}}, "a: {} -> not there, a.b: not there -> 1"),
        ({"a": 1, "b": 1, "c": 1}, {"a": 2, "b": 2, "c": 2}, "a: 1 -> 2, b: 1 -> 2, c: 1 -> 2"),
        (
            dict.fromkeys("abcde", 1),
            dict.fromkeys("abcde", 2),
            "a: 1 -> 2, b: 1 -> 2, c: 1 -> 2 and 2 more",
        ),
    ],
)
def test_fields_are_named_with_their_old_and_new_values(old: Any, new: Any, said: str) -> None:
    assert changed(old, new) == said


@given(CONFIGS, CONFIGS)
def test_whatever_differs_is_told(old: Any, new: Any) -> None:
    assert bool(changed(old, new)) == (yaml.safe_dump(old) != yaml.safe_dump(new))


@given(CONFIGS)
def test_the_order_of_fields_is_no_change(config: Any) -> None:
    turned = dict(reversed(config.items()))

    said = config_change(
        yaml.safe_dump(config, sort_keys=False), yaml.safe_dump(turned, sort_keys=False)
    )

    assert said == ""


# ------------------------------------------------------------------------ code
OLD = {"files": {"p.a": "1", "p.b": "1"}, "versions": {"numpy": "1.0"}}


@pytest.mark.parametrize(
    ("files", "versions", "said"),
    [
        ({"p.a": "1", "p.b": "2"}, {"numpy": "1.0"}, "p.b"),
        ({"p.a": "1"}, {"numpy": "1.0"}, "p.b"),
        ({"p.a": "1", "p.b": "1", "p.c": "1"}, {"numpy": "1.0"}, "p.c"),
        ({"p.a": "1", "p.b": "1"}, {"numpy": "2.0"}, "numpy 1.0 -> 2.0"),
        ({"p.a": "1", "p.b": "1"}, {}, "numpy 1.0 -> none"),
        (
            {"p.a": "1", "p.b": "1"},
            {"numpy": "1.0", "scipy": "3"},
            "scipy none -> 3",
        ),
        ({"p.a": "2", "p.b": "2"}, {"numpy": "2.0"}, "p.a, p.b, numpy 1.0 -> 2.0"),
        (dict.fromkeys(("p.c", "p.d"), "1"), {"numpy": "1.0"}, "p.a, p.b, p.c and 1 more"),
    ],
)
def test_files_and_versions_are_named(
    files: dict[str, str], versions: dict[str, str], said: str
) -> None:
    assert code_change(OLD, CodeTrace(files, versions)) == said


def test_what_is_not_known_is_said_to_be_so() -> None:
    same = CodeTrace(OLD["files"], OLD["versions"])

    assert code_change(OLD, CodeTrace(is_known=False)) == "its source cannot be found"
    assert code_change(OLD, same) == "an earlier record of it is incomplete"
    assert code_change({}, CodeTrace()) == "an earlier record of it is incomplete"
