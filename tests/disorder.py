"""Ways to bring a repository out of order, and to see what is in it."""

from __future__ import annotations

import os
import subprocess
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from butler_core import Butler, DatasetRef
from butler_core.datastore.file_record import FileRecord
from butler_core.repository.checking import check_repository
from butler_core.repository.finding import Finding

ARCHIVE = "run/1/notes/some.zip"


def data_id(visit: int = 100, detector: int = 0) -> dict[str, Any]:
    return {"instrument": "CamA", "visit": visit, "detector": detector}


def path_of(butler: Butler, ref: DatasetRef) -> Path:
    """Return where a dataset's file is."""
    return Path(butler.get_uri(ref).removeprefix("file://"))


def root_of(butler: Butler) -> Path:
    return butler.repository.datastore.root


def stray(butler: Butler, path: str, content: bytes = b"stray") -> Path:
    """Write a file that no record names."""
    made = root_of(butler) / path
    made.parent.mkdir(parents=True, exist_ok=True)
    made.write_bytes(content)
    return made


def register(butler: Butler, paths: Iterable[str], size: int | None = 5, **more: Any) -> list[int]:
    """Register datasets with files at these paths, as records have them; return their keys."""
    registry = butler.repository.registry
    registered = registry.dataset_types.get("metric")
    butler.collections.register("run/1")
    records = [FileRecord(path, "no.such", "StructuredDataDict", size, **more) for path in paths]
    taken = butler.query_datasets("metric", "run/1").count()
    places = [(visit, detector) for visit in range(100, 114) for detector in range(4)][taken:]
    columns = {
        "instrument": ["CamA"] * len(records),
        "visit": [visit for visit, _ in places[: len(records)]],
        "detector": [detector for _, detector in places[: len(records)]],
    }
    with butler.transaction():
        keys = registry.datasets.insert(registered, registry.collections.get("run/1"), columns).keys
        registry.files.insert(keys, records)
    return keys


def archive(butler: Butler, members: Iterable[str], recorded: Iterable[str]) -> Path:
    """Write an archive of members of 5 bytes, and register some datasets in it."""
    made = stray(butler, ARCHIVE)
    with zipfile.ZipFile(made, "w") as opened:
        for name in members:
            opened.writestr(name, "12345")
    register(butler, [f"{ARCHIVE}#zip-path={name}" for name in recorded], is_shared=True)
    return made


def temporary(butler: Butler, pid: int, age_s: float = 0.0, folder: str = "run/1") -> Path:
    """Write what a process leaves that dies while it writes."""
    made = stray(butler, f"{folder}/.{pid}.0123456789abcdef.7.tmp")
    then = made.stat().st_mtime - age_s
    os.utime(made, (then, then))
    return made


def dead_pid() -> int:
    """Return the number of a process that has ended."""
    with subprocess.Popen(["true"]) as process:
        process.wait()
    return process.pid


def findings(butler: Butler, **options: Any) -> list[Finding]:
    return list(check_repository(butler.repository, **options).findings)


def found(butler: Butler, **options: Any) -> list[tuple[str, str]]:
    """Return kinds and paths of what a check finds."""
    return [(str(finding.kind), finding.path) for finding in findings(butler, **options)]


def rows(butler: Butler) -> list[Any]:
    """Return all file records."""
    table = butler.repository.registry.schema.file_record
    return butler.repository.registry.database.fetch_rows(
        sa.select(table).order_by(table.c.dataset_key)
    )


def files(butler: Butler) -> dict[str, bytes]:
    """Return the content of all files below the root but those of the repository itself."""
    root = root_of(butler)
    return {
        str(path.relative_to(root)): path.read_bytes()
        for path in sorted(root.rglob("*"))
        if path.is_file() and not path.name.startswith(("butler.yaml", "gen3.sqlite3"))
    }
