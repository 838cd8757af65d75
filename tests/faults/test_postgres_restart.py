"""The registry's server goes away while a run is at work, and comes back or does not."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.faults.campaign import PIPELINE, Campaign
from tests.faults.conftest import make_world
from tests.postgres_server import PostgresServer
from tests.registries import PostgresqlRegistries


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    """Return a server of our own, which may be ended; it keeps what it has committed."""
    found = PostgresServer.start({})
    yield found
    found.stop()


@pytest.fixture
def campaign(server: PostgresServer, tmp_path: Path) -> Iterator[Campaign]:
    registries = PostgresqlRegistries(server)
    make_world(registries, tmp_path / "repo")
    pipeline = tmp_path / "pipeline.yaml"
    pipeline.write_text(PIPELINE % {"sleep_s": 0.4}, encoding="utf-8")
    yield Campaign(tmp_path / "repo", pipeline, ("-j", "2", "--patience", "20"))
    registries.close()


def test_a_run_goes_on_when_the_server_comes_back(
    server: PostgresServer, campaign: Campaign, require_done: Callable[[Campaign], None]
) -> None:
    process = campaign.start()
    _wait_for_work(campaign)

    server.crash()
    time.sleep(2.5)  # longer than the time between commits
    server.start_again()
    said, _ = process.communicate(timeout=120)

    assert process.returncode == 0, said
    assert "trying again" in said
    require_done_now(campaign, require_done)


def test_a_run_stops_when_the_server_stays_away(
    server: PostgresServer, campaign: Campaign, require_done: Callable[[Campaign], None]
) -> None:
    campaign.arguments = ("-j", "2", "--patience", "1")
    process = campaign.start()
    _wait_for_work(campaign)

    server.crash()
    said, _ = process.communicate(timeout=120)
    server.start_again()

    assert process.returncode == 1, said
    assert "Traceback" not in said, said
    assert "--extend-run goes on from there" in said
    require_done(campaign)


def require_done_now(campaign: Campaign, require_done: Callable[[Campaign], None]) -> None:
    """Require that nothing is left to do, and the result that an undisturbed run has."""
    code, said = campaign.run()
    assert (code, "Nothing to do" in said) == (0, True), said
    require_done(campaign)


def _wait_for_work(campaign: Campaign) -> None:
    folder = campaign.repository / "u/run/graphs"
    begin = time.monotonic()
    while not any(folder.glob("*.journal")):
        assert time.monotonic() - begin < 30
        time.sleep(0.02)
    time.sleep(1.5)
