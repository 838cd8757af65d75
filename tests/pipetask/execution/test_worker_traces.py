"""Whatever ends a worker, what it was at, had done and had printed is found afterwards."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from butler_core.repository.processes import process_start
from pipetask.execution.worker_traces import Trace, last_calls, read_traces
from pipetask.provenance.journal import NOTES, QUANTUM, Entry, line_of

ROOT = Path(__file__).parents[3]
HEAD = """
import ctypes, faulthandler, json, os, subprocess, sys, time
from pipetask.execution.worker_traces import WorkerTraces, end_with_parent
from pipetask.provenance.journal import Entry

def entries(number):
    text = json.dumps({"number": number}).encode()
    return Entry("quantum", text), Entry("notes", b"{}")

def end_by(signal_number):
    os.kill(os.getpid(), signal_number)
"""
BEGIN = "traces = WorkerTraces(sys.argv[1])\ntraces.begin_batch()\n"


def work(folder: Path, code: str, plans: str = "") -> subprocess.CompletedProcess[str]:
    """Let a worker live and die; what it prints must go nowhere but into its traces."""
    environment = {n: v for n, v in os.environ.items() if n != "PYTHONUNBUFFERED"}
    done = subprocess.run(
        [sys.executable, "-c", HEAD + BEGIN + code, folder],
        env={**environment, "BUTLER_FAILPOINTS": plans}, cwd=ROOT, check=False, timeout=60,
        capture_output=True, text=True,
    )  # fmt: skip
    assert (done.stdout, done.stderr) == ("", "")
    return done


def trace(folder: Path) -> Trace:
    (found,) = read_traces(folder)
    assert list(folder.iterdir()) == []
    return found


def numbers(found: Trace) -> list[int]:
    assert [entry.kind for entry in found.done] == [QUANTUM, NOTES] * (len(found.done) // 2)
    return [entry.document["number"] for entry in found.done if entry.kind == QUANTUM]


def test_a_worker_between_quanta_is_at_none(tmp_path: Path) -> None:
    work(
        tmp_path,
        "for n in (4, 7):\n    traces.begin(n, None); traces.end(); traces.keep(entries(n))",
    )

    found = trace(tmp_path)

    assert found.number is None
    assert numbers(found) == [4, 7]
    assert not found.has_hung
    assert found.crash == ""


def test_a_worker_that_never_began_is_at_none(tmp_path: Path) -> None:
    work(tmp_path, "end_by(9)")

    assert trace(tmp_path) == Trace(None, (), "")


def test_a_killed_worker_tells_what_it_was_at_and_had_done_and_had_said(tmp_path: Path) -> None:
    code = """
traces.begin(1234567890, None); traces.end(); traces.keep(entries(1234567890))
traces.begin(3, None)
print("in Python")
sys.stderr.write("an error\\n")
os.system("echo in a shell")
ctypes.CDLL(None).puts(b"in C"); ctypes.CDLL(None).fflush(None)
os.write(1, b"no Unicode \\xff")
end_by(9)
"""

    done = work(tmp_path, code)

    found = trace(tmp_path)
    assert done.returncode == -signal.SIGKILL
    assert (found.number, numbers(found)) == (3, [1234567890])
    assert found.said == "in Python\nan error\nin a shell\nin C\nno Unicode \ufffd"
    assert (found.has_hung, found.crash) == (False, "")


@pytest.mark.parametrize(
    ("end", "crash"),
    [
        ("ctypes.string_at(0)", "Segmentation fault"),
        ("os.abort()", "Aborted"),
        ("end_by(7)", "Bus error"),
    ],
)
def test_a_crash_is_told_with_where_it_was(tmp_path: Path, end: str, crash: str) -> None:
    work(
        tmp_path,
        f"def compiled_part():\n    print('now')\n    {end}\ntraces.begin(3, None)\ncompiled_part()",
    )

    found = trace(tmp_path)

    assert (found.number, found.crash, found.has_hung) == (3, crash, False)
    assert found.said.startswith("now\n")
    first, *inner = last_calls(found.said).splitlines()
    assert first.endswith("in <module>")
    assert inner[0].endswith("in compiled_part")


HANGS = {
    "asleep": "time.sleep(30)",
    "in a loop": "while True: pass",
    "in compiled code that lets no other thread run": "ctypes.PyDLL(None).sleep(30)",
}


@pytest.mark.parametrize("hang", HANGS.values(), ids=HANGS)
def test_a_quantum_that_hangs_ends_its_worker_and_tells_where(tmp_path: Path, hang: str) -> None:
    code = f"def stuck():\n    print('stuck', end='', flush=True)\n    {hang}\ntraces.begin(8, 0.3)\nstuck()"

    done = work(tmp_path, code)

    found = trace(tmp_path)
    assert done.returncode == 1
    assert (found.number, found.has_hung, found.crash) == (8, True, "")
    assert [line.split(" in ")[1] for line in last_calls(found.said).splitlines()][:2] == [
        "<module>", "stuck",
    ]  # fmt: skip


def test_where_a_quantum_hangs_is_told_of_its_own_thread(tmp_path: Path) -> None:
    code = (
        "import threading\n"
        "threading.Thread(target=lambda: time.sleep(30), daemon=True).start()\n"
        "def stuck():\n    time.sleep(30)\n"
        "traces.begin(8, 0.3)\nstuck()"
    )

    work(tmp_path, code)

    assert last_calls(trace(tmp_path).said).endswith("in stuck")


def test_of_what_ended_otherwise_no_calls_are_told() -> None:
    assert last_calls("") == ""
    assert last_calls("printed: (most recent call first):\n  File it\n") == ""


def test_a_quantum_that_ends_in_time_is_not_ended_later(tmp_path: Path) -> None:
    code = """
traces.begin(1, 0.3); traces.end(); traces.keep(entries(1))
time.sleep(0.4)
traces.begin(2, None)
"""

    done = work(tmp_path, code)

    found = trace(tmp_path)
    assert (done.returncode, found.number, found.has_hung, numbers(found)) == (0, 2, False, [1])


@pytest.mark.parametrize(
    "text", ["Timeout (30 s) while waiting for the server", "Timeout (", "Timeout (0:00:01) soon"]
)
def test_what_a_task_prints_of_a_time_out_is_no_hang(tmp_path: Path, text: str) -> None:
    work(tmp_path, f"traces.begin(1, None)\nprint({text!r})\nend_by(9)")

    assert not trace(tmp_path).has_hung


def test_a_stopped_worker_that_is_killed_is_at_its_quantum(tmp_path: Path) -> None:
    code = f"{HEAD}{BEGIN}traces.begin(5, 60.0)\nprint('begun')\nend_by(19)"
    with subprocess.Popen([sys.executable, "-c", code, tmp_path], cwd=ROOT) as process:
        stat = Path(f"/proc/{process.pid}/stat")
        while stat.read_text(encoding="utf-8").rpartition(")")[2].split()[0] != "T":
            time.sleep(0.002)
        process.kill()

    assert trace(tmp_path) == Trace(5, (), "begun\n")


def test_each_quantum_says_what_it_printed_itself(tmp_path: Path) -> None:
    code = """
texts = []
for n in range(3):
    traces.begin(n, None)
    print("quantum", n)
    texts.append(traces.end())
    traces.keep(entries(n))
traces.begin(9, None)
print(json.dumps(texts))
"""
    work(tmp_path, code)

    found = trace(tmp_path)

    assert json.loads(found.said) == ["quantum 0\n", "quantum 1\n", "quantum 2\n"]
    assert numbers(found) == [0, 1, 2]


def test_a_batch_begins_with_nothing_done(tmp_path: Path) -> None:
    code = """
traces.begin(1, None); traces.end(); traces.keep(entries(1))
traces.begin_batch()
traces.begin(2, None); traces.end(); traces.keep(entries(2))
"""
    work(tmp_path, code)

    assert numbers(trace(tmp_path)) == [2]


def test_what_was_kept_is_there_whenever_the_worker_is_killed(tmp_path: Path) -> None:
    code = "for n in (6, 7, 8):\n    traces.begin(n, None); traces.end(); traces.keep(entries(n))"

    done = work(tmp_path, code, "worker.told=kill@2")

    found = trace(tmp_path)
    assert done.returncode == -signal.SIGKILL
    assert (found.number, numbers(found)) == (None, [6, 7])


@given(st.data())
def test_of_a_record_that_is_half_written_nothing_is_told(data: st.DataObject) -> None:
    content = b"".join(line_of(Entry(QUANTUM, b'{"number":%d}' % n)) for n in range(4))
    end = data.draw(st.integers(0, len(content)))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "7.now").write_bytes(b"3".ljust(20))
        (folder / "7.said").touch()
        (folder / "7.done").write_bytes(content[:end])

        found = trace(folder)

    told = [entry.document["number"] for entry in found.done]
    assert told == list(range(content[:end].count(b"\n")))


@pytest.mark.parametrize("n_open", [0, 1, 2])
def test_a_worker_that_dies_while_it_begins_to_leave_traces_leaves_none(
    tmp_path: Path, n_open: int
) -> None:
    code = f"""{HEAD}
import resource
free = [os.dup(1) for _ in range({n_open})]
limit = os.dup(1) + 1
for number in free:
    os.close(number)
os.close(limit - 1)
resource.setrlimit(resource.RLIMIT_NOFILE, (limit - 1, limit - 1))
WorkerTraces(sys.argv[1])
"""
    done = subprocess.run(
        [sys.executable, "-c", code, tmp_path], cwd=ROOT, capture_output=True, check=False
    )

    assert b"Too many open files" in done.stderr
    assert len(list(tmp_path.iterdir())) == n_open
    assert read_traces(tmp_path) == []


def test_much_that_is_printed_keeps_its_ends_and_says_how_much_it_lost(tmp_path: Path) -> None:
    code = "traces.begin(1, None)\nprint('begin' + 'é' * 1_000_000 + 'end')\nend_by(9)"
    work(tmp_path, code)

    said = trace(tmp_path).said

    found = re.fullmatch(r"(begin.*)\n\[\.\.\. ([\d,]+) bytes left out \.\.\.\]\n(.*end\n)", said)
    assert found is not None
    assert len(found[1]) == len(found[3]) == 50_000
    n_left_out = int(found[2].replace(",", ""))
    assert len((found[1] + found[3]).encode()) + n_left_out == 2_000_009


def test_a_print_that_is_not_so_long_keeps_its_ends_too(tmp_path: Path) -> None:
    work(tmp_path, "traces.begin(1, None)\nprint('begin' + 'x' * 300_000 + 'end')\nend_by(9)")

    said = trace(tmp_path).said

    assert "[... 200,009 characters left out ...]" in said
    assert said.startswith("beginx")
    assert said.endswith("xend\n")


def test_of_many_workers_each_is_found_once(tmp_path: Path) -> None:
    for number in range(3):
        work(tmp_path, f"traces.begin({number}, None)\nend_by(9)")
    (tmp_path / "of-something-else").touch()

    found = read_traces(tmp_path)

    assert sorted(each.number or 0 for each in found) == [0, 1, 2]
    assert read_traces(tmp_path) == []
    assert [path.name for path in tmp_path.iterdir()] == ["of-something-else"]


def until_gone(pid: int) -> None:
    end = time.monotonic() + 20
    while process_start(pid) is not None:
        assert time.monotonic() < end
        time.sleep(0.005)


PARENT = """
import subprocess, sys
child = subprocess.Popen([sys.executable, "-c", sys.argv[1]], stdin=subprocess.PIPE, text=True)
child.wait()
"""


def test_a_worker_ends_when_its_parent_is_killed() -> None:
    child = f"{HEAD}end_with_parent(os.getppid())\nprint(os.getpid(), flush=True)\ntime.sleep(60)"
    with subprocess.Popen(
        [sys.executable, "-c", PARENT, child], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        is_there = process_start(pid) is not None

        parent.kill()

        until_gone(pid)
    assert is_there


def test_a_worker_whose_parent_has_ended_already_ends_at_once() -> None:
    child = f"""{HEAD}
parent = os.getppid()
print(os.getpid(), flush=True)
sys.stdin.read()
end_with_parent(parent)
time.sleep(60)
"""
    with subprocess.Popen(
        [sys.executable, "-c", PARENT, child], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())

        parent.kill()

        until_gone(pid)
