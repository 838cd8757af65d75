"""A process that has ended is not alive, whether or not anybody has heard of its end."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator

import pytest

from butler_core.repository.processes import is_alive, process_start


@pytest.fixture
def child() -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    yield process
    process.kill()
    process.communicate()


def test_a_process_is_alive_until_it_ends(child: subprocess.Popen[bytes]) -> None:
    assert is_alive(os.getpid())
    assert is_alive(child.pid)
    assert process_start(child.pid) is not None

    child.kill()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)  # it stays as a zombie

    os.kill(child.pid, 0)  # the number is still taken
    assert not is_alive(child.pid)
    assert process_start(child.pid) is None


@pytest.mark.parametrize("pid", [2**22 + 1, 2**40])
def test_a_number_of_no_process_is_not_alive(pid: int) -> None:
    assert not is_alive(pid)
    assert process_start(pid) is None
