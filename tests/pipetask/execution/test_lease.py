"""One process at a time holds a run, and who takes it over is not held up by the dead."""

from __future__ import annotations

import json
import logging
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pipetask.errors import RunError, RunHeldError
from pipetask.execution import lease as lease_module
from pipetask.execution.lease import Lease, held
from pipetask.provenance.process_identity import identity

ROOT = Path(__file__).parents[3]
#: Takes the lease of each folder that it is told, at the time it is told, and says how it went.
CONTENDER = """
import sys, time
from pathlib import Path
from pipetask.errors import RunHeldError
from pipetask.execution.lease import Lease

def tried(call, success):
    try:
        call()
    except RunHeldError as error:
        return f"refused: {error}"
    return success

for line in sys.stdin:
    verb, _, rest = line.strip().partition(" ")
    if verb == "take":
        at, path = rest.split(" ", 1)
        lease = Lease(Path(path), "u/1")
        time.sleep(max(0.0, float(at) - time.time()))
        print(tried(lease.take, "took"), flush=True)
    elif verb == "require":
        print(tried(lease.require, "mine"), flush=True)
    else:
        lease.give_back()
        print("gave back", flush=True)
"""


class Contender:
    """Another process that takes leases as it is told."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", CONTENDER],
            cwd=ROOT, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )  # fmt: skip

    def tell(self, words: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(f"{words}\n")
        self.process.stdin.flush()

    def said(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def ask(self, words: str) -> str:
        self.tell(words)
        return self.said()


@pytest.fixture(scope="module")
def contenders() -> Iterator[list[Contender]]:
    found = [Contender() for _ in range(5)]
    yield found
    for each in found:
        with each.process:
            each.process.kill()


@pytest.fixture
def other() -> Iterator[Contender]:
    found = Contender()
    with found.process:
        yield found
        found.process.kill()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "u" / "1" / "graphs" / "lease"


def pretend(path: Path, age_s: float = 0.0, **changes: Any) -> dict[str, Any]:
    """Let a lease be another's, who showed up so long ago."""
    path.parent.mkdir(parents=True, exist_ok=True)
    known = json.loads(path.read_text()) if path.exists() else {**identity(), "token": "other"}
    holder = {"since": 1767323045, **known, **changes}
    path.write_text(json.dumps(holder))
    os.utime(path, (time.time() - age_s,) * 2)
    return holder


def names(folder: Path) -> list[str]:
    return sorted(each.name for each in folder.iterdir())


def test_a_second_holder_is_refused_and_told_who_has_it(path: Path, other: Contender) -> None:
    assert other.ask(f"take 0 {path}") == "took"

    who = re.escape(f"run 'u/1' is held by process {other.process.pid} on {socket.gethostname()},")
    with pytest.raises(RunHeldError, match=rf"^{who} at work since 20\d\d-\d\d-\d\dT.*Z; wait"):
        Lease(path, "u/1").take()

    assert names(path.parent) == ["lease"]
    assert other.ask("require") == "mine"


def test_a_process_does_not_hold_a_run_twice(path: Path) -> None:
    with held(path, "u/1"), pytest.raises(RunHeldError, match=f"process {os.getpid()} on"):
        Lease(path, "u/1").take()


def test_a_run_that_was_given_back_can_be_held_again(path: Path, other: Contender) -> None:
    with held(path, "u/1") as lease:
        lease.require()
        refused = other.ask(f"take 0 {path}")

    assert refused.startswith(f"refused: run 'u/1' is held by process {os.getpid()} on")
    assert other.ask(f"take 0 {path}") == "took"
    assert other.ask("give back") == "gave back"
    assert names(path.parent) == []


@pytest.mark.parametrize("is_waited_for", [True, False])
def test_the_lease_of_a_killed_process_is_taken_at_once(
    path: Path, other: Contender, caplog: pytest.LogCaptureFixture, is_waited_for: bool
) -> None:
    other.ask(f"take 0 {path}")
    pid = other.process.pid
    other.process.kill()
    if is_waited_for:
        other.process.wait()
    else:
        while Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z":
            time.sleep(0.002)
    begin = time.monotonic()

    with caplog.at_level(logging.WARNING), held(path, "u/1") as lease:
        elapsed_s = time.monotonic() - begin
        lease.require()
        inside = names(path.parent)

    assert elapsed_s < 2.0
    assert inside == ["lease"]
    assert names(path.parent) == []
    assert [f"process {pid} on" in message for message in caplog.messages] == [True]


def test_a_holder_that_is_stopped_is_not_dead(path: Path, other: Contender) -> None:
    other.ask(f"take 0 {path}")
    other.process.send_signal(signal.SIGSTOP)
    os.utime(path, (0, 0))

    with pytest.raises(RunHeldError):
        Lease(path, "u/1").take()

    other.process.send_signal(signal.SIGCONT)
    assert other.ask("require") == "mine"


def test_a_process_killed_as_soon_as_it_holds_the_run_leaves_a_lease_only(path: Path) -> None:
    code = (
        "import sys\nfrom pathlib import Path\nfrom pipetask.execution.lease import Lease\n"
        "Lease(Path(sys.argv[1]), 'u/1').take()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, path],
        cwd=ROOT, check=False, env={**os.environ, "BUTLER_FAILPOINTS": "lease.taken=kill"},
    )  # fmt: skip

    assert done.returncode == -signal.SIGKILL
    assert names(path.parent) == ["lease"]
    with held(path, "u/1"):
        pass


@pytest.mark.parametrize("age_s", [-3600.0, 0.0, 30.0])
def test_a_lease_of_another_machine_is_respected_while_it_is_fresh(
    path: Path, age_s: float
) -> None:
    pretend(path, age_s, machine="another", host="node7", pid=1)

    with pytest.raises(
        RunHeldError, match="process 1 on node7, at work since 2026-01-02T03:04:05Z"
    ):
        Lease(path, "u/1").take()

    assert names(path.parent) == ["lease"]


def test_a_lease_of_another_machine_is_taken_over_when_it_is_stale(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    pretend(path, lease_module._STALE_S + 1, machine="another", host="node7", pid=1)

    with held(path, "u/1"):
        assert json.loads(path.read_text())["pid"] == os.getpid()

    assert caplog.messages == [
        "process 1 on node7 left run u/1 without an end; going on from there"
    ]


def test_the_number_of_a_dead_holder_may_be_anothers_now(path: Path) -> None:
    pretend(path, began=identity()["began"] - 1)

    with held(path, "u/1") as lease:
        lease.require()


def test_whoever_was_taken_for_dead_learns_of_it_and_lets_the_new_holder_be(
    path: Path, other: Contender
) -> None:
    other.ask(f"take 0 {path}")
    other.process.send_signal(signal.SIGSTOP)
    pretend(path, lease_module._STALE_S + 1, machine="another")
    with held(path, "u/1") as lease:
        other.process.send_signal(signal.SIGCONT)

        said = other.ask("require")
        other.ask("give back")

        assert f"is held by process {os.getpid()} on {socket.gethostname()} now" in said
        lease.require()


def test_a_lease_that_is_gone_is_nobodys(path: Path) -> None:
    with held(path, "u/1") as lease:
        path.unlink()

        with pytest.raises(RunHeldError, match="held by nobody now.*--extend-run goes on"):
            lease.require()


def test_the_holder_shows_that_it_is_there(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lease_module, "_HEARTBEAT_S", 0.01)
    with held(path, "u/1"):
        os.utime(path, (0, 0))

        end = time.monotonic() + 10
        while path.stat().st_mtime < time.time() - 60:
            assert time.monotonic() < end
            time.sleep(0.002)


@pytest.mark.parametrize("content", ["", '{"pid": 7, "ho', "null", "[]"])
def test_a_damaged_lease_holds_the_run_until_it_is_stale(path: Path, content: str) -> None:
    path.parent.mkdir(parents=True)
    path.write_text(content)
    with pytest.raises(RunHeldError, match="run 'u/1' is held by an unknown process"):
        Lease(path, "u/1").take()

    os.utime(path, (0, 0))

    with held(path, "u/1") as lease:
        lease.require()


def test_nothing_is_left_of_a_run_that_was_held_and_not_used(path: Path, tmp_path: Path) -> None:
    (tmp_path / "u").mkdir()

    with pytest.raises(ZeroDivisionError), held(path, "u/1"):
        raise ZeroDivisionError

    assert names(tmp_path) == ["u"]
    assert names(tmp_path / "u") == []


def test_what_came_into_a_run_while_it_was_held_stays(path: Path) -> None:
    with held(path, "u/1"):
        (path.parents[1] / "kept").touch()

    assert names(path.parents[1]) == ["kept"]


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(RunError, match="cannot write to run 'u/1': Not a directory .*lease'"):
        Lease(tmp_path / "file" / "graphs" / "lease", "u/1").take()


def test_a_full_disk_is_told_and_nothing_is_left(path: Path) -> None:
    code = """
import resource, sys
from pathlib import Path
from pipetask.execution.lease import held
resource.setrlimit(resource.RLIMIT_FSIZE, (10, 10))
with held(Path(sys.argv[1]), "u/1"):
    pass
"""
    path.parent.mkdir(parents=True)

    done = subprocess.run(
        [sys.executable, "-c", code, path], cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert "RunError: cannot write to run 'u/1': File too large" in done.stderr
    assert names(path.parent) == []


DEAD: dict[str, Any] = {
    "nobody": None,
    "killed": {"began": 1},
    "stale": {"machine": "another", "age_s": 3600.0},
}


@pytest.mark.parametrize("dead", DEAD.values(), ids=DEAD)
def test_of_many_who_take_a_lease_at_once_one_wins(
    path: Path, contenders: list[Contender], dead: dict[str, Any] | None
) -> None:
    for number in range(40):
        lease = path.with_name(str(number)) / "lease"
        if dead is not None:
            pretend(lease, **dead)
        at = time.time() + 0.01
        for each in contenders:
            each.tell(f"take {at} {lease}")

        went = [each.said() for each in contenders]
        winner = contenders[went.index("took")]
        requires = winner.ask("require")
        inside = names(lease.parent)
        winner.ask("give back")

        assert [word.partition(":")[0] for word in sorted(went)] == ["refused"] * 4 + ["took"]
        assert (requires, inside, names(lease.parent)) == ("mine", ["lease"], [])
