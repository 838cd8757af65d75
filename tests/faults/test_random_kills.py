"""The run, or one of its workers, is killed at a random moment, and again while it is continued."""

from __future__ import annotations

import random
import time
from collections.abc import Callable

import psutil
import pytest

from tests.faults.campaign import Campaign
from tests.faults.conftest import MakeCampaign, is_whole, kinds

_N_KILLS = 100 if is_whole() else 20
#: A kill comes at most so long after the start of the program [s].
_LATEST_S = 4.0


@pytest.mark.parametrize("kind", kinds())
@pytest.mark.parametrize("seed", range(_N_KILLS))
def test_killed_at_a_random_moment(
    seed: int, kind: str, new_campaign: MakeCampaign, require_done: Callable[[Campaign], None]
) -> None:
    chance = random.Random(f"{kind} {seed}")
    campaign = new_campaign(kind, "-j", "2", sleep_s=0.05)
    process = campaign.start()
    time.sleep(chance.uniform(0.3, _LATEST_S))

    victim = _victim(process.pid, chance)
    if victim is not None:
        victim.kill()
    said, _ = process.communicate(timeout=120)

    was_worker = victim is not None and victim.pid != process.pid
    assert process.returncode in ((0,) if was_worker else (0, -9)), said
    require_done(campaign)


def _victim(pid: int, chance: random.Random) -> psutil.Process | None:
    """Choose the program or one of its workers; None if it has ended."""
    try:
        parent = psutil.Process(pid)
        workers = [p for p in parent.children() if "LokyProcess" in " ".join(p.cmdline())]
    except (psutil.NoSuchProcess, psutil.ZombieProcess):
        return None
    return chance.choice([parent, *workers])
