"""Peak resident memory of this process since it was last reset (Linux)."""

from __future__ import annotations

import threading
from pathlib import Path

_CLEAR_REFS = Path("/proc/self/clear_refs")
_STATUS = Path("/proc/self/status")


class _Threads:
    """Whether a thread other than the main one may measure: no two run quanta at once."""

    may_measure = False


def allow_measuring_in_threads(is_allowed: bool) -> None:
    """Say whether one thread at most runs quanta in this process."""
    _Threads.may_measure = is_allowed


def reset_peak_memory() -> bool:
    """Start measuring anew; return False where that cannot be done.

    Threads that run at the same time share their process's memory.
    """
    is_alone = threading.current_thread() is threading.main_thread()
    if not is_alone and not _Threads.may_measure:
        return False
    try:
        _CLEAR_REFS.write_text("5", encoding="ascii")
    except OSError:
        return False
    return True


def peak_memory_mib() -> float | None:
    """Return the largest resident memory since the reset [MiB], or None where it is not known."""
    try:
        text = _STATUS.read_text(encoding="ascii")
    except OSError:
        return None
    for line in text.splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    return None
