"""Takes existing files in, into a new repository each time."""

from __future__ import annotations

from typing import Any

import small_files
import world
from actor import Setting
from clock import clock

from peer.repositories import create, file_datasets, insert, register_type


def ingest(setting: Setting, *, n_files: int, mode: str) -> dict[str, Any]:
    """Take in files given as pairs of path and data ID; making references of these counts."""
    items = small_files.items(setting.needs["files"], n_files)
    butler = create(setting)
    insert(butler, world.camera_tables())
    insert(butler, world.exposure_tables(1 + n_files // world.N_DETECTORS))
    raw = register_type(butler, "raw")
    butler.collections.register(world.RAW_RUN)
    with clock() as taken:
        butler.ingest(*file_datasets(butler, raw, world.RAW_RUN, items), transfer=mode)
    with butler.query() as query:
        n_datasets = query.datasets("raw", world.RAW_RUN).count()
    return taken.facts(n=n_files, n_datasets=n_datasets)
