from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from butler_core.errors import ParameterError
from butler_core.formatters.mask_planes import DEFAULT_PLANES, Mask, MaskPlanes


def test_default_planes_are_afws() -> None:
    assert MaskPlanes()["SAT"] == 1
    assert MaskPlanes().bits("BAD", "NO_DATA") == 1 | 256


def test_planes_come_from_header_cards() -> None:
    header = {"MP_BAD": 3, "MP_SPIKE": 0, "NAXIS": 2}

    assert dict(MaskPlanes.from_header(header)) == {"BAD": 3, "SPIKE": 0}
    assert dict(MaskPlanes.from_header({})) == DEFAULT_PLANES


def test_a_new_plane_takes_the_lowest_free_bit() -> None:
    assert MaskPlanes({"A": 0, "B": 2}).with_plane("C")["C"] == 1


@pytest.mark.parametrize("planes", [{"A": 1, "B": 1}, {"A": 31}, {"A": -1}])
def test_impossible_planes_are_refused(planes: dict[str, int]) -> None:
    with pytest.raises(ParameterError, match="a bit of its own"):
        MaskPlanes(planes)


def test_an_unknown_plane_is_named() -> None:
    with pytest.raises(ParameterError, match=r"no mask plane 'SATT'.*Did you mean 'SAT'"):
        MaskPlanes().bits("SATT")


@given(st.permutations(range(9)), st.integers(0, 511))
def test_translation_keeps_names(order: list[int], bits: int) -> None:
    source = MaskPlanes()
    target = MaskPlanes(dict(zip(DEFAULT_PLANES, order, strict=True)))
    pixels = np.array([[bits]], dtype=np.int32)

    translated = source.translate(pixels, target)

    for name in DEFAULT_PLANES:
        assert bool(pixels[0, 0] & source.bits(name)) == bool(translated[0, 0] & target.bits(name))


def test_a_mask_acts_as_its_pixels() -> None:
    mask = Mask(np.array([[0, 5], [2, 0]]), xy0=(3, 4))

    assert np.asarray(mask).dtype == np.int32
    assert mask.is_set("SAT").tolist() == [[False, False], [True, False]]
    assert mask.is_set().sum() == 2
    assert mask.shape == (2, 2)
