"""A small simulated night, made once."""

from __future__ import annotations

import pytest

from pipelines.simulated_night.night import NightReport, write_night
from pipelines.simulated_night.night_plan import NightSettings


@pytest.fixture(scope="session")
def small_settings() -> NightSettings:
    return NightSettings(n_science=4, n_calibrations=2, n_rows=64)


@pytest.fixture(scope="session")
def small_night(
    tmp_path_factory: pytest.TempPathFactory, small_settings: NightSettings
) -> NightReport:
    return write_night(tmp_path_factory.mktemp("night"), small_settings)
