"""Modules that are written for a test, imported, edited and forgotten."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pipetask.provenance.code_trace import CodeTrace, trace_code


class Disk:
    """A folder of modules that can be imported."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._age_s = 0

    def write(self, name: str, content: str | bytes = "") -> None:
        """Write a file that is younger than all before."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        self._age_s += 1
        os.utime(path, (0, self._age_s))

    def edit(self, name: str) -> None:
        self.write(name, (self.folder / name).read_bytes() + b"\n# edited\n")

    def trace(self, name: str) -> CodeTrace:
        importlib.import_module(name)
        return trace_code(name)


@contextmanager
def disk_at(folder: Path) -> Iterator[Disk]:
    """Lend a folder from which modules are imported, and forgotten afterwards."""
    known = set(sys.modules)
    sys.path.insert(0, str(folder))
    importlib.invalidate_caches()
    try:
        yield Disk(folder)
    finally:
        sys.path.remove(str(folder))
        for name in set(sys.modules) - known:
            del sys.modules[name]


def changed(before: CodeTrace, after: CodeTrace) -> set[str]:
    """Return the modules that two traces tell differently."""
    assert (before.digest == after.digest) == (before == after)
    return {name for name, _ in set(before.files.items()) ^ set(after.files.items())}
