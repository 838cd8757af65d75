"""Keeps the counts of a run in a text file that Prometheus's node exporter collects.

The format is Prometheus's text exposition format, version 0.0.4.
"""

from __future__ import annotations

import logging
import math
import os
import time
from collections.abc import Iterator
from pathlib import Path

from pipetask.cli.run_counts import RunCounts, TaskCounts

_LOG = logging.getLogger(__name__)

_EVERY_S = 5.0


class MetricsFile:
    """One file, always whole.

    Parameters
    ----------
    run
        Name of the run, which is a label of each value.
    """

    def __init__(self, path: Path, run: str, counts: RunCounts) -> None:
        self._path = path
        self._run = run
        self._counts = counts
        self._last = -math.inf
        self._has_failed = False

    def write_now_and_then(self) -> None:
        """Write the file, if that is long ago."""
        if time.monotonic() - self._last >= _EVERY_S:
            self.write()

    def write(self) -> None:
        """Write the file; say so once if it cannot be written, which is no reason to stop a run."""
        self._last = time.monotonic()
        temporary = self._path.with_name(f".{self._path.name}.{os.getpid()}.tmp")
        try:
            temporary.write_text("\n".join(self._lines()) + "\n", encoding="utf-8")
            temporary.replace(self._path)
        except OSError as error:
            if not self._has_failed:
                _LOG.warning("cannot write the counts to %s: %s", self._path, error.strerror)
            self._has_failed = True

    def _lines(self) -> Iterator[str]:
        yield "# HELP pipetask_quanta Quanta of a task, by where they stand."
        yield "# TYPE pipetask_quanta gauge"
        for label, task in self._counts.tasks.items():
            for state, number in _states(task).items():
                yield f"pipetask_quanta{{{self._labels(label)},state={_text(state)}}} {number}"
        yield "# HELP pipetask_peak_memory_bytes Largest resident memory of a quantum of a task."
        yield "# TYPE pipetask_peak_memory_bytes gauge"
        for label, task in self._counts.tasks.items():
            if task.peak_memory_mib is not None:
                size = int(task.peak_memory_mib * 2**20)
                yield f"pipetask_peak_memory_bytes{{{self._labels(label)}}} {size}"

    def _labels(self, task: str) -> str:
        return f"run={_text(self._run)},task={_text(task)}"


def _states(task: TaskCounts) -> dict[str, int]:
    known = {
        "running": task.n_running,
        "succeeded": task.n_succeeded,
        "no-work": task.n_without_work,
        "failed": task.n_failed,
        "blocked": task.n_blocked,
    }
    return {"waiting": task.n_quanta - sum(known.values()), **known}


def _text(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'
