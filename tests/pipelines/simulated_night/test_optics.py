"""Tests of star images and of the conditions."""

from __future__ import annotations

import numpy as np
import pytest

from pipelines.simulated_night import optics
from pipelines.simulated_night.night_plan import ImageType, NightSettings, plan_night


@pytest.mark.parametrize("electrons", [1e3, 1e5, 1e7])
@pytest.mark.parametrize("fwhm_pix", [6.3, 10.4])
@pytest.mark.parametrize(("x", "y"), [(200.0, 200.0), (200.5, 199.5), (200.37, 199.81)])
def test_star_keeps_its_electrons(x: float, y: float, fwhm_pix: float, electrons: float) -> None:
    image = np.zeros((400, 400))

    optics.paint_stars(image, np.array([x]), np.array([y]), np.array([electrons]), fwhm_pix)

    assert image.sum() == pytest.approx(electrons, rel=3e-4)


def test_star_has_its_width_and_place() -> None:
    image = np.zeros((301, 301))

    optics.paint_stars(image, np.array([150.3]), np.array([149.6]), np.array([1e6]), 8.0)

    rows, columns = np.mgrid[:301, :301]
    assert (image * columns).sum() / image.sum() == pytest.approx(150.3, abs=0.01)
    assert (image * rows).sum() / image.sum() == pytest.approx(149.6, abs=0.01)
    assert np.count_nonzero(image > image.max() / 2) == pytest.approx(np.pi * 4.0**2, rel=0.05)


def test_noise_pixels_agree_with_the_painted_profile() -> None:
    image = np.zeros((301, 301))

    optics.paint_stars(image, np.array([150.0]), np.array([150.0]), np.array([1e6]), 8.0)

    weights = image / image.sum()
    assert optics.noise_pixels(8.0) == pytest.approx(1.0 / np.sum(weights**2), rel=0.02)


def test_star_beyond_the_edge_lights_the_frame_but_does_not_wrap() -> None:
    image = np.zeros((100, 100))

    optics.paint_stars(image, np.array([-5.0]), np.array([50.0]), np.array([1e5]), 8.0)

    assert image[:, 0].sum() > 0
    assert not image[:, 60:].any()


def test_conditions_are_drawn_within_their_ranges_and_differ() -> None:
    plan = plan_night(NightSettings(), 0.1)
    science = [item for item in plan if item.image_type is ImageType.SCIENCE]

    drawn = [optics.draw_conditions(1, exposure, 25.0, 0.1) for exposure in science]

    seeing = [item.seeing_arcsec for item in drawn]
    assert len(set(seeing)) == len(seeing)
    assert all(0.6 <= value <= 1.0 for value in seeing)
    assert all(
        item.zero_point_mag < optics.ZERO_POINT_MAG[exposure.band]
        for item, exposure in zip(drawn, science, strict=True)
    )


def test_zero_point_turns_magnitude_into_electrons() -> None:
    conditions = optics.Conditions(0.8, 25.0, 0.5, 0.0, 0.0, 0.0)

    electrons = optics.star_electrons(np.array([25.0, 20.0]), conditions, 30.0)

    assert electrons == pytest.approx([30.0, 3000.0])
