"""Tests of the bias level."""

from __future__ import annotations

import numpy as np
import pytest

from pipelines.tasks.errors import OverscanError
from pipelines.tasks.overscan import OverscanConfig, measure_overscan


def drifting(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    drift = 1000.0 + np.cumsum(rng.normal(0.0, 0.2, 400))
    return drift, np.rint(drift[:, None] + rng.normal(0.0, 8.0, (400, 64)))


def test_row_levels_follow_the_drift_within_their_error() -> None:
    drift, overscan = drifting(np.random.default_rng(1))

    found = measure_overscan(overscan, OverscanConfig())

    assert np.std(found.level - drift) == pytest.approx(found.level_error, rel=0.1)
    assert found.level_error == pytest.approx(1.0, rel=0.05)
    assert found.read_noise == pytest.approx(8.0, rel=0.02)


def test_hit_pixels_do_not_move_the_level() -> None:
    drift, overscan = drifting(np.random.default_rng(2))
    overscan[10, 5:8] = 30000.0

    found = measure_overscan(overscan, OverscanConfig())

    assert abs(found.level[10] - drift[10]) < 4.0


def test_one_level_for_an_amplifier_needs_few_columns() -> None:
    overscan = np.random.default_rng(3).normal(500.0, 6.0, (1000, 4))

    found = measure_overscan(overscan, OverscanConfig(level="amplifier"))

    assert np.ptp(found.level) == 0.0
    assert found.level.shape == (1000,)
    assert found.level[0] == pytest.approx(500.0, abs=4.0 * found.level_error)


def test_too_few_columns_are_refused() -> None:
    with pytest.raises(OverscanError, match="each row needs 3 pixels"):
        measure_overscan(np.zeros((10, 5)), OverscanConfig(skipped_columns=3))


def test_row_that_keeps_nothing_is_named() -> None:
    overscan = np.random.default_rng(4).normal(500.0, 5.0, (50, 4))
    overscan[7] = [0.0, 300.0, 700.0, 1000.0]

    with pytest.raises(OverscanError, match=r"row 7 .* 'amplifier'"):
        measure_overscan(overscan, OverscanConfig())
