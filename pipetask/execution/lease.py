"""The lease of a run: one process at a time writes to it."""

from __future__ import annotations

import errno
import fcntl
import json
import logging
import os
import threading
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from butler_core.datastore.file_transfer import temporary_name
from butler_core.failpoints import reach
from pipetask.errors import RunError, RunHeldError
from pipetask.provenance.process_identity import identity, is_gone

_LOG = logging.getLogger(__name__)

#: How often the holder shows that it is there [s].
_HEARTBEAT_S = 5.0
#: A holder on another machine that has not shown up for so long is taken for dead [s].
_STALE_S = 60.0


class Lease:
    """The right to write to a run, which is this process's while it is open."""

    def __init__(self, path: Path, run: str) -> None:
        self._path = path
        self._run = run
        self._token = uuid.uuid4().hex
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        #: Whether a process that is dead had it before.
        self.is_inherited = False

    def take(self) -> None:
        """Take the lease, from a holder that is dead if need be.

        Raises
        ------
        RunHeldError
            If another process has it.
        RunError
            If the run's folder cannot be written.
        """
        temporary = temporary_name(self._path)
        content = json.dumps({**identity(), "token": self._token, "since": time.time()})
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            try:
                temporary.write_text(content, encoding="utf-8")
                while not (self._make(temporary) or self._take_over(temporary)):
                    pass
            finally:
                temporary.unlink(missing_ok=True)
        except OSError as error:
            raise RunError(
                f"cannot write to run {self._run!r}: {error.strerror} ({str(self._path)!r})"
            ) from error
        self._thread = threading.Thread(target=self._beat, name="lease", daemon=True)
        self._thread.start()
        reach("lease.taken")

    def _make(self, written: Path) -> bool:
        """Give the lease its name, unless there is one; return whether it is ours."""
        try:
            os.link(written, self._path)
        except FileExistsError:
            return False
        return True

    def _take_over(self, written: Path) -> bool:
        """Put our lease in the place of one whose holder is gone; raise if it is not gone."""
        with _locked(self._path) as found:
            if found is None:
                return False
            holder, gone = found.holder, is_gone(found.holder)
            if gone is False or (gone is None and time.time() - found.seen_s < _STALE_S):
                raise RunHeldError(
                    f"run {self._run!r} is held by {_who(holder)}, at work since "
                    f"{_when(holder.get('since', found.seen_s))}; wait for it, or stop it"
                )
            written.rename(self._path)
        _LOG.warning("%s left run %s without an end; going on from there", _who(holder), self._run)
        self.is_inherited = True
        return True

    def _beat(self) -> None:
        while not self._stop.wait(_HEARTBEAT_S):
            try:
                if _holder(self._path.read_bytes()).get("token") == self._token:
                    os.utime(self._path)
            except OSError as error:
                _LOG.warning("cannot renew the lease of run %s: %s", self._run, error)

    def require(self) -> None:
        """Raise RunHeldError if another process has taken the run over; nothing may be written."""
        try:
            holder = _holder(self._path.read_bytes())
        except FileNotFoundError:
            holder = {}
        if holder.get("token") != self._token:
            who = _who(holder) if holder else "nobody"
            raise RunHeldError(
                f"run {self._run!r} is held by {who} now: this process was taken for dead. What "
                "it did is in the run's journal; --extend-run goes on from there"
            )

    def give_back(self) -> None:
        """Let the run go."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()
        with _locked(self._path) as found:
            if found is not None and found.holder.get("token") == self._token:
                self._path.unlink(missing_ok=True)
        reach("lease.released")


@contextmanager
def held(path: Path, run: str) -> Iterator[Lease]:
    """Hold a run's lease.

    Raises
    ------
    RunHeldError
        If another process has it.
    """
    new = [folder for folder in path.parents if not folder.exists()]
    lease = Lease(path, run)
    lease.take()
    try:
        yield lease
    finally:
        lease.give_back()
        _remove_empty(new)


def _remove_empty(folders: list[Path]) -> None:
    """Remove folders, the deepest first, as far as nothing came into them."""
    for folder in folders:
        try:
            folder.rmdir()
        except OSError:
            return


@dataclass(frozen=True, slots=True)
class _Found:
    """A lease that nobody else takes over or removes for the moment."""

    #: What it says; nothing if it is damaged.
    holder: dict[str, Any]
    #: When its holder showed up last [s since 1970].
    seen_s: float


@contextmanager
def _locked(path: Path) -> Iterator[_Found | None]:
    """Lend a lease; None if it was given back or taken over just now.

    The kernel lets go of it however this process ends.
    """
    try:
        stream = path.open("rb+")
    except FileNotFoundError:
        yield None
        return
    with stream:
        with suppress(OSError):  # a file system without locks; `require` tells who lost
            fcntl.flock(stream, fcntl.LOCK_EX)
        yield _found(stream, path)


def _found(stream: BinaryIO, path: Path) -> _Found | None:
    try:
        status = os.fstat(stream.fileno())
        is_there = os.path.samestat(status, path.stat())
        return _Found(_holder(stream.read()), status.st_mtime) if is_there else None
    except OSError as error:
        if error.errno in (errno.ENOENT, errno.ESTALE):
            return None
        raise


def _holder(content: bytes) -> dict[str, Any]:
    """Return what a lease says; nothing if it is damaged, as by a machine that failed."""
    try:
        found = json.loads(content)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _who(holder: Mapping[str, Any]) -> str:
    return f"process {holder['pid']} on {holder['host']}" if holder else "an unknown process"


def _when(time_s: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time_s))
