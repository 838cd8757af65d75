"""Runs rows: prepares what they need, measures every case in a process of its own, in turns."""

from __future__ import annotations

import hashlib
import itertools
import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from row import Case, Row, Step
from servers import PREFIX, Server

HERE = Path(__file__).parent
_MARK = "prepared.json"


class MeasurementError(Exception):
    """A workload failed, or the sides did not do the same."""


@dataclass(frozen=True)
class Programs:
    """The Python that each side runs in."""

    ours: str
    #: None if the peer is not asked.
    peer: str | None

    def of(self, side: str) -> str:
        """Return that of a side; the floor runs in ours."""
        if side != "peer":
            return self.ours
        assert self.peer is not None
        return self.peer


class Runner:
    """Runs workloads in folders of its own.

    Parameters
    ----------
    folder
        Where repositories and files are made; what is prepared there is used again.
    say
        Called with a line for each measurement.
    """

    def __init__(
        self, folder: Path, programs: Programs, server: Server, say: Callable[[str], None]
    ) -> None:
        self._folder = folder
        self._programs = programs
        self._server = server
        self._say = say
        self._numbers = itertools.count(1)
        self.close()
        _spread(self._scratch)

    def close(self) -> None:
        """Remove what the measurements made."""
        shutil.rmtree(self._scratch, ignore_errors=True)

    @property
    def _scratch(self) -> Path:
        """Where measurements make their own folders; all go at the end."""
        return self._folder / "scratch"

    def run(self, row: Row) -> dict[str, list[dict[str, Any]]]:
        """Measure all cases of a row, in turns, and return the results of each.

        Raises
        ------
        MeasurementError
            If a workload fails, or the sides disagree about what was done.
        """
        for case in row.cases:
            for step in case.step.needs.values():
                self._prepared(step, row.backend)
        results: dict[str, list[dict[str, Any]]] = {case.name: [] for case in row.cases}
        for number in range(row.repeats):
            for case in row.cases:
                result = self._measure(case, row.backend)
                results[case.name].append(result)
                self._say(f"  {case.name} {number + 1}/{row.repeats}: {_short(result)}")
        require_same(row, results)
        return results

    # ------------------------------------------------------------- preparations
    def _prepared(self, step: Step, backend: str) -> Path:
        """Return the folder of a preparation, made now if it is not there."""
        folder = self._folder / backend / self._identity(step)
        if (folder / _MARK).exists():
            return folder
        shutil.rmtree(folder, ignore_errors=True)
        _spread(folder.parent)
        folder.mkdir()
        if backend == "postgresql":
            self._server.drop(self._schema(step))
        self._say(f"  preparing {step.key}")
        result = self._act(step, folder, backend, self._schema(step))
        # What was made is on the disk before anything is timed that would wait for it.
        os.sync()
        (folder / _MARK).write_text(json.dumps(result), encoding="utf-8")
        return folder

    def _identity(self, step: Step) -> str:
        needs = "".join(self._identity(need) for need in step.needs.values())
        return f"{step.key}-{hashlib.sha256(needs.encode()).hexdigest()[:8]}"

    def _schema(self, step: Step) -> str:
        return PREFIX + hashlib.sha256(self._identity(step).encode()).hexdigest()[:16]

    # ------------------------------------------------------------- measurements
    def _measure(self, case: Case, backend: str) -> dict[str, Any]:
        folder = self._scratch / str(next(self._numbers))
        folder.mkdir()
        schema = f"{PREFIX}scratch"
        if backend == "postgresql":
            self._server.drop(schema)
        os.sync()
        return with_rates(self._act(case.step, folder, backend, schema))

    def _act(self, step: Step, folder: Path, backend: str, schema: str) -> dict[str, Any]:
        """Run a workload in a process of its own and return its result."""
        has_server = backend == "postgresql"
        setting = {
            "folder": str(folder),
            "needs": {name: str(self._prepared(s, backend)) for name, s in step.needs.items()},
            "schemas": {name: self._schema(need) for name, need in step.needs.items()},
            "server": self._server.url if has_server else None,
            "schema": schema,
        }
        command = [self._programs.of(step.side), "-m", step.side, step.workload]
        command += [json.dumps(setting), json.dumps(dict(step.parameters))]
        done = subprocess.run(
            command, cwd=folder, env=_environment(), capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise MeasurementError(f"{step.key} failed:\n{done.stderr[-3000:]}")
        found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
        return found


def _spread(folder: Path) -> None:
    """Make a folder in which each thing made lies in a part of the disk of its own.

    ext4 without a journal passes over inodes freed in the last minutes, one by one, wherever
    they are near: what one side removes would make the other's new files dear.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if program := shutil.which("chattr"):  # other file systems know no such mark
        subprocess.run([program, "+T", folder], capture_output=True, check=False)


def _environment() -> dict[str, str]:
    """Return the environment of an actor: it finds the modules here, and nothing else is new."""
    places = [str(HERE), *filter(None, [os.environ.get("PYTHONPATH")])]
    return os.environ | {"PYTHONPATH": os.pathsep.join(places)}


def with_rates(result: Mapping[str, Any]) -> dict[str, Any]:
    """Add what one of the things done took, and how many were done a second."""
    rates = {}
    if result.get("n"):
        rates["ms_each"] = 1000 * result["seconds"] / result["n"]
        rates["per_second"] = result["n"] / result["seconds"]
    return {**rates, **result}


def medians_of(results: Mapping[str, Iterable[Mapping[str, Any]]]) -> dict[str, dict[str, Any]]:
    """Return the median of each number of each case; of what is no number, the first."""
    found = {}
    for name, runs in results.items():
        first, *_ = runs = list(runs)
        found[name] = {
            field: median(run[field] for run in runs) if isinstance(value, int | float) else value
            for field, value in first.items()
        }
    return found


def require_same(row: Row, results: Mapping[str, list[dict[str, Any]]]) -> None:
    """Raise MeasurementError unless all sides and repetitions did the same."""
    for name in row.same:
        values = {
            (side, run[name])
            for side in ("ours", "peer", "floor")
            for run in results.get(side, ())
            if name in run
        }
        if len({value for _, value in values}) > 1:
            raise MeasurementError(f"{row.name}: {name} differs: {sorted(values)}")


def _short(result: Mapping[str, Any]) -> str:
    return f"{result['seconds']:.4g} s, {result['rss_mb']:.0f} MB"
