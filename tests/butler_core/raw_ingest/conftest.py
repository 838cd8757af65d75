"""A night's raws, and repositories to take them in."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from butler_core import Butler
from butler_core.instruments import register_instrument
from pipelines.simulated_night.night import write_night
from pipelines.simulated_night.night_plan import NightSettings


@pytest.fixture(scope="session")
def night(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Return the raw files of a tiny night: bias, dark, two flats, two science exposures."""
    settings = NightSettings(n_science=2, n_calibrations=1, n_rows=32)
    return write_night(tmp_path_factory.mktemp("night"), settings).raw_files()


@pytest.fixture
def latiss(tmp_path: Path) -> Iterator[Butler]:
    """Return a butler of a repository that knows LATISS and nothing else."""
    with Butler.create(tmp_path / "repo") as butler:
        register_instrument(butler, "LATISS")
        yield butler
