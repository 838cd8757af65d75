"""Tests of masks made of defects."""

from __future__ import annotations

import numpy as np
import pytest
from astropy.table import Table

from butler_core.formatters.mask_planes import MaskPlanes
from pipelines.tasks.masking import defect_mask, grown, set_plane


def test_rectangles_are_cut_to_the_window() -> None:
    defects = Table({"x0": [2, 8], "y0": [11, 0], "width": [3, 1], "height": [2, 100]})

    mask = defect_mask(defects, (5, 6), (3, 10))

    expected = np.zeros((5, 6), dtype=bool)
    expected[1:3, 0:2] = True
    expected[:, 5] = True
    np.testing.assert_array_equal(mask, expected)


def test_region_tables_count_from_one() -> None:
    defects = Table(
        {
            "X": [1.0, 3.5],
            "Y": [1.0, 4.0],
            "SHAPE": ["POINT", "BOX"],
            "R": [[1.0, 1.0], [2.0, 3.0]],
        }
    )

    mask = defect_mask(defects, (6, 6), (0, 0))

    assert mask.sum() == 7
    assert mask[0, 0]
    assert mask[2:5, 2:4].all()


def test_unknown_shapes_are_refused() -> None:
    defects = Table({"X": [1.0], "Y": [1.0], "SHAPE": ["ELLIPSE"], "R": [[1.0, 1.0]]})

    with pytest.raises(ValueError, match="'ELLIPSE'"):
        defect_mask(defects, (6, 6), (0, 0))


def test_tables_of_something_else_are_refused() -> None:
    with pytest.raises(ValueError, match="columns a"):
        defect_mask(Table({"a": [1]}), (6, 6), (0, 0))


def test_growth_has_square_corners() -> None:
    where = np.zeros((7, 7), dtype=bool)
    where[3, 3] = True

    assert grown(where, 2).sum() == 25
    assert grown(where, 0) is where


def test_planes_add_up() -> None:
    planes, mask = MaskPlanes(), np.zeros((2, 2), dtype=np.int32)
    first = np.array([[True, False], [False, False]])

    set_plane(mask, planes, "SAT", first)
    set_plane(mask, planes, "CR", first)

    assert mask[0, 0] == planes.bits("SAT", "CR")
    assert mask[1].tolist() == [0, 0]
