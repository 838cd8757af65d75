"""Text read as literals."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipetask.config import parse_text

ATOMS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
LITERALS = st.recursive(
    ATOMS | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=6,
)


@given(LITERALS)
def test_written_literal_is_read_back(value: Any) -> None:
    assert parse_text(repr(value)) == value


@given(st.text(max_size=20))
def test_any_text_is_read_without_an_error(text: str) -> None:
    parse_text(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("deep", "deep"),
        ("[r, i]", ["r", "i"]),
        ("(1, -2)", (1, -2)),
        ("2021-07-07", "2021-07-07"),
        ("a.b", "a.b"),
        ("__import__('os')", "__import__('os')"),
        ("{**x}", "{**x}"),
        ("", ""),
    ],
)
def test_what_is_no_literal_stays_text(text: str, expected: Any) -> None:
    assert parse_text(text) == expected


def test_names_stand_for_what_the_caller_says() -> None:
    assert parse_text("[a, b]", {"a": 1}) == [1, "b"]
