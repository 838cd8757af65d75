"""Dask workers and Dask schedulers die, and runs go on or can be continued."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.dask_servers import dask_servers
from tests.faults.campaign import PATIENCE_S, PIPELINE, Campaign
from tests.faults.conftest import MakeCampaign, Undisturbed


def test_a_worker_that_is_killed_changes_nothing(
    tmp_path: Path, new_campaign: MakeCampaign, undisturbed: Undisturbed
) -> None:
    with dask_servers(tmp_path / "dask") as servers:
        campaign = new_campaign("sqlite", "--scheduler", servers.address, sleep_s=0.3)
        first, _ = servers.wait_for_pids(2)
        process = campaign.start()
        _wait_for_results(campaign, process)

        os.kill(first, signal.SIGKILL)
        said, _ = process.communicate(timeout=PATIENCE_S)

    assert process.returncode == 0, said
    _require_clean(said)
    _require_undisturbed(campaign, undisturbed)


@pytest.mark.parametrize("n_threads", [1, 4])
def test_all_workers_that_are_killed_at_once_change_nothing(
    tmp_path: Path, new_campaign: MakeCampaign, undisturbed: Undisturbed, n_threads: int
) -> None:
    with dask_servers(tmp_path / "dask", options=("--nthreads", str(n_threads))) as servers:
        campaign = new_campaign("sqlite", "--scheduler", servers.address, sleep_s=0.3)
        pids = servers.wait_for_pids(2)
        process = campaign.start()
        _wait_for_results(campaign, process)

        for pid in pids:
            os.kill(pid, signal.SIGKILL)
        said, _ = process.communicate(timeout=PATIENCE_S)

    assert process.returncode == 0, said
    _require_undisturbed(campaign, undisturbed)


@pytest.mark.parametrize("is_ours", [True, False], ids=["our-workers", "their-workers"])
def test_a_quantum_that_kills_its_workers_is_lost_alone(
    tmp_path: Path, new_campaign: MakeCampaign, undisturbed: Undisturbed, is_ours: bool
) -> None:
    with dask_servers(tmp_path / "dask", n_workers=0 if is_ours else 2) as servers:
        where = ("--engine", "dask", "-j", "2") if is_ours else ("--scheduler", servers.address)
        campaign = new_campaign("sqlite", *where)
        dying = PIPELINE.replace("sleep_s: %(sleep_s)s", "dying: [20]", 1) % {"sleep_s": 0.0}
        campaign.pipeline.write_text(dying, encoding="utf-8")

        code, said = campaign.run()

    assert code == 1
    _require_clean(said)
    lost = "isr {instrument: 'Cam', detector: 0, exposure: 2} lost: its worker process died"
    assert lost in said
    assert campaign.state_faults(is_done=False) == []
    missing = undisturbed.datasets - campaign.datasets()
    assert {name for name, _ in missing} == {
        "frame", "low", "high", "total", "summary", "split_metadata", "split_log",
        "gather_metadata", "gather_log", "notes_metadata", "notes_log",
    }  # fmt: skip
    assert all('"exposure": 2' in data_id for _, data_id in missing)
    assert not any('"detector": 1' in data_id for _, data_id in missing)
    there = campaign.results()
    assert there == {path: undisturbed.results[path] for path in there}


def test_interrupts_of_the_terminal_let_our_workers_end_what_they_do(
    new_campaign: MakeCampaign, require_done: Callable[[Campaign], None]
) -> None:
    campaign = new_campaign("sqlite", "--engine", "dask", "-j", "2", sleep_s=0.5)
    process = campaign.start()
    _wait_for_results(campaign, process)

    os.killpg(process.pid, signal.SIGINT)
    said, _ = process.communicate(timeout=PATIENCE_S)

    assert process.returncode == 1
    assert "interrupted: waiting for what runs" in said
    assert "cancelled" in said
    _require_clean(said)
    require_done(campaign)


def test_an_interrupt_ends_a_run_that_waits_for_workers(
    tmp_path: Path, new_campaign: MakeCampaign, require_done: Callable[[Campaign], None]
) -> None:
    with dask_servers(tmp_path / "dask") as servers:
        campaign = new_campaign("sqlite", "--scheduler", servers.address, sleep_s=0.3)
        process = campaign.start()
        _wait_for_results(campaign, process)
        for worker in servers.workers:
            os.killpg(worker.pid, signal.SIGKILL)

        os.killpg(process.pid, signal.SIGINT)
        said, _ = process.communicate(timeout=PATIENCE_S)

    assert process.returncode == 1
    assert "cancelled" in said
    _require_clean(said)
    with dask_servers(tmp_path / "others") as servers:
        campaign.arguments = ("--scheduler", servers.address)
        require_done(campaign)


@pytest.mark.parametrize("goes_on_with", ["another scheduler", "-j 2"])
def test_a_run_whose_scheduler_is_killed_stops_and_can_be_continued(
    tmp_path: Path,
    new_campaign: MakeCampaign,
    require_done: Callable[[Campaign], None],
    goes_on_with: str,
) -> None:
    with dask_servers(tmp_path / "dask") as servers:
        campaign = new_campaign("sqlite", "--scheduler", servers.address, sleep_s=0.3)
        servers.wait_for_pids(2)
        process = campaign.start()
        _wait_for_results(campaign, process)

        servers.scheduler.kill()
        said, _ = process.communicate(timeout=PATIENCE_S)

    assert process.returncode == 1
    (line,) = said.splitlines()
    assert line == (
        f"Error: the workers are gone (the Dask scheduler at {servers.address} does not answer any "
        "more). The run stops; what was done is registered, and --extend-run goes on from there"
    )
    with dask_servers(tmp_path / "other", n_workers=1) as other:
        is_other = goes_on_with == "another scheduler"
        campaign.arguments = ("--scheduler", other.address) if is_other else ("-j", "2")
        require_done(campaign)


def _wait_for_results(campaign: Campaign, process: subprocess.Popen[str]) -> None:
    """Wait until a run has written something, and is not done yet."""
    end_s = time.monotonic() + PATIENCE_S
    while not any((campaign.repository / "u" / "run").glob("frame/**/*.*")):
        assert process.poll() is None, process.communicate()[0]
        assert time.monotonic() < end_s, "the run has written nothing"
        time.sleep(0.02)


def _require_undisturbed(campaign: Campaign, undisturbed: Undisturbed) -> None:
    """Require an undisturbed run's result.

    What killed workers had half written may stay: Dask runs their work again without telling.
    """
    faults = campaign.state_faults(is_done=True)
    assert [fault for fault in faults if not fault.endswith(".tmp is nobody's")] == []
    whole = {path: told for path, told in campaign.results().items() if not path.endswith(".tmp")}
    assert whole == undisturbed.results
    assert campaign.datasets() == undisturbed.datasets


def _require_clean(said: str) -> None:
    """Require that nothing is said that only Dask understands."""
    assert "Traceback" not in said, said
    assert "distributed" not in said, said
