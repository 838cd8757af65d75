"""The run is killed, or refused, at each of the points that have names."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from butler_core.failpoints import POINTS
from tests.faults.campaign import Campaign
from tests.faults.conftest import MakeCampaign, is_whole, kinds

#: At these, a worker dies, and the run goes on.
OF_WORKERS = ("worker.", "file.synced")
#: At these, what the system refuses stops the run, which says so.
REFUSALS = [
    "file.write=ENOSPC", "file.written=EIO", "file.renamed=EROFS", "journal.write=ENOSPC",
    "journal.written=EIO", "commit.archived=ENOSPC", "commit.directories=EIO",
    "seal.begin=ENOSPC", "file.synced=EIO",
]  # fmt: skip

every_kind = pytest.mark.parametrize("kind", kinds())
workers = pytest.mark.parametrize("n_workers", [1, 2] if is_whole() else [2])


def _arrivals() -> list[int]:
    return [1, 2, 7] if is_whole() else [1]


@every_kind
@workers
@pytest.mark.parametrize("arrival", _arrivals())
@pytest.mark.parametrize("point", POINTS)
def test_killed_at(
    point: str,
    arrival: int,
    n_workers: int,
    kind: str,
    new_campaign: MakeCampaign,
    require_done: Callable[[Campaign], None],
) -> None:
    campaign = new_campaign(kind, "-j", str(n_workers))
    # A worker that dies at its first quantum, time after time, would leave none of them done; a
    # quantum has up to four files.
    at = (
        max(arrival, 5 if point == "file.synced" else 3)
        if point.startswith(OF_WORKERS) and n_workers > 1
        else arrival
    )

    code, said = campaign.run(f"{point}=kill@{at}")

    if point.startswith(OF_WORKERS) and n_workers > 1:
        assert code == 0, said
    elif arrival == 1 and not (point.startswith("replay") or point == "worker.told"):
        assert code == -9, said
    else:
        assert code in (0, -9), said
    require_done(campaign)


@every_kind
@pytest.mark.parametrize("refusal", REFUSALS)
def test_refused_at(
    refusal: str,
    kind: str,
    new_campaign: MakeCampaign,
    require_done: Callable[[Campaign], None],
) -> None:
    campaign = new_campaign(kind, "-j", "2", "--patience", "1")

    code, said = campaign.run(refusal)

    assert code == 1, said
    assert "Traceback" not in said
    assert "failpoint" in said
    require_done(campaign)


@every_kind
def test_killed_while_the_work_of_a_killed_run_is_taken_up(
    kind: str, new_campaign: MakeCampaign, require_done: Callable[[Campaign], None]
) -> None:
    campaign = new_campaign(kind, "-j", "2")
    assert campaign.run("commit.committed=kill")[0] == -9

    assert campaign.run("replay.committed=kill")[0] == -9

    require_done(campaign)
