"""A process is known by more than its number, and seen to be gone however it ended."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from butler_core.repository.processes import process_start
from pipetask.provenance.process_identity import identity, is_gone, machine

ROOT = Path(__file__).parents[3]
CODE = """
import json, sys
from pipetask.provenance.process_identity import identity
print(json.dumps(identity()), flush=True)
sys.stdin.read()
"""


class Other:
    """Another process, which waits."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", CODE],
            cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert self.process.stdout is not None
        self.identity: dict[str, Any] = json.loads(self.process.stdout.readline())


@pytest.fixture
def other() -> Iterator[Other]:
    found = Other()
    with found.process:
        yield found
        found.process.kill()


def until(is_so: Any) -> None:
    end = time.monotonic() + 10
    while not is_so():
        assert time.monotonic() < end
        time.sleep(0.002)


def state(pid: int) -> str:
    return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0]


def test_a_process_knows_itself() -> None:
    found = identity()

    assert (found["pid"], found["host"]) == (os.getpid(), socket.gethostname())
    assert json.loads(json.dumps(found)) == found
    assert is_gone(found) is False


def test_two_processes_of_a_machine_know_that_they_are(other: Other) -> None:
    assert other.identity["machine"] == machine() == identity()["machine"]
    assert other.identity["pid"] == other.process.pid
    assert is_gone(other.identity) is False


def test_a_later_process_began_later(other: Other) -> None:
    begun, own = process_start(other.process.pid), process_start(os.getpid())

    assert begun is not None
    assert own is not None
    assert begun > own


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_process_that_was_killed_is_gone(other: Other, number: int) -> None:
    other.process.send_signal(number)
    other.process.wait()

    assert is_gone(other.identity) is True
    assert process_start(other.process.pid) is None


def test_a_process_that_nobody_has_waited_for_yet_is_gone(other: Other) -> None:
    other.process.kill()
    until(lambda: state(other.process.pid) == "Z")

    assert is_gone(other.identity) is True


def test_a_process_that_is_stopped_is_not_gone(other: Other) -> None:
    other.process.send_signal(signal.SIGSTOP)
    until(lambda: state(other.process.pid) == "T")

    assert is_gone(other.identity) is False


def test_another_process_of_the_same_number_is_another(other: Other) -> None:
    before = {**other.identity, "began": other.identity["began"] - 1}

    assert is_gone(before) is True


@pytest.mark.parametrize("machine_name", ["another", None])
def test_a_process_of_another_machine_cannot_be_seen(machine_name: str | None) -> None:
    assert is_gone({**identity(), "machine": machine_name}) is None


def test_a_process_that_says_nothing_of_itself_cannot_be_seen() -> None:
    assert is_gone({}) is None


@pytest.mark.parametrize("name", ["a) b", "x (1) S 9 9", "\xff) R"])
def test_a_programs_name_does_not_hide_when_it_began(tmp_path: Path, name: str) -> None:
    plain = tmp_path / name
    plain.symlink_to("/bin/sleep")
    with subprocess.Popen([plain, "60"]) as process:
        until(lambda: Path(f"/proc/{process.pid}/comm").read_bytes().strip() == os.fsencode(name))
        found = process_start(process.pid)
        process.kill()

    own = process_start(os.getpid())
    assert found is not None
    assert own is not None
    assert 0 <= found - own < 24 * 3600 * os.sysconf("SC_CLK_TCK")


def test_when_it_began_is_what_the_kernel_says() -> None:
    found = process_start(os.getpid())

    assert found is not None
    up_s = float(Path("/proc/uptime").read_text(encoding="ascii").split()[0])
    assert 0 < found / os.sysconf("SC_CLK_TCK") < up_s + 1
