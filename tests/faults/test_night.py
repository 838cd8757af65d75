"""The simulated night: the same bytes whatever runs it, and however often it is interrupted."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.faults.campaign import Campaign
from tests.faults.conftest import is_whole

ROOT = Path(__file__).parents[2]
N_VISITS, N_ROWS, N_INTERRUPTIONS = (12, 224, 10) if is_whole() else (3, 64, 2)


def call(*words: object) -> None:
    """Run a program of this Python's environment, or a module of it."""
    program, *arguments = map(str, words)
    path = str(Path(sys.executable).with_name(program))
    done = subprocess.run([path, *arguments], capture_output=True, text=True, cwd=ROOT, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="module")
def night(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a repository with all that the night is reduced from."""
    folder = tmp_path_factory.mktemp("night")
    call("python", "-m", "pipelines.simulated_night", folder / "night", "--science", N_VISITS,
         "--rows", N_ROWS, "--calibrations", 3)  # fmt: skip
    repo = folder / "repo"
    call("butler", "create", repo)
    call("butler", "register-instrument", repo, "lsst.obs.lsst.Latiss")
    call("butler", "ingest-raws", "--transfer", "direct", repo, folder / "night/raw/2021-07-07")
    call("butler", "define-visits", repo, "LATISS")
    call("butler", "write-curated-calibrations", repo, "LATISS")
    call("butler", "register-dataset-type", repo, "gaia_dr2_20191105", "SimpleCatalog", "htm7")
    call("butler", "ingest-files", "-t", "direct", repo, "gaia_dr2_20191105", "refcats",
         folder / "night/refcats/gaia_dr2_20191105.ecsv")  # fmt: skip
    for kind in ("bias", "dark", "flat"):
        call("pipetask", "run", "-b", repo, "-p", f"pipelines/latiss/calibrations.yaml#{kind}",
             "--register-dataset-types", "-i", "LATISS/raw/all,LATISS/calib",
             "-o", f"LATISS/made/{kind}", "-d", f"exposure.observation_type='{kind}'")  # fmt: skip
        call("butler", "certify-calibrations", repo, f"LATISS/made/{kind}", "LATISS/calib", kind,
             "--begin-date", "2021-07-01T00:00:00", "--end-date", "2021-08-01T00:00:00")  # fmt: skip
    return repo


class NightCampaign(Campaign):
    """The night's pipeline."""

    @property
    def command(self) -> list[str]:
        program = str(Path(sys.executable).with_name("pipetask"))
        return [
            program, "--no-progress", "run", "-b", str(self.repository), "-p", str(self.pipeline),
            "-i", "LATISS/raw/all,LATISS/calib,refcats", "--output-run", "u/run", "--extend-run",
            "-d", "exposure.observation_type='science'", "--register-dataset-types",
            *self.arguments,
        ]  # fmt: skip


NewNight = Callable[..., NightCampaign]


@pytest.fixture
def new_night(night: Path, tmp_path: Path) -> Iterator[NewNight]:
    def make(*arguments: str) -> NightCampaign:
        shutil.copytree(night, tmp_path / "repo", symlinks=True)
        return NightCampaign(tmp_path / "repo", ROOT / "pipelines/latiss/night.yaml", arguments)

    yield make
    shutil.rmtree(tmp_path / "repo", ignore_errors=True)


@pytest.fixture(scope="module")
def reduced(night: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Return a digest of each dataset file of an undisturbed run in one process."""
    folder = tmp_path_factory.mktemp("reduced")
    shutil.copytree(night, folder / "repo", symlinks=True)
    pipeline = ROOT / "pipelines/latiss/night.yaml"
    campaign = NightCampaign(folder / "repo", pipeline, ("-j", "1"))
    code, said = campaign.run()
    assert code == 0, said
    assert campaign.state_faults(is_done=True) == []
    return campaign.results()


@pytest.mark.parametrize(
    "arguments",
    [("-j", "2"), ("-j", "2", "--engine", "threads"), ("-j", "2", "--engine", "dask")],
    ids=["processes", "threads", "dask"],
)
def test_every_engine_writes_the_same_bytes(
    arguments: tuple[str, ...], new_night: NewNight, reduced: dict[str, str]
) -> None:
    campaign = new_night(*arguments)

    code, said = campaign.run()

    assert code == 0, said
    assert campaign.results() == reduced
    assert len(reduced) > 5 * N_VISITS


@pytest.mark.parametrize("seed", range(N_INTERRUPTIONS))
def test_an_interrupted_night_ends_as_an_undisturbed_one(
    seed: int, new_night: NewNight, reduced: dict[str, str]
) -> None:
    chance = random.Random(seed)
    campaign = new_night("-j", "2")
    process = campaign.start()
    time.sleep(chance.uniform(2.0, 2.0 + 4.0 * N_VISITS))

    if process.poll() is None:
        os.kill(process.pid, chance.choice([signal.SIGKILL, signal.SIGINT, signal.SIGTERM]))
    process.communicate(timeout=300)
    assert campaign.state_faults(is_done=False) == []
    code, said = campaign.run()

    assert code == 0, said
    assert campaign.state_faults(is_done=True) == []
    assert campaign.results() == reduced
