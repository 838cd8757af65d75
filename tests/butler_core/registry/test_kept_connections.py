"""Connections that threads keep: enough for all, and none shared with a forked process."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

from butler_core import Butler, DatasetType

#: More than the pool has connections.
_N_THREADS = 40

_FORK = """
import os
import sys

from butler_core import Butler

with Butler(sys.argv[1], writeable=True) as butler:
    butler.put({"by": "parent"}, "note", run="parent")
    child = os.fork()
    butler.put({"by": "both"}, "note", run="child" if child == 0 else "parent again")
    if child == 0:
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    butler.put({"by": "parent"}, "note", run="parent last")
    print(sorted(ref.run for ref in butler.query_datasets("note", "*", find_first=False)))
"""


def _filled(registries: Any, root: Path) -> None:
    with registries.create(root) as butler:
        note = DatasetType.of("note", [], "StructuredDataDict", universe=butler.dimensions)
        butler.register_dataset_type(note)
        butler.put({"first": True}, "note", run="run")


def test_more_threads_than_connections_can_ask(tmp_path: Path, registries: Any) -> None:
    _filled(registries, tmp_path / "repo")
    have_asked = threading.Barrier(_N_THREADS, timeout=60)
    found: list[Any] = []

    with Butler(tmp_path / "repo", writeable=True) as butler:

        def ask(number: int) -> None:
            found.append(butler.get("note", collections="run"))
            have_asked.wait()  # all threads live, and keep what they keep
            butler.put({"number": number}, "note", run=f"run/{number}")

        threads = [threading.Thread(target=ask, args=(i,)) for i in range(_N_THREADS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert found == [{"first": True}] * _N_THREADS
        assert butler.query_datasets("note", "run/*", find_first=False).count() == _N_THREADS


def test_a_forked_process_has_a_connection_of_its_own(tmp_path: Path, registries: Any) -> None:
    _filled(registries, tmp_path / "repo")

    done = subprocess.run(
        [sys.executable, "-c", _FORK, str(tmp_path / "repo")],
        capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip

    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "['child', 'parent', 'parent again', 'parent last', 'run']"
