"""Tells whether a process of this host is still there."""

from __future__ import annotations

import os
from pathlib import Path

#: Field of ``/proc/PID/stat``, after the program's name, that says when a process began.
_START_FIELD = 19
#: States of a process that has ended, and that its parent has not heard of yet.
_ENDED = ("Z", "X")


def is_alive(pid: int) -> bool:
    """Return whether this host has a process of a number that has not ended."""
    try:
        os.kill(pid, 0)
    except PermissionError:
        return True  # another user's
    except (ProcessLookupError, OverflowError):
        return False
    return process_start(pid) is not None or not Path("/proc/self/stat").exists()


def process_start(pid: int) -> int | None:
    """Return when a process of this machine began [ticks since boot]; None if it is not there."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
    except OSError:
        return None
    fields = text.rpartition(")")[2].split()
    return None if fields[0] in _ENDED else int(fields[_START_FIELD])
