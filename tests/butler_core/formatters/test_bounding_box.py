from __future__ import annotations

from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from butler_core.errors import ParameterError
from butler_core.formatters.bounding_box import BoundingBox, requested_box

WHOLE = BoundingBox(100, 200, 50, 40)


class AfwBox:
    def getMinX(self) -> int:
        return 1

    def getMinY(self) -> int:
        return 2

    def getWidth(self) -> int:
        return 3

    def getHeight(self) -> int:
        return 4


@pytest.mark.parametrize(
    "given_box",
    [
        (1, 2, 3, 4),
        [1, 2, 3, 4],
        {"x0": 1, "y0": 2, "nx": 3, "ny": 4},
        SimpleNamespace(x0=1, y0=2, nx=3, ny=4),
        AfwBox(),
        BoundingBox(1, 2, 3, 4),
    ],
)
def test_a_box_has_many_spellings(given_box: object) -> None:
    assert BoundingBox.parse(given_box) == BoundingBox(1, 2, 3, 4)


@pytest.mark.parametrize("wrong", ["1234", (1, 2, 3), 7, {"x": 1}, (1, 2, 3.5, 4)])
def test_what_is_no_box_is_refused(wrong: object) -> None:
    with pytest.raises(ParameterError, match="is no box"):
        BoundingBox.parse(wrong)


def test_a_box_without_pixels_is_refused() -> None:
    with pytest.raises(ParameterError, match="0 x 3"):
        BoundingBox.parse((1, 2, 0, 3))


def test_parent_and_local_origins_differ_by_the_corner() -> None:
    parent = requested_box({"bbox": (110, 205, 5, 6)}, WHOLE)
    local = requested_box({"bbox": (10, 5, 5, 6), "origin": "LOCAL"}, WHOLE)

    assert parent == local == BoundingBox(110, 205, 5, 6)


def test_no_box_is_the_whole() -> None:
    assert requested_box({}, WHOLE) == WHOLE
    assert requested_box({"bbox": None}, WHOLE) == WHOLE


def test_a_box_outside_is_refused() -> None:
    with pytest.raises(ParameterError, match="reaches outside"):
        requested_box({"bbox": (0, 0, 5, 5)}, WHOLE)


def test_an_unknown_origin_is_refused() -> None:
    with pytest.raises(ParameterError, match="'PARENT' or 'LOCAL'"):
        requested_box({"origin": "SKY"}, WHOLE)


@given(st.integers(-9, 9), st.integers(-9, 9), st.integers(-99, 99), st.integers(-99, 99))
def test_shifting_there_and_back_changes_nothing(dx: int, dy: int, x0: int, y0: int) -> None:
    box = BoundingBox(x0, y0, 3, 4)

    assert box.shifted(dx, dy).shifted(-dx, -dy) == box
