"""What the machine and its programs are, as far as figures depend on it."""

from __future__ import annotations

import os
import platform
import sqlite3
import subprocess
from importlib.metadata import version
from pathlib import Path

_CPU_INFO = Path("/proc/cpuinfo")
_MEMORY_INFO = Path("/proc/meminfo")
_PEER_CODE = "from importlib.metadata import version; print(version('lsst-ctrl-mpexec'))"


def facts(peer_python: str | None, postgresql: str | None) -> dict[str, str]:
    """Return the facts by name; what is not known is left out."""
    found = {
        "processor": _processor(),
        "cores": str(len(os.sched_getaffinity(0))),
        "memory": f"{_memory_gb():.0f} GB",
        "Python": platform.python_version(),
        "SQLite": sqlite3.sqlite_version,
        "DuckDB": version("duckdb"),
        "SQLAlchemy": version("sqlalchemy"),
    }
    if postgresql is not None:
        found["PostgreSQL"] = postgresql
    if peer_python is not None:
        asked = [peer_python, "-c", _PEER_CODE]
        answer = subprocess.run(asked, capture_output=True, text=True, check=True)
        found["peer (lsst-ctrl-mpexec)"] = answer.stdout.strip()
    return found


def _processor() -> str:
    if _CPU_INFO.exists():
        for line in _CPU_INFO.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return " ".join(line.partition(":")[2].split())
    return platform.processor() or platform.machine()


def _memory_gb() -> float:
    for line in _MEMORY_INFO.read_text(encoding="ascii").splitlines():
        if line.startswith("MemTotal:"):
            return int(line.split()[1]) * 1024 / 1e9
    raise LookupError(f"{_MEMORY_INFO} does not say MemTotal")
