"""What a worker process leaves behind for the case that it dies: what it is at, did, and said.

Three small files a worker, in a folder that goes when the run ends::

    PID.now    number of the quantum it is at, or -1
    PID.done   the journal's lines of the quanta of its batch that it has done
    PID.said   all that was printed since the quantum began, and where it crashed or hung
"""

from __future__ import annotations

import ctypes
import faulthandler
import io
import os
import re
import signal
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from butler_core.failpoints import reach
from pipetask.execution.bounded_log import shortened
from pipetask.provenance.journal import Entry, line_of, read_journal

_NOW, _DONE, _SAID = ".now", ".done", ".said"

#: Characters kept of what a quantum printed, from the beginning and from the end together.
_MOST_SAID = 100_000

#: What the interpreter's fault handler writes first.
_HUNG = re.compile(r"Timeout \(\d+:\d\d:\d\d(\.\d+)?\)!\n")
_CRASHED = "Fatal Python error: "
_CALLS = re.compile(
    r"^(Current thread|Thread) .*\(most recent call first\):\n((?:  File .*\n)+)", re.MULTILINE
)

_PR_SET_PDEATHSIG = 1


class WorkerTraces:
    """The traces of this process, which from now on prints into a file.

    Parameters
    ----------
    folder
        Where the files go.
    """

    def __init__(self, folder: str) -> None:
        stem = f"{folder}/{os.getpid()}"
        flags = os.O_RDWR | os.O_CREAT
        self._done = os.open(stem + _DONE, flags | os.O_APPEND, 0o600)
        self._said = os.open(stem + _SAID, flags | os.O_APPEND, 0o600)
        # Rule: the last of the three; where it is, the others are.
        self._now = os.open(stem + _NOW, flags, 0o600)
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, io.TextIOWrapper):  # whoever is killed can flush nothing
                stream.reconfigure(line_buffering=True)
        for number in (1, 2):
            os.dup2(self._said, number)
        faulthandler.enable(self._said)

    def begin_batch(self) -> None:
        """Forget what was done before."""
        os.ftruncate(self._done, 0)

    def begin(self, number: int, timeout_s: float | None) -> None:
        """Note that a quantum begins; this process ends if it takes too long."""
        self._is_at(number)
        os.ftruncate(self._said, 0)
        if timeout_s is not None:
            faulthandler.dump_traceback_later(timeout_s, exit=True, file=self._said)

    def end(self) -> str:
        """Note that a quantum has ended; return what it printed."""
        faulthandler.cancel_dump_traceback_later()
        sys.stdout.flush()
        sys.stderr.flush()
        self._is_at(-1)
        return _said(self._said)

    def settle(self, number: int) -> None:
        """Note that what a quantum did is being written down."""
        self._is_at(number)

    def keep(self, entries: Iterable[Entry]) -> None:
        """Keep what the journal will have of a quantum that has ended."""
        lines = memoryview(b"".join(map(line_of, entries)))
        while lines:
            lines = lines[os.write(self._done, lines) :]
        self._is_at(-1)
        reach("worker.told")

    def _is_at(self, number: int) -> None:
        os.pwrite(self._now, b"%-20d" % number, 0)


def _said(descriptor: int) -> str:
    """Return the text of a file, or its beginning and its end."""
    size = os.fstat(descriptor).st_size
    if not size:
        return ""
    half = 2 * _MOST_SAID
    if size <= 2 * half:
        return shortened(os.pread(descriptor, size, 0).decode(errors="replace"), _MOST_SAID)
    first, last = os.pread(descriptor, half, 0), os.pread(descriptor, half, size - half)
    half_said = _MOST_SAID // 2
    begin = first.decode(errors="replace")[:half_said]
    end = last.decode(errors="replace")[-half_said:]
    n_left_out = size - len(begin.encode()) - len(end.encode())
    return f"{begin}\n[... {n_left_out:,} bytes left out ...]\n{end}"


def end_with_parent(parent: int) -> None:
    """Let this process be killed when the one that started it ends, however it ends.

    Parameters
    ----------
    parent
        The number of that process.
    """
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it ended before we asked
        os._exit(1)


@dataclass(frozen=True, slots=True)
class Trace:
    """What is left of one worker."""

    #: The quantum that it was at; None if it was at none.
    number: int | None
    #: What the journal is to have of the quanta that it had done.
    done: tuple[Entry, ...]
    said: str

    @property
    def has_hung(self) -> bool:
        """Whether it ended because its quantum took too long."""
        return _HUNG.search(self.said) is not None

    @property
    def crash(self) -> str:
        """What the interpreter said of the fault that ended it, or nothing."""
        _, mark, rest = self.said.partition(_CRASHED)
        return rest.partition("\n")[0] if mark else ""


def last_calls(said: str) -> str:
    """Return where a process was when it crashed or hung, the innermost call last; or nothing.

    Of the threads that the fault handler tells of it is the one that crashed, else the oldest,
    which runs the quanta.
    """
    by_kind = dict(_CALLS.findall(said))  # the oldest thread is the last
    lines = by_kind.get("Current thread") or by_kind.get("Thread") or ""
    return "\n".join(reversed(lines.splitlines()))


def read_traces(folder: Path) -> list[Trace]:
    """Return the traces of all workers of a folder, which are dead; they are gone then."""
    traces = []
    for path in sorted(folder.glob(f"*{_NOW}")):
        said = path.with_suffix(_SAID)
        descriptor = os.open(said, os.O_RDONLY)
        try:
            text = _said(descriptor)
        finally:
            os.close(descriptor)
        number = int(path.read_bytes() or b"-1")
        done = path.with_suffix(_DONE)
        entries = tuple(read_journal(done))
        traces.append(Trace(None if number < 0 else number, entries, text))
        for each in (path, said, done):
            each.unlink()
    return traces
