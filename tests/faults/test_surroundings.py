"""What is around a run fails: the disk is full, gone, or not to be written; others interfere."""

from __future__ import annotations

import dataclasses
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from tests.faults.campaign import Campaign
from tests.faults.conftest import MakeCampaign, Undisturbed


def test_a_second_parent_is_refused_and_the_first_goes_on(
    new_campaign: MakeCampaign, require_done: Callable[[Campaign], None]
) -> None:
    campaign = new_campaign("sqlite", "-j", "2", sleep_s=0.3)
    first = campaign.start()
    _wait_for(campaign.repository / "u/run/graphs/lease")

    code, said = campaign.run()
    first_said, _ = first.communicate(timeout=120)

    assert code == 1
    assert f"is held by process {first.pid} on" in said
    assert first.returncode == 0, first_said
    require_done_code, _ = campaign.run()
    assert require_done_code == 0


def test_an_interrupt_lets_what_runs_end_and_the_run_can_be_continued(
    new_campaign: MakeCampaign, require_done: Callable[[Campaign], None]
) -> None:
    campaign = new_campaign("sqlite", "-j", "2", sleep_s=0.3)
    process = campaign.start()
    _wait_for(campaign.repository / "u/run/graphs", "*.journal")
    time.sleep(1.0)

    process.send_signal(signal.SIGINT)
    said, _ = process.communicate(timeout=120)

    assert process.returncode == 1
    assert "interrupted: waiting for what runs" in said
    assert "cancelled" in said
    require_done(campaign)


def test_a_second_interrupt_stops_at_once_and_the_run_can_be_continued(
    new_campaign: MakeCampaign, require_done: Callable[[Campaign], None]
) -> None:
    campaign = new_campaign("sqlite", "-j", "2", sleep_s=2.0)
    process = campaign.start()
    _wait_for(campaign.repository / "u/run/graphs", "*.journal")
    time.sleep(1.0)

    begin = time.monotonic()
    process.send_signal(signal.SIGINT)
    time.sleep(0.2)
    process.send_signal(signal.SIGINT)
    said, _ = process.communicate(timeout=120)

    assert time.monotonic() - begin < 2.0
    assert "Interrupted." in said
    require_done(campaign)


def test_a_full_disk_stops_the_run_and_nothing_is_lost(
    tmp_path: Path, new_campaign: MakeCampaign, require_done: Callable[[Campaign], None]
) -> None:
    campaign = new_campaign("sqlite", "-j", "2", "--patience", "1")
    size = sum(f.stat().st_size for f in campaign.repository.rglob("*") if f.is_file())
    script = tmp_path / "on_small_disk.sh"
    script.write_text(_ON_SMALL_DISK, encoding="utf-8")
    result = tmp_path / "result"
    result.mkdir()

    found = subprocess.run(
        ["unshare", "--user", "--map-root-user", "--mount", "sh", str(script),
         str(campaign.repository), str(result), str(size // 1024 + 160), *campaign.command],
        capture_output=True, text=True, timeout=120, env=_environment(), check=False,
    )  # fmt: skip

    said = found.stdout + found.stderr
    assert found.returncode == 1, said
    assert "No space left on device" in said or "disk is full" in said
    assert "Traceback" not in said
    shutil.rmtree(campaign.repository)
    shutil.copytree(result / "repo", campaign.repository, symlinks=True)
    require_done(campaign)


#: Puts a repository on a file system of so many KiB, runs a command there, and brings it back.
_ON_SMALL_DISK = """\
repository=$1 result=$2 size=$3
shift 3
cp -a "$repository" "$result/before"
mount -t tmpfs -o "size=${size}k" tmpfs "$repository" || exit 77
cp -a "$result/before/." "$repository/"
"$@"
code=$?
cp -a "$repository" "$result/repo"
exit $code
"""


def test_a_tree_that_cannot_be_written_stops_the_run(
    tmp_path: Path, new_campaign: MakeCampaign, require_done: Callable[[Campaign], None]
) -> None:
    campaign = new_campaign("sqlite", "-j", "2", "--patience", "1")
    script = tmp_path / "read_only.sh"
    script.write_text(
        'mount --bind "$1" "$1" && mount -o remount,ro,bind "$1" || exit 77\nshift\nexec "$@"\n',
        encoding="utf-8",
    )

    found = subprocess.run(
        ["unshare", "--user", "--map-root-user", "--mount", "sh", str(script),
         str(campaign.repository), *campaign.command],
        capture_output=True, text=True, timeout=120, env=_environment(), check=False,
    )  # fmt: skip

    said = found.stdout + found.stderr
    assert found.returncode == 1, said
    assert "Traceback" not in said
    assert "read-only" in said
    require_done(campaign)


def test_a_directory_that_vanishes_stops_the_run(
    tmp_path: Path, new_campaign: MakeCampaign, require_done: Callable[[Campaign], None]
) -> None:
    campaign = new_campaign("sqlite", "-j", "2", "--patience", "1", sleep_s=0.3)
    process = campaign.start()
    _wait_for(campaign.repository / "u/run/graphs", "*.journal")
    time.sleep(1.0)
    away = tmp_path / "away"

    campaign.repository.rename(away)
    said, _ = process.communicate(timeout=120)
    assert not campaign.repository.exists() or not any(campaign.repository.iterdir())
    shutil.rmtree(campaign.repository, ignore_errors=True)
    away.rename(campaign.repository)

    assert process.returncode == 1, said
    assert "Traceback" not in said, said
    require_done(campaign)


def test_a_journal_in_another_folder_is_found_again(
    tmp_path: Path, new_campaign: MakeCampaign, undisturbed: Undisturbed
) -> None:
    campaign = new_campaign("sqlite", "-j", "2", "--journal", str(tmp_path / "journals"))
    assert campaign.run("commit.committed=kill")[0] == -9

    elsewhere = dataclasses.replace(campaign, arguments=("-j", "2"))
    code, said = elsewhere.run()

    assert code == 1
    assert f"continue it with --journal {tmp_path / 'journals'}" in said
    assert campaign.run()[0] == 0
    assert elsewhere.run()[0] == 0
    assert campaign.state_faults(is_done=False) == []
    assert campaign.results() == undisturbed.results
    assert campaign.datasets() == undisturbed.datasets
    assert not (campaign.repository / "u/run/graphs").exists()


def _environment() -> dict[str, str]:
    from tests.faults.campaign import IMPORTABLE

    return {**os.environ, "PYTHONPATH": str(IMPORTABLE)}


def _wait_for(folder: Path, pattern: str | None = None, limit_s: float = 30.0) -> None:
    """Wait until a file is there, or one in a folder that matches a pattern."""
    begin = time.monotonic()
    while not (any(folder.glob(pattern)) if pattern else folder.exists()):
        assert time.monotonic() - begin < limit_s, f"{folder} did not come ({sys.argv[0]})"
        time.sleep(0.02)
