"""Tests of the list of exposures."""

from __future__ import annotations

import fnmatch
import itertools

import pytest

from butler_core.cameras import find_camera
from butler_core.errors import ConfigError
from pipelines.simulated_night.night_plan import (
    DAY_OBS,
    PHYSICAL_FILTERS,
    ImageType,
    NightSettings,
    plan_night,
    tai_mjd,
    tai_text,
)

SCALE = 0.095695


def test_default_night_has_enough_of_every_kind() -> None:
    plan = plan_night(NightSettings(), SCALE)

    kinds = [(exposure.image_type, exposure.band) for exposure in plan]
    assert kinds.count((ImageType.BIAS, "r")) == 5
    assert kinds.count((ImageType.DARK, "r")) == 5
    for band in "gr":
        assert kinds.count((ImageType.FLAT, band)) == 5
        assert kinds.count((ImageType.SCIENCE, band)) == 6


def test_exposure_id_is_day_and_five_digits() -> None:
    exposure = plan_night(NightSettings(), SCALE)[-1]

    assert exposure.exposure_id == 2021070700311
    assert exposure.obs_id == "AT_O_20210707_000311"


@pytest.mark.parametrize("n_science", [1, 12, 100])
def test_hands_on_glob_matches_the_science_exposures_alone(n_science: int) -> None:
    plan = plan_night(NightSettings(n_science=n_science, n_calibrations=49), SCALE)

    matched = {item for item in plan if fnmatch.fnmatch(item.file_name, "20210707003*")}

    assert matched == {item for item in plan if item.image_type is ImageType.SCIENCE}
    assert len(matched) == n_science


def test_sequence_numbers_are_unique_and_in_order_of_time() -> None:
    plan = plan_night(NightSettings(n_calibrations=49, n_science=100), SCALE)

    numbers = [exposure.seq_num for exposure in plan]
    assert numbers == sorted(set(numbers))
    for before, after in itertools.pairwise(plan):
        assert before.end_s < after.begin_s


def test_whole_night_is_of_one_observing_day() -> None:
    plan = plan_night(NightSettings(n_calibrations=49, n_science=100), SCALE)

    assert all(0 <= exposure.begin_s < exposure.end_s + 1 < 86400 for exposure in plan)
    assert tai_text(0.0) == "2021-07-07T12:00:00.000"
    assert str(DAY_OBS) == tai_text(0.0)[:10].replace("-", "")


def test_mjd_and_text_are_the_same_instant() -> None:
    from astropy.time import Time

    moment = Time(tai_text(54321.125), scale="tai")

    assert moment.mjd == pytest.approx(tai_mjd(54321.125), abs=1e-10)


def test_dithers_differ_within_a_band_and_pair_the_bands() -> None:
    science = [
        item
        for item in plan_night(NightSettings(n_science=36), SCALE)
        if item.image_type is ImageType.SCIENCE
    ]

    for band in "gr":
        pointings = [(item.ra_deg, item.dec_deg) for item in science if item.band == band]
        # The pattern comes back to its centre after nine.
        assert len(set(pointings)) == len(pointings) - 1
    for first, second in zip(science[::2], science[1::2], strict=True):
        assert (first.ra_deg, first.dec_deg) == (second.ra_deg, second.dec_deg)


def test_filters_are_latiss_filters_of_their_band() -> None:
    camera = find_camera("LATISS")

    for band, name in PHYSICAL_FILTERS.items():
        assert camera.filter(name).band == band


def test_all_faults_of_settings_are_told_together() -> None:
    with pytest.raises(ConfigError, match=r"seed -1.*0 science.*50 calibrations.*33 rows"):
        NightSettings(seed=-1, n_science=0, n_calibrations=50, n_rows=33)
