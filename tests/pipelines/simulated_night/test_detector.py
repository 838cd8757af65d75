"""Tests of the detector: bias, gain, read noise, saturation, cosmic rays."""

from __future__ import annotations

import numpy as np
import pytest

from pipelines.simulated_night.cosmic_rays import draw_cosmic_rays
from pipelines.simulated_night.detector import ADC_LIMIT_ADU, collect_electrons, read_out
from pipelines.simulated_night.exposure import set_stage
from pipelines.simulated_night.night_plan import NightSettings
from pipelines.simulated_night.sensor import Sensor


@pytest.fixture(scope="module")
def sensor() -> Sensor:
    return set_stage(NightSettings(n_rows=128)).sensor


def expose(sensor: Sensor, light: np.ndarray, seed: int) -> list[np.ndarray]:
    """Read out one exposure without dark current and cosmic rays."""
    rng = np.random.default_rng(seed)
    nothing = np.zeros_like(light)
    electrons = collect_electrons(light, sensor, dark_s=0.0, cosmic_rays=nothing, rng=rng)
    return read_out(electrons, sensor, rng)


def imaging(sensor: Sensor, raw: np.ndarray) -> np.ndarray:
    """Return the imaging pixels, each row less its overscan's mean."""
    window = sensor.window
    overscan = raw[:, window.raw_columns.stop :].mean(axis=1, keepdims=True)
    return (raw - overscan)[window.raw_rows, window.raw_columns]


@pytest.fixture(scope="module")
def biases(sensor: Sensor) -> list[list[np.ndarray]]:
    dark = np.zeros((sensor.window.ny, sensor.window.nx))
    return [expose(sensor, dark, seed) for seed in (1, 2)]


def test_read_out_has_the_camera_s_prescan_and_overscans(sensor: Sensor, biases) -> None:
    assert len(biases[0]) == 16
    for raw in biases[0]:
        assert raw.shape == (64 + 48, 3 + 509 + 64)
        assert raw.dtype == np.int32


def test_bias_level_is_each_amplifier_s_own(sensor: Sensor, biases) -> None:
    for raw, level in zip(biases[0], sensor.bias_level, strict=True):
        overscan = raw[:, sensor.window.raw_columns.stop :]

        # The level scatters by 3 adu from exposure to exposure.
        assert overscan.mean() == pytest.approx(level, abs=12.0)
    assert len(set(np.round(sensor.bias_level))) == 16


def test_read_noise_is_the_camera_s(sensor: Sensor, biases) -> None:
    for amplifier, first, second in zip(sensor.window.amplifiers, *biases, strict=True):
        difference = np.diff((first - second)[:, sensor.window.raw_columns.stop :], axis=1)

        noise_e = difference.std() / 2.0 * amplifier.gain_e_adu
        assert noise_e == pytest.approx(amplifier.read_noise_e, rel=0.05)


def test_overscan_removes_the_drift_of_the_rows(sensor: Sensor, biases) -> None:
    difference = biases[0][0] - biases[1][0]
    corrected = imaging(sensor, biases[0][0]) - imaging(sensor, biases[1][0])

    drift = difference[:64, sensor.window.raw_columns].mean(axis=1).std()
    assert drift > 0.5
    # What is left is the noise of 64 overscan and 509 imaging pixels, twice.
    assert corrected.mean(axis=1).std() == pytest.approx(8.4 / 1.0811 / np.sqrt(32), rel=0.3)


def test_bias_structure_is_the_same_in_every_frame(sensor: Sensor, biases) -> None:
    columns = [imaging(sensor, frame[3]).mean(axis=0) for frame in biases]

    assert np.corrcoef(*columns)[0, 1] > 0.4
    assert columns[0][:5].mean() > columns[0][100:].mean() + 1.0


def test_photon_transfer_gives_the_camera_s_gain(sensor: Sensor) -> None:
    light = 28000.0 * sensor.response["r"]
    pairs = [
        (expose(sensor, light, seed), expose(sensor, 0.97 * light, seed + 1)) for seed in (10, 20)
    ]

    for index, amplifier in enumerate(sensor.window.amplifiers):
        gains = []
        for first, second in pairs:
            bright, faint = imaging(sensor, first[index]), imaging(sensor, second[index])
            ratio = bright.mean() / faint.mean()
            variance = np.var(bright - ratio * faint)
            read_variance = (1 + ratio**2) * (amplifier.read_noise_e / amplifier.gain_e_adu) ** 2
            shot = variance - read_variance
            gains.append((bright.mean() + ratio**2 * faint.mean()) / shot)
        assert np.mean(gains) == pytest.approx(amplifier.gain_e_adu, rel=0.03)


def test_pixels_clip_at_full_well_below_the_converter_s_limit(sensor: Sensor) -> None:
    light = np.full((sensor.window.ny, sensor.window.nx), 1e6)

    for amplifier, raw in zip(sensor.window.amplifiers, expose(sensor, light, 3), strict=True):
        level = np.median(imaging(sensor, raw))

        assert level == pytest.approx(amplifier.full.saturation_adu, rel=1e-3)
        assert raw.max() <= ADC_LIMIT_ADU


def test_response_is_the_same_for_all_but_dust_and_fine_grain(sensor: Sensor) -> None:
    ratio = sensor.response["g"] / sensor.response["r"]
    column = next(item for item in sensor.defects if item.kind == "dead column")

    assert np.median(ratio) == pytest.approx(1.0, abs=0.005)
    assert ratio.std() < 0.01
    assert sensor.response["g"][column.y0 : column.y0 + column.height, column.x0].max() < 0.05


def test_hot_pixels_are_where_the_defects_say(sensor: Sensor) -> None:
    rows, columns = np.nonzero(sensor.dark_rate > 1.0)
    hot = {(item.x0, item.y0) for item in sensor.defects if item.kind == "hot pixel"}

    assert hot == set(zip(columns.tolist(), rows.tolist(), strict=True))
    assert len(hot) >= 3


def test_cosmic_rays_hit_what_is_exposed_and_no_bias() -> None:
    rng = np.random.default_rng(4)

    exposed = draw_cosmic_rays(rng, (200, 4000), 60.0)
    bias = draw_cosmic_rays(rng, (200, 4000), 0.0)

    assert exposed.x.size > 20
    assert np.all(exposed.charge[exposed.y, exposed.x] > 0)
    assert np.count_nonzero(exposed.charge) == exposed.x.size
    assert bias.x.size == 0
