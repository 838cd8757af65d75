"""A Dask scheduler and its workers on this machine, each a process of its own, for tests."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil

_START_TIMEOUT_S = 60.0
_STOP_TIMEOUT_S = 2.0
_POLL_INTERVAL_S = 0.05

_Process = subprocess.Popen[bytes]


@dataclass
class DaskServers:
    """A running scheduler, and workers that serve it."""

    #: Where they write, and what they print.
    folder: Path
    #: As ``--scheduler`` takes it.
    address: str
    scheduler: _Process
    #: Of each worker the process that was started: its nanny, if it has one.
    workers: list[_Process] = field(default_factory=list)
    #: Variables of the workers.
    environment: Mapping[str, str] = field(default_factory=dict)

    def add_worker(self, *options: str) -> _Process:
        """Start one more worker of one thread, which a nanny starts again when it dies.

        Parameters
        ----------
        options
            Of ``dask worker``; later ones win.
        """
        name = f"worker-{len(self.workers)}"
        process = _start(
            self.folder, name, "worker", self.address, "--host", "127.0.0.1", "--nthreads", "1",
            "--memory-limit", "0", "--local-directory", str(self.folder / name), *options,
            environment=self.environment,
        )  # fmt: skip
        self.workers.append(process)
        return process

    def pids(self) -> list[int]:
        """Return the processes that run tasks."""
        found: list[int] = []
        for process in self.workers:
            with suppress(psutil.NoSuchProcess):
                children = psutil.Process(process.pid).children(recursive=True)
                found += [child.pid for child in children if _is_worker(child)]
        return found

    def wait_for_pids(self, count: int) -> list[int]:
        """Wait until so many processes run tasks, and return them."""
        end_s = time.monotonic() + _START_TIMEOUT_S
        while len(found := self.pids()) < count:
            assert time.monotonic() < end_s, f"{len(found)} worker processes, not {count}"
            time.sleep(_POLL_INTERVAL_S)
        return found

    def wait_for_workers(self, count: int) -> None:
        """Wait until the scheduler knows so many workers."""
        from distributed import Client

        with Client(self.address, set_as_default=False) as client:
            client.wait_for_workers(count, timeout=_START_TIMEOUT_S)


@contextmanager
def dask_servers(
    folder: Path,
    *,
    n_workers: int = 2,
    options: tuple[str, ...] = (),
    environment: Mapping[str, str] | None = None,
) -> Iterator[DaskServers]:
    """Start a scheduler and workers on free ports; stop them at the end.

    Parameters
    ----------
    folder
        Where all their files go.
    options
        Of each worker.
    environment
        Variables of the workers, besides those of this process.
    """
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "scheduler.json"
    scheduler = _start(
        folder, "scheduler", "scheduler", "--host", "127.0.0.1", "--port", "0",
        "--scheduler-file", str(file),
    )  # fmt: skip
    servers = DaskServers(folder, "", scheduler, environment=environment or {})
    try:
        servers.address = _address(file)
        for _ in range(n_workers):
            servers.add_worker(*options)
        yield servers
    finally:
        _stop([*servers.workers, scheduler])


def _start(
    folder: Path, name: str, *arguments: str, environment: Mapping[str, str] | None = None
) -> _Process:
    # Rule: nothing of this process's own paths, so that tasks are found through the run alone.
    own = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    program = str(Path(sys.executable).with_name("dask"))
    with (folder / f"{name}.out").open("wb") as output:
        return subprocess.Popen(
            [program, *arguments, "--no-dashboard"], cwd=folder, env={**own, **(environment or {})},
            stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True,
        )  # fmt: skip


def _address(file: Path) -> str:
    end_s = time.monotonic() + _START_TIMEOUT_S
    while True:
        with suppress(FileNotFoundError, json.JSONDecodeError):  # not there, or not all of it
            return str(json.loads(file.read_text())["address"])
        assert time.monotonic() < end_s, f"no scheduler after {_START_TIMEOUT_S:g} s"
        time.sleep(_POLL_INTERVAL_S)


def _is_worker(process: psutil.Process) -> bool:
    try:
        return "spawn_main" in " ".join(process.cmdline())
    except psutil.Error:
        return False


def _stop(processes: list[_Process]) -> None:
    """End processes and all that they started."""
    started = []
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            started += psutil.Process(process.pid).children(recursive=True)
        process.terminate()
    for process in processes:
        with suppress(subprocess.TimeoutExpired):
            process.wait(_STOP_TIMEOUT_S)
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    for child in started:
        with suppress(psutil.NoSuchProcess):
            child.kill()
