"""Tests of the true catalogue."""

from __future__ import annotations

import numpy as np
import pytest
from astropy.coordinates import Angle
from astropy.time import Time

from pipelines.simulated_night.altazimuth import (
    LATITUDE_DEG,
    LONGITUDE_DEG,
    airmass,
    altitude_azimuth,
    hour_angle_deg,
)
from pipelines.simulated_night.exposure import look_at_sky, set_stage
from pipelines.simulated_night.night_plan import ImageType, NightSettings, plan_night, tai_text
from pipelines.simulated_night.pointing import window_wcs
from pipelines.simulated_night.sky import SEPARATION_ARCSEC, make_catalogue


@pytest.fixture(scope="module")
def views():
    """What each science exposure of the default night sees."""
    settings = NightSettings()
    plan = plan_night(settings, set_stage(settings).scale_arcsec)
    science = [item for item in plan if item.image_type is ImageType.SCIENCE]
    return [look_at_sky(settings, exposure) for exposure in science[:4]]


def test_frame_has_a_few_hundred_stars(views) -> None:
    for view in views:
        assert 250 <= view.stars.x.size <= 400


def test_stars_fill_four_bins_of_signal_to_noise_and_beyond(views) -> None:
    for view in views:
        counts = np.histogram(view.stars.snr, [5, 15, 50, 150, 500, np.inf])[0]

        assert np.all(counts[:4] >= 30)
        assert counts[4] >= 10


def test_most_stars_keep_their_distance(views) -> None:
    for view in views:
        assert np.mean(view.stars.nearest >= 0.999 * SEPARATION_ARCSEC) > 0.9
        assert np.any(view.stars.nearest < 0.999 * SEPARATION_ARCSEC)


def test_every_frame_sees_the_stars_that_saturate(views) -> None:
    for view in views:
        assert {1, 2} <= set(view.stars.star_id.tolist())


def test_catalogue_is_the_same_for_the_same_seed_only() -> None:
    stage = set_stage(NightSettings(n_rows=64))
    wcs = window_wcs(
        stage.camera, stage.sensor.window, ra_deg=230.0, dec_deg=-32.0, rotation_deg=0.0
    )

    first, again, other = (
        make_catalogue(seed, (64, 4072), wcs, stage.scale_arcsec) for seed in (5, 5, 6)
    )

    assert np.array_equal(first.ra_deg, again.ra_deg)
    assert not np.array_equal(first.ra_deg, other.ra_deg)


def test_hour_angle_agrees_with_astropy() -> None:
    moment = Time(tai_text(54000.0), scale="tai").utc
    # It was below 0.2 s that night; zero also spares a look into the tables of the Earth's turn.
    moment.delta_ut1_utc = 0.0

    expected = moment.sidereal_time("mean", longitude=LONGITUDE_DEG) - Angle(230.0, "deg")

    found = hour_angle_deg(54000.0, 230.0)
    assert found == pytest.approx(expected.wrap_at("180d").deg, abs=0.01)


def test_zenith_is_where_declination_is_latitude_on_the_meridian() -> None:
    ra_deg = hour_angle_deg(50000.0, 0.0)

    altitude, _ = altitude_azimuth(50000.0, ra_deg, LATITUDE_DEG)
    _, east = altitude_azimuth(50000.0, ra_deg + 20.0, LATITUDE_DEG)

    assert altitude == pytest.approx(90.0, abs=1e-4)
    assert 0.0 < east < 180.0
    assert airmass(90.0) == 1.0
