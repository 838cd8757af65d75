"""A run that is disturbed, continued, and compared with one that was left alone."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb

from butler_core import Butler
from butler_core.failpoints import VARIABLE
from pipetask.provenance.run_folder import RunFolder

IMPORTABLE = Path(__file__).parents[1] / "pipetask" / "importable"
RUN = "u/run"

#: What no quantum of ours takes longer than [s].
PATIENCE_S = 600

PIPELINE = """\
description: work whose results can be compared
tasks:
  isr: {class: graph_tasks.IsrTask, config: {sleep_s: %(sleep_s)s}}
  split: {class: graph_tasks.SplitTask, config: {sleep_s: %(sleep_s)s}}
  gather: graph_tasks.GatherTask
  notes: graph_tasks.NotesTask
"""


@dataclass
class Campaign:
    """One repository in which one pipeline is run until it is done."""

    repository: Path
    pipeline: Path
    arguments: tuple[str, ...] = ("-j", "2")
    environment: Mapping[str, str] = field(default_factory=dict)

    @property
    def command(self) -> list[str]:
        """The command that begins the run, and that continues it."""
        program = str(Path(sys.executable).with_name("pipetask"))
        return [
            program, "--no-progress", "run", "-b", str(self.repository), "-p", str(self.pipeline),
            "-i", "raw/all", "--output-run", RUN, "--extend-run", "--register-dataset-types",
            *self.arguments,
        ]  # fmt: skip

    def start(self, failpoints: str = "", **environment: str) -> subprocess.Popen[str]:
        """Start the command."""
        own = {
            **os.environ,
            **self.environment,
            **environment,
            VARIABLE: failpoints,
            "PYTHONPATH": f"{IMPORTABLE}{os.pathsep}{os.environ.get('PYTHONPATH', '')}",
        }
        return subprocess.Popen(
            self.command,
            env=own,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def run(self, failpoints: str = "", **environment: str) -> tuple[int, str]:
        """Run the command to its end; return its exit code and what it said."""
        process = self.start(failpoints, **environment)
        said, _ = process.communicate(timeout=PATIENCE_S)
        return process.returncode, said

    # ------------------------------------------------------------------ results
    def results(self) -> dict[str, str]:
        """Return a digest of each dataset file of the run, by its path; notes aside."""
        root = self.repository / RUN
        return {
            str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in sorted(root.rglob("*"))
            if path.is_file() and _is_result(path.relative_to(root))
        }

    def datasets(self) -> set[tuple[str, str]]:
        """Return type and data ID of each dataset of the run."""
        with Butler(self.repository) as butler:
            return {
                (name, json.dumps(dict(ref.data_id.required), sort_keys=True))
                for name, ref in _refs(butler)
            }

    def state_faults(self, *, is_done: bool) -> list[str]:
        """Return what is wrong with what is there now.

        Parameters
        ----------
        is_done
            Whether the run has ended well; files that nobody knows are then faults, too.
        """
        faults = []
        known: set[Path] = set()
        with Butler(self.repository) as butler:
            root = butler.repository.datastore.root
            for name, record in _records(butler):
                archive, _, member = record.path.partition("#zip-path=")
                path = root / archive
                known.add(path)
                if not path.is_file():
                    faults.append(f"{name}: {path} is not there")
                elif member:
                    if member not in zipfile.ZipFile(path).namelist():
                        faults.append(f"{name}: {member} is not in {path}")
                elif _checksum(path) != record.checksum:
                    faults.append(f"{name}: {path} has another checksum")
        if is_done:
            faults += self._strangers(known)
            faults += self._quanta_without_datasets()
        return faults

    def _strangers(self, known: set[Path]) -> Iterator[str]:
        for path in (self.repository / RUN).rglob("*"):
            is_about = path.parent.name == "graphs"
            if path.is_file() and path not in known and not is_about:
                yield f"{path} is nobody's"
        folder = RunFolder.of(self.repository, RUN)
        for path in folder.path.iterdir():
            if path.suffix not in (".qg", ".history"):
                yield f"{path} is left"

    def _quanta_without_datasets(self) -> Iterator[str]:
        """Compare histories with the registry: each quantum that is done has its metadata."""
        folder = RunFolder.of(self.repository, RUN)
        done: list[tuple[str, str]] = []
        for graph_id in folder.graph_ids():
            if not folder.history(graph_id).exists():
                continue
            with duckdb.connect(str(folder.history(graph_id)), read_only=True) as connection:
                done += connection.execute(
                    "SELECT task, data_id::VARCHAR FROM attempt "
                    "WHERE outcome IN ('succeeded', 'no-work')"
                ).fetchall()
        told = [(f"{task}_metadata", _sorted(data_id)) for task, data_id in done]
        there = {pair for pair in self.datasets() if pair[0].endswith("_metadata")}
        if set(told) != there:
            yield f"history and registry differ in {sorted(set(told) ^ there)}"
        if len(told) != len(set(told)):
            yield "some quantum succeeded twice"


def _sorted(data_id: str) -> str:
    return json.dumps(json.loads(data_id), sort_keys=True)


def _is_result(path: Path) -> bool:
    """Return whether a file is the same whenever and wherever it is made."""
    first = path.parts[0]
    if first in ("graphs", "notes", "packages"):
        return False
    return not first.endswith(("_metadata", "_log", "_config"))


def _refs(butler: Butler) -> Iterator[tuple[str, Any]]:
    if RUN not in butler.repository.registry.collections.find([RUN]):
        return
    for registered in butler.repository.registry.dataset_types.all():
        name = registered.dataset_type.name
        for ref in butler.query_datasets(name, RUN):
            yield name, ref


def _records(butler: Butler) -> Iterator[tuple[str, Any]]:
    registry = butler.repository.registry
    refs = list(_refs(butler))
    keys = registry.datasets.keys_of([ref for _, ref in refs])
    for name, ref in refs:
        record = registry.files.get(keys[ref.id.bytes])
        assert record is not None, f"{name} {ref.data_id} has no file"
        yield f"{name} {ref.data_id}", record


def _checksum(path: Path) -> str:
    return "blake2b:" + hashlib.blake2b(path.read_bytes(), digest_size=32).hexdigest()
