"""Says which process this is, so that another can tell whether it is still there."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from butler_core.repository.processes import process_start


@cache
def machine() -> str:
    """Return what two processes share that see each other's numbers: boot and name space."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return f"{boot} {os.readlink('/proc/self/ns/pid')}"  # noqa: PTH115 - it is no path
    except OSError:
        return socket.gethostname()


def identity() -> dict[str, Any]:
    """Return what tells this process from all others."""
    pid = os.getpid()
    return {
        "host": socket.gethostname(),
        "pid": pid,
        "machine": machine(),
        "began": process_start(pid),
    }


def is_gone(other: Mapping[str, Any]) -> bool | None:
    """Return whether a process has ended; None if it cannot be seen from here."""
    if other.get("machine") != machine():
        return None
    began = process_start(int(other["pid"]))
    if began is None and not _is_visible(int(other["pid"])):
        return None
    return began != other.get("began")


def _is_visible(pid: int) -> bool:
    """Return whether ``/proc`` would show a process, which it need not do of other users' own."""
    try:
        os.kill(pid, 0)
    except PermissionError:
        return False
    except OSError:
        pass
    return Path("/proc/self/stat").exists()
