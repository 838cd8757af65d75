"""The lease of a run: one process at a time writes to it."""

from __future__ import annotations

import json
import logging
import os
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from butler_core.failpoints import reach
from pipetask.errors import RunError, RunHeldError
from pipetask.provenance.process_identity import identity, is_gone

_LOG = logging.getLogger(__name__)

#: How often the holder shows that it is there [s].
_HEARTBEAT_S = 5.0
#: A holder on another machine that has not shown up for so long is taken for dead [s].
_STALE_S = 60.0
#: How often, and how long apart [s], the holder looks for its lease before it takes it for lost.
_LOOKS, _LOOK_S = 5, 0.05


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
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            while not self._try_to_make():
                self._remove_dead()
        except OSError as error:
            raise RunError(
                f"cannot write to run {self._run!r}: {error.strerror} ({str(self._path)!r})"
            ) from error
        self._thread = threading.Thread(target=self._beat, name="lease", daemon=True)
        self._thread.start()
        reach("lease.taken")

    def _try_to_make(self) -> bool:
        """Make the file, whole, unless there is one."""
        content = json.dumps({**identity(), "token": self._token, "since": time.time()})
        temporary = self._path.with_name(f".lease.{self._token}.tmp")
        temporary.write_text(content, encoding="utf-8")
        try:
            os.link(temporary, self._path)
        except FileExistsError:
            return False
        finally:
            temporary.unlink()
        return True

    def _remove_dead(self) -> None:
        """Remove the lease of a holder that is gone; raise if it is not."""
        try:
            age = time.time() - self._path.stat().st_mtime
            holder = _holder(self._path)
        except FileNotFoundError:
            return  # it was given back just now
        gone = is_gone(holder)
        if gone is False or (gone is None and age < _STALE_S):
            raise RunHeldError(
                f"run {self._run!r} is held by process {holder.get('pid')} on "
                f"{holder.get('host')}, at work since {_when(holder)}; wait for it, or stop it"
            )
        _LOG.warning(
            "process %s on %s left run %s without an end; going on from there",
            holder.get("pid"), holder.get("host"), self._run,
        )  # fmt: skip
        self.is_inherited = True
        # Of all who find it dead, one moves it away.
        grave = self._path.with_name(f".lease.{self._token}.dead")
        try:
            self._path.rename(grave)
        except FileNotFoundError:
            return
        if _holder(grave).get("token") != holder.get("token"):
            # Another process was faster, and this is its lease.
            with suppress(FileExistsError):
                os.link(grave, self._path)
        grave.unlink()

    def _beat(self) -> None:
        while not self._stop.wait(_HEARTBEAT_S):
            try:
                os.utime(self._path)
            except OSError as error:
                _LOG.warning("cannot renew the lease of run %s: %s", self._run, error)

    def require(self) -> None:
        """Raise RunHeldError if another process has taken the run over; nothing may be written."""
        holder: dict[str, Any] = {}
        for _ in range(_LOOKS):
            try:
                holder = _holder(self._path)
                break
            except FileNotFoundError:  # perhaps put aside for a moment, see `_remove_dead`
                time.sleep(_LOOK_S)
        if holder.get("token") != self._token:
            who = f"process {holder['pid']} on {holder['host']}" if holder else "nobody"
            raise RunHeldError(
                f"run {self._run!r} is held by {who} now: this process was taken for dead. What "
                "it did is in the run's journal; --extend-run goes on from there"
            )

    def give_back(self) -> None:
        """Let the run go."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()
        with suppress(FileNotFoundError):
            if _holder(self._path).get("token") == self._token:
                self._path.unlink()
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


def _holder(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def _when(holder: dict[str, Any]) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(float(holder.get("since", 0))))
