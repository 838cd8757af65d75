"""Tells whether a process of this host is still there."""

from __future__ import annotations

import os


def is_alive(pid: int) -> bool:
    """Return whether this host has a process of a number."""
    try:
        os.kill(pid, 0)
    except PermissionError:
        return True  # another user's
    except (ProcessLookupError, OverflowError):
        return False
    return True
