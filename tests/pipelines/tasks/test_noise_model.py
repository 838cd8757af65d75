"""Tests of the variance of pixels, against drawn noise."""

from __future__ import annotations

import numpy as np
import pytest

from pipelines.tasks.noise_model import CalibrationNoise, divided_variance, electron_variance


@pytest.mark.parametrize("is_same_bias", [True, False])
def test_bias_in_the_dark_counts_as_it_is_subtracted(is_same_bias: bool) -> None:
    rng, n = np.random.default_rng(1), 200_000
    bias_error, other_error = rng.normal(0.0, 4.0, (2, n))
    dark_rate_error = rng.normal(0.0, 0.05, n)
    read = rng.normal(0.0, 9.0, n)
    dark_s, mean_dark_s = 30.0, 60.0
    in_dark = bias_error if is_same_bias else other_error
    dark = dark_rate_error - in_dark / mean_dark_s

    pixels = read - bias_error - dark_s * dark

    noise = CalibrationNoise(16.0, 0.05**2, dark_s, mean_dark_s, is_same_bias)
    expected = electron_variance(np.zeros(1), np.full(1, 81.0), noise)
    assert np.var(pixels) == pytest.approx(float(expected[0]), rel=0.02)


def test_light_is_poisson_and_never_negative() -> None:
    variance = electron_variance(np.array([-5.0, 100.0]), np.full(2, 81.0), CalibrationNoise())

    assert variance.tolist() == [81.0, 181.0]


def test_flat_adds_its_own_noise() -> None:
    rng, n = np.random.default_rng(2), 200_000
    pixels = 1000.0 + rng.normal(0.0, 20.0, n)
    flat = 0.8 + rng.normal(0.0, 0.01, n)

    expected = divided_variance(
        np.array([1250.0]), np.array([400.0]), np.array([0.8]), np.array([1e-4])
    )

    assert np.var(pixels / flat) == pytest.approx(float(expected[0]), rel=0.02)
