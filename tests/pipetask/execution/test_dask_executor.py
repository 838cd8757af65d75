"""A call to Dask has one outcome, whoever dies between its end and its being told."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pipetask.execution.engines.dask_executor import DaskExecutor, SchedulerLostError
from tests.dask_servers import DaskServers, dask_servers


@pytest.fixture
def servers(tmp_path: Path) -> Iterator[DaskServers]:
    with dask_servers(tmp_path / "dask", n_workers=2) as running:
        running.wait_for_workers(2)
        yield running


@pytest.fixture
def client(servers: DaskServers) -> Iterator[Any]:
    from distributed import Client

    with Client(servers.address, timeout=2, set_as_default=False) as connected:
        yield connected


def counting(file: Path) -> str:
    """Return an expression that adds its process to a file, and gives how many are there."""
    return (
        f"open({str(file)!r}, 'a').write(f'{{__import__(\"os\").getpid()}}\\n')"
        f" and len(open({str(file)!r}).readlines())"
    )


def kill_first(file: Path) -> None:
    os.kill(int(file.read_text().split()[0]), signal.SIGKILL)


@pytest.mark.parametrize("notice_s", [0.0, 0.1, 1.0])
def test_a_result_that_is_lost_before_it_is_final_is_waited_for_again(
    servers: DaskServers,
    client: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    notice_s: float,
) -> None:
    ask, calls, marks = client.run_on_scheduler, tmp_path / "calls", tmp_path / "marks"

    async def ask_when_the_worker_is_dead(*given: Any, **keywords: Any) -> Any:
        if not calls.exists():
            calls.touch()
            kill_first(marks)
            await asyncio.sleep(notice_s)  # the scheduler knows nothing yet, or has it made anew
        return await ask(*given, **keywords)

    monkeypatch.setattr(client, "run_on_scheduler", ask_when_the_worker_is_dead)

    answer = DaskExecutor(client, servers.address).submit(eval, counting(marks))

    told = answer.result(60)
    time.sleep(1.0)
    assert told == len(marks.read_text().split())
    assert told == 2 or notice_s == 0.0


def test_a_result_that_was_told_is_never_made_again(
    servers: DaskServers, client: Any, tmp_path: Path
) -> None:
    executor, marks = DaskExecutor(client, servers.address), tmp_path / "marks"
    answer = executor.submit(eval, counting(marks))
    assert answer.result(60) == 1

    kill_first(marks)

    time.sleep(1.0)
    assert executor.submit(eval, "'another'").result(60) == "another"
    assert len(marks.read_text().split()) == 1


def test_equal_calls_are_made_each(servers: DaskServers, client: Any, tmp_path: Path) -> None:
    executor = DaskExecutor(client, servers.address)

    counts = [executor.submit(eval, counting(tmp_path / "marks")).result(60) for _ in range(3)]

    assert counts == [1, 2, 3]


def test_what_a_call_raises_is_raised(servers: DaskServers, client: Any) -> None:
    answer = DaskExecutor(client, servers.address).submit(eval, "1 / 0")

    with pytest.raises(ZeroDivisionError):
        answer.result(60)


def test_a_lost_scheduler_is_told_at_once_and_ever_after(servers: DaskServers, client: Any) -> None:
    executor = DaskExecutor(client, servers.address)
    first = executor.submit(eval, "__import__('time').sleep(60)")

    servers.scheduler.kill()

    said = f"the Dask scheduler at {servers.address} does not answer any more"
    with pytest.raises(SchedulerLostError, match=said):
        first.result(10)
    with pytest.raises(SchedulerLostError, match=said):  # once Dask has given up
        executor.submit(eval, "1").result(30)
