"""Measures work: wall seconds and peak memory, in this process or in a program it starts.

Needs nothing but the standard library, since every side of a comparison uses it.
"""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

#: Written to ``/proc/self/clear_refs``, this makes the peak memory the present one.
_RESET_PEAK = "5"
_CLEAR_REFS = Path("/proc/self/clear_refs")
_STATUS = Path("/proc/self/status")
_KIB_IN_MB = 1024 / 1e6


@dataclass
class Taken:
    """What some work took; filled in when it is done."""

    seconds: float = 0.0
    #: Peak resident memory of the process while it worked [MB].
    rss_mb: float = 0.0

    def facts(self, **more: Any) -> dict[str, Any]:
        """Return the measurement as a result, with further facts."""
        return {"seconds": self.seconds, "rss_mb": self.rss_mb, **more}


@contextmanager
def clock() -> Iterator[Taken]:
    """Measure what happens inside, in this process."""
    taken = Taken()
    _CLEAR_REFS.write_text(_RESET_PEAK, encoding="ascii")
    begin = time.perf_counter()
    yield taken
    taken.seconds = time.perf_counter() - begin
    taken.rss_mb = peak_mb()


def peak_mb() -> float:
    """Return this process's peak resident memory since the clock was started [MB]."""
    for line in _STATUS.read_text(encoding="ascii").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * _KIB_IN_MB
    raise LookupError(f"{_STATUS} does not say VmHWM")


def median_ms(calls: Iterable[Callable[[], Any]]) -> float:
    """Call each of some functions once and return the median of their times [ms]."""
    times = []
    for call in calls:
        begin = time.perf_counter()
        call()
        times.append(time.perf_counter() - begin)
    return 1000 * median(times)


@dataclass(frozen=True)
class ProgramRun:
    """A program that ran to its end."""

    seconds: float
    #: Peak resident memory of it [MB].
    rss_mb: float
    output: str

    def facts(self, **more: Any) -> dict[str, Any]:
        """Return the measurement as a result, with further facts."""
        return {"seconds": self.seconds, "rss_mb": self.rss_mb, **more}


def time_program(arguments: Sequence[str], scratch: Path) -> ProgramRun:
    """Run a program and measure it from its start to its end.

    The caller must be a small process: a child's peak begins at its parent's.

    Raises
    ------
    RuntimeError
        If it fails; the message ends with what it said.
    """
    said = scratch / "output.txt"
    with said.open("w+", encoding="utf-8") as stream:
        begin = time.perf_counter()
        process = subprocess.Popen(
            list(arguments), stdin=subprocess.DEVNULL, stdout=stream, stderr=subprocess.STDOUT
        )
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - begin
    process.returncode = os.waitstatus_to_exitcode(status)
    output = said.read_text(encoding="utf-8")
    if process.returncode:
        raise RuntimeError(f"{' '.join(arguments)} failed:\n{output[-2000:]}")
    return ProgramRun(seconds, usage.ru_maxrss * _KIB_IN_MB, output)
