"""Tests of matching, world coordinates and zero points on made-up catalogues."""

from __future__ import annotations

import numpy as np
import pytest
from astropy.wcs import WCS, Sip

from pipelines.tasks.astrometry import corrected_wcs, pixel_scale_arcsec
from pipelines.tasks.errors import TooFewStarsError
from pipelines.tasks.matching import Matches, Places, Similarity, match_stars
from pipelines.tasks.zero_point import calibrate_flux


def turned(angle_deg: float, scale: float, shift: tuple[float, float]) -> Similarity:
    angle = np.radians(angle_deg)
    matrix = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return Similarity(matrix, np.array(shift))


def matched(transform: Similarity, seed: int, **settings: object) -> Matches:
    rng = np.random.default_rng(seed)
    places = rng.uniform(0.0, (4000.0, 400.0), (150, 2))
    error = np.full(150, 0.05)
    reference = transform.apply(places) + rng.normal(0.0, 0.05, places.shape)
    # A third of the sources are no reference stars, and the other way round.
    reference[:50] = rng.uniform(0.0, (4000.0, 400.0), (50, 2))
    options = {
        "search_pix": 100.0,
        "match_pix": 6.0,
        "fewest": 10,
        "has_free_scale": True,
    }
    return match_stars(
        Places(*places.T, error),
        Places(*reference.T, error),
        **{**options, **settings},  # type: ignore[arg-type]
    )


def test_shift_turn_and_scale_are_found() -> None:
    true = turned(0.04, 1.0002, (37.0, -61.0))

    found = matched(true, 1)

    assert found.source.size >= 95
    assert (found.source == found.reference).mean() > 0.95
    assert found.transform.rotation_deg == pytest.approx(0.04, abs=0.001)
    assert found.transform.scale == pytest.approx(1.0002, abs=2e-5)
    corners = np.array([[0.0, 0.0], [4000.0, 400.0]])
    np.testing.assert_allclose(found.transform.apply(corners), true.apply(corners), atol=0.06)


def test_scale_may_be_held() -> None:
    found = matched(turned(0.02, 1.0, (5.0, 5.0)), 2, has_free_scale=False)

    assert found.transform.scale == pytest.approx(1.0, abs=1e-12)


def test_strange_fields_do_not_match() -> None:
    rng = np.random.default_rng(3)
    one, other = (Places(*rng.uniform(0, 4000, (2, 60)), np.full(60, 0.1)) for _ in range(2))

    with pytest.raises(TooFewStarsError, match="'search_arcsec'"):
        match_stars(one, other, search_pix=100.0, match_pix=2.0, fewest=20, has_free_scale=True)


def test_empty_reference_is_named() -> None:
    some, none = Places(*np.zeros((3, 30))), Places(*np.zeros((3, 0)))

    with pytest.raises(TooFewStarsError, match="0 reference stars"):
        match_stars(some, none, search_pix=10.0, match_pix=2.0, fewest=5, has_free_scale=True)


@pytest.mark.parametrize("has_distortion", [False, True])
def test_corrected_wcs_sees_what_the_old_one_saw_elsewhere(has_distortion: bool) -> None:
    wcs = WCS(naxis=2)
    suffix = "-SIP" if has_distortion else ""
    wcs.wcs.ctype = [f"RA---TAN{suffix}", f"DEC--TAN{suffix}"]
    wcs.wcs.crval, wcs.wcs.crpix = [230.0, -32.0], [500.0, 300.0]
    wcs.wcs.cd = [[5e-5, 2e-5], [-2e-5, 5e-5]]
    if has_distortion:
        a = np.zeros((3, 3))
        a[2, 0] = 1e-7
        wcs.sip = Sip(a, a.T.copy(), None, None, wcs.wcs.crpix)
    transform = turned(0.03, 1.0001, (20.0, -12.0))
    pixels = np.random.default_rng(4).uniform(0.0, 1000.0, (20, 2))

    found = corrected_wcs(wcs, transform).all_pix2world(pixels, 0)

    expected = wcs.all_pix2world(transform.apply(pixels), 0)
    np.testing.assert_allclose(found, expected, atol=2e-8)
    assert pixel_scale_arcsec(wcs) == pytest.approx(3600.0 * np.hypot(5e-5, 2e-5), rel=1e-6)


def fluxes(n: int, seed: int) -> tuple[np.ndarray, ...]:
    rng = np.random.default_rng(seed)
    true = 10.0 ** rng.uniform(4.0, 6.0, n)
    error, reference_error = np.sqrt(true) + 50.0, 0.004 * 15.0 * true
    flux = true + error * rng.normal(size=n)
    return flux, error, 15.0 * true + reference_error * rng.normal(size=n), reference_error


def test_zero_point_is_unbiased_with_a_right_error() -> None:
    found = [calibrate_flux(*fluxes(100, seed), fewest=5) for seed in range(60)]
    pulls = [(item.njy_per_electron - 15.0) / item.njy_per_electron_error for item in found]

    assert abs(np.mean(pulls)) < 0.5
    assert 0.7 < np.std(pulls) < 1.3
    assert found[0].zero_point_mag(30.0) == pytest.approx(31.4 - 2.5 * np.log10(450.0), abs=0.005)


def test_variable_stars_are_left_out_of_the_zero_point() -> None:
    flux, error, reference, reference_error = fluxes(100, 7)
    reference[:5] *= 1.5

    found = calibrate_flux(flux, error, reference, reference_error, fewest=5)

    assert found.n_stars <= 95
    assert found.njy_per_electron == pytest.approx(15.0, rel=0.003)


def test_excess_scatter_widens_the_error() -> None:
    flux, error, reference, reference_error = fluxes(200, 8)
    reference *= 1.0 + 0.02 * np.random.default_rng(9).normal(size=200)

    found = calibrate_flux(flux, error, reference, reference_error, fewest=5)

    assert found.excess_scatter == pytest.approx(0.02, rel=0.2)
    assert found.zero_point_error_mag == pytest.approx(1.0857 * 0.0205 / np.sqrt(200), rel=0.2)


def test_too_few_known_fluxes_are_refused() -> None:
    with pytest.raises(TooFewStarsError, match="a zero point needs 5"):
        calibrate_flux(*fluxes(4, 10), fewest=5)
