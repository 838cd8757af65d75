"""Tests of profile and photometry on stars whose truth is exact."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from pipelines.tasks.aperture_photometry import measure_apertures
from pipelines.tasks.detection import find_stars
from pipelines.tasks.errors import PointSpreadError
from pipelines.tasks.moffat import MoffatProfile
from pipelines.tasks.point_spread import fit_point_spread
from pipelines.tasks.psf_photometry import StarImage, fit_stars

SKY_VARIANCE = 100.0
PROFILE = MoffatProfile(alpha=4.0, beta=3.5, e1=0.08, e2=-0.05)


def scene(
    x: NDArray[np.float64], y: NDArray[np.float64], flux: NDArray[np.float64], seed: int
) -> StarImage:
    """Stars with noise, on a square of 600 pixels; each out to 60."""
    light = np.zeros((600, 600))
    for x_star, y_star, f in zip(x, y, flux, strict=True):
        rows, columns = (
            np.arange(max(0, round(place) - 60), min(600, round(place) + 60))
            for place in (y_star, x_star)
        )
        stamp = PROFILE.light(columns[None, :] - x_star, rows[:, None] - y_star).value
        light[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1] += f * stamp
    variance = light + SKY_VARIANCE
    noise = np.random.default_rng(seed).normal(0.0, 1.0, light.shape) * np.sqrt(variance)
    level = np.full(light.shape, SKY_VARIANCE)
    return StarImage(light + noise, variance, level, np.zeros(light.shape, dtype=bool))


def grid(n: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Places at all phases of a pixel, far from each other."""
    rng = np.random.default_rng(5)
    step = np.linspace(40.0, 560.0, n)
    x, y = (axis.ravel() for axis in np.meshgrid(step, step))
    return x + rng.uniform(-0.5, 0.5, x.size), y + rng.uniform(-0.5, 0.5, y.size)


def test_profile_has_unit_light_and_its_own_width() -> None:
    steps = np.arange(-400, 401)
    light = PROFILE.light(steps[None, :] - 0.3, steps[:, None] + 0.2).value

    assert light.sum() == pytest.approx(1.0, abs=2e-4)
    # The pixel's own width adds a few per cent to so narrow a profile.
    assert 1.0 < 1.0 / (light**2).sum() / PROFILE.noise_pixels < 1.04
    assert MoffatProfile.from_dict(PROFILE.to_dict()) == PROFILE


def test_slopes_are_derivatives() -> None:
    dx, dy, step = np.array([-3.0, 0.5, 4.0]), np.array([1.0, -2.0, 0.0]), 1e-4
    light = PROFILE.light(dx, dy)
    q = np.array([PROFILE.light(dx - s, dy).value for s in (step, -step)])

    # The slope is that of the centre; the value has a small term for the pixel's size, too.
    np.testing.assert_allclose((q[0] - q[1]) / (2 * step), light.slope_x, rtol=0.1, atol=1e-5)


def test_enclosed_light_is_that_of_a_round_profile() -> None:
    round_profile = MoffatProfile(4.0, 3.5)
    steps = np.arange(-60, 61)
    dx, dy = steps[None, :], steps[:, None]

    inside = round_profile.light(dx, dy).value[np.hypot(dx, dy) < 20.0].sum()

    assert inside == pytest.approx(round_profile.enclosed(20.0), abs=2e-3)


@pytest.mark.parametrize("snr", [6.0, 30.0, 200.0])
def test_fluxes_and_errors_are_unbiased_at_all_brightnesses(snr: float) -> None:
    x, y = grid(12)
    background = PROFILE.noise_pixels * SKY_VARIANCE
    flux = 0.5 * (snr**2 + snr * np.sqrt(snr**2 + 4.0 * background))
    pulls, positions, chi2 = [], [], []
    for seed in range(4):
        image = scene(x, y, np.full(x.size, flux), seed)
        stars = fit_stars(image, PROFILE, x.round(), y.round(), np.full(x.size, flux), iterations=4)
        pulls.append((stars.flux - flux) / stars.flux_error)
        positions.append((stars.x - x) / stars.x_error)
        chi2.append(stars.chi2)
    pull = np.concatenate(pulls)

    assert abs(np.mean(pull)) < 3.0 / np.sqrt(pull.size)
    assert 0.9 < np.std(pull) < 1.1
    assert 0.8 < np.std(np.concatenate(positions)) < 1.3
    # Three parameters a star take a little of the noise away.
    assert 0.85 < np.mean(chi2) < 1.02


def light_of_others(
    x: NDArray[np.float64], y: NDArray[np.float64], flux: NDArray[np.float64]
) -> float:
    """Light of the others in the second star's profile, over its own."""
    steps = np.arange(200, 400)
    first, second, third = (
        PROFILE.light(steps[None, :] - column, steps[:, None] - row).value
        for column, row in zip(x, y, strict=True)
    )
    others = flux[0] * first + flux[2] * third
    return float((others * second).sum() / (flux[1] * (second**2).sum()))


def test_overlapping_stars_share_their_light() -> None:
    x, y = np.array([300.0, 308.0, 291.5]), np.array([300.3, 303.0, 296.0])
    flux = np.array([40000.0, 8000.0, 15000.0])
    image = scene(x, y, flux, 3)

    stars = fit_stars(image, PROFILE, x.round(), y.round(), 0.7 * flux, iterations=6)

    assert np.abs((stars.flux - flux) / stars.flux_error).max() < 4.0
    assert stars.contamination[1] == pytest.approx(light_of_others(x, y, flux), rel=0.1)


def test_bad_pixels_are_left_out_and_filled_in_apertures() -> None:
    x, y, flux = np.array([300.2]), np.array([299.7]), np.array([1e5])
    image = scene(x, y, flux, 4)
    image.is_bad[296:304, 301] = True
    image.pixels[image.is_bad] = 1e6

    stars = fit_stars(image, PROFILE, x.round(), y.round(), flux, iterations=4)
    aperture = measure_apertures(image, stars, [15.0], np.array([0]))

    assert stars.flux[0] == pytest.approx(1e5, abs=4.0 * stars.flux_error[0])
    assert 0.7 < stars.coverage[0] < 0.95
    assert aperture.filled[0, 0] > 0.0
    assert aperture.flux[0, 0] == pytest.approx(1e5 * PROFILE.enclosed(15.0), rel=0.02)


def test_galaxies_are_wider() -> None:
    x, y, flux = np.array([300.0]), np.array([300.0]), np.array([2e5])
    image = scene(x, y, flux, 5)
    narrow = MoffatProfile(PROFILE.alpha / 1.1, PROFILE.beta)

    stars = fit_stars(image, narrow, x, y, flux, iterations=3)

    assert stars.fwhm[0] == pytest.approx(PROFILE.fwhm, rel=0.03)
    assert stars.chi2[0] > 2.0


def test_profile_is_fitted_in_spite_of_a_trail() -> None:
    x, y = grid(5)
    image = scene(x, y, np.full(x.size, 3e5), 6)
    image.pixels[:, 200] += 4000.0
    on_trail = np.abs(x - 200.0) < 40.0
    places = np.append(x[~on_trail], [200.0] * 4), np.append(y[~on_trail], [80, 210, 340, 470])

    spread = fit_point_spread(image, *places, 6.0, fewest=5)

    assert spread.n_stars == int((~on_trail).sum())
    assert spread.profile.fwhm == pytest.approx(PROFILE.fwhm, rel=0.003)
    assert spread.profile.beta == pytest.approx(PROFILE.beta, rel=0.03)
    assert spread.profile.e1 == pytest.approx(PROFILE.e1, abs=0.01)


def test_too_few_stars_give_no_profile() -> None:
    x, y = grid(2)
    image = scene(x, y, np.full(x.size, 1e5), 7)

    with pytest.raises(PointSpreadError, match=r"4 stars .* 5 are needed"):
        fit_point_spread(image, x, y, 5.0, fewest=5)


def test_detection_measures_the_flux_of_gaussians() -> None:
    rows, columns = np.mgrid[:200, :200]
    sigma, flux = 3.0, 5000.0
    gauss = np.exp(-0.5 * ((columns - 80) ** 2 + (rows - 120) ** 2) / sigma**2)
    image = flux * gauss / (2.0 * np.pi * sigma**2)

    peaks = find_stars(
        image,
        np.full(image.shape, 25.0),
        np.zeros(image.shape, dtype=bool),
        fwhm_pix=2.3548 * sigma,
        n_sigma=5.0,
    )

    assert (peaks.x[0], peaks.y[0]) == (80.0, 120.0)
    assert peaks.flux[0] == pytest.approx(flux, rel=0.01)
    assert peaks.snr[0] == pytest.approx(flux / (5.0 * np.sqrt(4 * np.pi) * sigma), rel=0.01)


def test_empty_image_has_no_stars() -> None:
    flat = np.zeros((50, 50))

    peaks = find_stars(flat, flat + 1.0, flat > 0, fwhm_pix=5.0, n_sigma=5.0)

    assert peaks.x.size == 0
