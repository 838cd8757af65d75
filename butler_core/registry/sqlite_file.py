"""How a SQLite file is opened: journal, durability, patience.

Knows nothing of what is in it.
"""

from __future__ import annotations

import logging
import os
import sqlite3
from pathlib import Path
from urllib.parse import quote

_LOG = logging.getLogger(__name__)

#: How long a statement waits for another process's transaction [ms].
BUSY_TIMEOUT_MS = 180_000

# A write-ahead log needs shared memory between all who open the file, which these do not give.
_NETWORK_FILE_SYSTEMS = {
    "9p", "afs", "beegfs", "ceph", "cifs", "glusterfs", "gpfs", "lustre", "ncpfs", "nfs", "nfs4",
    "panfs", "smb3", "smbfs", "virtiofs", "wekafs",
}  # fmt: skip


def connect(path: Path, *, writeable: bool) -> sqlite3.Connection:
    """Open a file in autocommit mode, so that transactions begin and end where we say.

    A reader of a write-ahead log needs to write beside it. Where a directory
    cannot be written and no log is left behind, the file cannot change either,
    and is opened as immutable.
    """
    mode = "rwc" if writeable else "ro"
    connection = _open(path, mode)
    try:
        connection.execute("PRAGMA schema_version")
    except sqlite3.OperationalError:
        connection.close()
        if writeable or Path(f"{path}-wal").exists():
            raise
        connection = _open(path, "ro&immutable=1")
    connection.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")
    connection.execute("PRAGMA foreign_keys=ON")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("PRAGMA cache_size=-65536")
    connection.execute("PRAGMA temp_store=MEMORY")
    return connection


def _open(path: Path, mode: str) -> sqlite3.Connection:
    return sqlite3.connect(
        f"file:{quote(str(path))}?mode={mode}",
        uri=True,
        isolation_level=None,
        check_same_thread=False,
        cached_statements=256,
    )


def choose_journal(path: Path) -> str:
    """Set a new file's journal mode, by the file system it lies on, and return it."""
    file_system = file_system_of(path)
    mode = "DELETE" if file_system in _NETWORK_FILE_SYSTEMS else "WAL"
    if mode == "DELETE":
        _LOG.warning(
            "%s lies on a network file system (%s): use it from one host at a time.",
            path,
            file_system,
        )
    connection = _open(path, "rwc")
    try:
        connection.execute(f"PRAGMA journal_mode={mode}")
    finally:
        connection.close()
    return mode


def files_of(path: Path) -> tuple[Path, ...]:
    """Return a database's file and those that SQLite keeps beside it, be they there or not."""
    return (path, *(Path(f"{path}{suffix}") for suffix in ("-wal", "-shm", "-journal")))


def is_on_network(path: Path) -> bool:
    """Return whether other hosts, too, may have a path's file system mounted."""
    return file_system_of(path) in _NETWORK_FILE_SYSTEMS


def file_system_of(path: Path) -> str:
    """Return the type of the file system that holds a path; ``unknown`` off Linux."""
    mounts = Path("/proc/self/mountinfo")
    if not mounts.exists():
        return "unknown"
    target = path.resolve()
    best, found = -1, "unknown"
    for line in mounts.read_text(encoding="utf-8", errors="replace").splitlines():
        left, _, right = line.partition(" - ")
        mount_point = Path(left.split()[4].encode().decode("unicode_escape"))
        depth = len(mount_point.parts)
        if depth > best and target.is_relative_to(mount_point):
            best, found = depth, right.split()[0]
    return found


def is_on_read_only_disk(path: Path) -> bool:
    """Return whether nothing can be written where a file is, whatever its rights are."""
    return bool(os.statvfs(path).f_flag & os.ST_RDONLY)
