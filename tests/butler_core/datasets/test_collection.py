from __future__ import annotations

import pytest

from butler_core import CollectionType
from butler_core.datasets.collection import as_names, is_glob, matches


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (None, ()),
        ("", ()),
        ("a", ("a",)),
        ("a, b,,c ", ("a", "b", "c")),
        (["a", "b,c"], ("a", "b", "c")),
        ((name for name in "xy"), ("x", "y")),
    ],
)
def test_names_may_come_in_any_form(given: object, expected: tuple[str, ...]) -> None:
    assert as_names(given) == expected  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("name", "pattern", "expected"),
    [
        ("LATISS/raw/all", "LATISS/*", True),
        ("LATISS/raw/all", "*", True),
        ("LATISS/raw/all", "latiss/*", False),
        ("run1", "run?", True),
        ("run12", "run?", False),
        ("runa", "run[ab]", True),
        ("a.b", "a?b", True),
    ],
)
def test_patterns_match_whole_names(name: str, pattern: str, *, expected: bool) -> None:
    assert is_glob(pattern)
    assert matches(name, pattern) is expected


def test_the_numbers_of_collection_types_never_change() -> None:
    assert {kind.name: kind.value for kind in CollectionType} == {
        "RUN": 1, "TAGGED": 2, "CHAINED": 3, "CALIBRATION": 4,
    }  # fmt: skip
    assert str(CollectionType.RUN) == "RUN"
