"""Tests of averages of stacks."""

from __future__ import annotations

import numpy as np
import pytest

from pipelines.tasks.combining import ClippingConfig, CombinedFrame, FrameStack, combine


def combined(frames: list[np.ndarray], **settings: float) -> CombinedFrame:
    with FrameStack(frames[0].shape) as stack:
        for frame in frames:
            stack.append(frame)
        return combine(
            stack, lambda _rows, median: np.full(median.shape, 5.0), ClippingConfig(**settings)
        )


def test_average_of_noise_is_the_mean() -> None:
    frames = list(np.random.default_rng(1).normal(100.0, 5.0, (5, 30, 40)))

    found = combined(frames)

    np.testing.assert_allclose(found.mean, np.mean(frames, axis=0), rtol=1e-5)
    assert found.rejected_fraction == 0.0
    assert found.n_frames == 5


def test_one_hit_of_five_is_rejected() -> None:
    frames = list(np.random.default_rng(2).normal(100.0, 5.0, (5, 30, 40)))
    frames[3][4, 5] += 2000.0

    found = combined(frames)

    assert found.n_kept[4, 5] == 4
    assert found.mean[4, 5] < 120.0
    assert found.rejected_fraction == pytest.approx(1.0 / (5 * 30 * 40))


def test_strips_give_what_the_whole_gives() -> None:
    frames = list(np.random.default_rng(3).normal(0.0, 5.0, (4, 90, 3000)).astype(np.float32))

    by_strips, whole = combined(frames, memory_mib=16), combined(frames, memory_mib=2000)

    np.testing.assert_array_equal(by_strips.mean, whole.mean)
    np.testing.assert_array_equal(by_strips.n_kept, whole.n_kept)


def test_pixels_without_values_are_nan() -> None:
    frames = list(np.random.default_rng(4).normal(0.0, 5.0, (3, 4, 4)))
    for frame in frames:
        frame[1, 1] = np.nan
    frames[0][2, 2] = np.nan

    found = combined(frames)

    assert np.isnan(found.mean[1, 1])
    assert found.n_kept[1, 1] == 0
    assert found.n_kept[2, 2] == 2


def test_even_split_is_no_value() -> None:
    frames = [np.full((2, 2), value) for value in (0.0, 0.0, 900.0, 900.0)]

    found = combined(frames)

    assert np.isnan(found.mean).all()
    assert (found.n_kept == 0).all()
