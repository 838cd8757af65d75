"""Files to ingest, and what copying and putting them takes at least."""

from __future__ import annotations

import ctypes
import os
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import small_files
import world
from actor import Setting
from clock import clock, median_ms
from small_objects import big_array

_TEXT = b"count: 1\nmore: {name: text, size: 3.5}\nvalues: [1, 2, 3]\n"
_COLUMNS = "key INTEGER PRIMARY KEY, id BLOB UNIQUE, path TEXT"


def make(setting: Setting, *, n_files: int) -> None:
    """Make small files."""
    for number in range(n_files):
        path = small_files.path_of(setting.folder, number)
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"id: {number}\nkind: raw\n", encoding="ascii")


def copy(setting: Setting, *, n_files: int, chunk: int) -> dict[str, Any]:
    """Copy files to a directory for each exposure, with one sync a chunk."""
    items = small_files.items(setting.needs["files"], n_files)
    root = setting.folder / world.RAW_RUN / "raw"
    with clock() as taken:
        for begin in range(0, n_files, chunk):
            _copy_chunk(root, items[begin : begin + chunk])
            _sync_file_system(root)
    return taken.facts(n=n_files, n_datasets=n_files)


def _copy_chunk(root: Path, items: list[tuple[str, dict[str, Any]]]) -> None:
    for source, data_id in items:
        folder = root / str(data_id["exposure"])
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, folder / f"raw_{data_id['exposure']}_{data_id['detector']}.yaml")


def _sync_file_system(place: Path) -> None:
    """Put everything on the disk that the file system of a place holds back."""
    descriptor = os.open(place, os.O_RDONLY | os.O_DIRECTORY)
    try:
        if ctypes.CDLL(None, use_errno=True).syncfs(descriptor) != 0:
            raise OSError(ctypes.get_errno(), "syncfs failed", str(place))
    finally:
        os.close(descriptor)


def put(setting: Setting, *, n_puts: int) -> dict[str, Any]:
    """Write, sync and name a file, sync its directory and commit its two rows, again and again."""
    execute = _sqlite(setting.folder) if setting.server is None else _postgresql(setting.server)
    root = setting.folder / "thing"
    ids = world.data_ids(n_puts, world.N_FEW_DETECTORS)
    with clock() as taken:
        for number, data_id in enumerate(ids):
            folder = root / str(data_id["exposure"])
            folder.mkdir(parents=True, exist_ok=True)
            target = folder / f"{data_id['detector']}.yaml"
            _write_durably(target)
            execute(number, str(target))
    return taken.facts(n=n_puts, n_datasets=n_puts)


def _write_durably(target: Path) -> None:
    temporary = target.with_suffix(".tmp")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
    os.write(descriptor, _TEXT)
    os.fsync(descriptor)
    os.close(descriptor)
    temporary.rename(target)
    descriptor = os.open(target.parent, os.O_RDONLY | os.O_DIRECTORY)
    os.fsync(descriptor)
    os.close(descriptor)


def _sqlite(folder: Path) -> Callable[[int, str], None]:
    connection = sqlite3.connect(folder / "rows.sqlite3", isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute(f"CREATE TABLE dataset ({_COLUMNS})")
    connection.execute(f"CREATE TABLE file ({_COLUMNS})")

    def insert(number: int, path: str) -> None:
        connection.execute("BEGIN IMMEDIATE")
        for table in ("dataset", "file"):
            row = (number, os.urandom(16), path)
            connection.execute(f"INSERT INTO {table} VALUES (?, ?, ?)", row)
        connection.execute("COMMIT")

    return insert


def _postgresql(url: str) -> Callable[[int, str], None]:
    import psycopg

    connection = psycopg.connect(url)
    columns = _COLUMNS.replace("BLOB", "BYTEA")
    connection.execute("CREATE SCHEMA IF NOT EXISTS bench_floor")
    for table in ("dataset", "file"):
        connection.execute(f"DROP TABLE IF EXISTS bench_floor.{table}")
        connection.execute(f"CREATE TABLE bench_floor.{table} ({columns})")
    connection.commit()

    def insert(number: int, path: str) -> None:
        for table in ("dataset", "file"):
            row = (number, os.urandom(16), path)
            connection.execute(f"INSERT INTO bench_floor.{table} VALUES (%s, %s, %s)", row)
        connection.commit()

    return insert


def get_array(setting: Setting, *, size_mb: int, repeats: int) -> dict[str, Any]:
    """Load an array with numpy alone, from a file that the page cache holds."""
    import numpy as np

    path = setting.folder / "array.npy"
    np.save(path, big_array(size_mb))
    checksum = float(np.load(path).sum())
    with clock() as taken:
        each_ms = median_ms([lambda: np.load(path)] * repeats)
    return taken.facts(n=1, checksum=checksum) | {"seconds": each_ms / 1000}
