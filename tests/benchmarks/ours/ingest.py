"""Takes existing files in, into a new repository each time."""

from __future__ import annotations

from typing import Any

import small_files
import world
from actor import Setting
from clock import clock

from butler_core.datastore.transfer_mode import TransferMode
from butler_core.repository.ingest import IngestRequest, ingest_files
from ours.repositories import create, insert, register_type


def ingest(setting: Setting, *, n_files: int, mode: str) -> dict[str, Any]:
    """Take in files given as pairs of path and data ID; turning these into columns counts."""
    items = small_files.items(setting.needs["files"], n_files)
    with create(setting) as butler:
        insert(butler, world.camera_tables())
        insert(butler, world.exposure_tables(1 + n_files // world.N_DETECTORS))
        register_type(butler, "raw")
        butler.collections.register(world.RAW_RUN)
        with clock() as taken:
            names = ("instrument", "exposure", "detector")
            request = IngestRequest(
                "raw",
                world.RAW_RUN,
                [path for path, _ in items],
                {name: [data_id[name] for _, data_id in items] for name in names},
                TransferMode.parse(mode),
            )
            ingest_files(butler.repository, request)
        found = butler.query_datasets("raw", world.RAW_RUN)
        return taken.facts(n=n_files, n_datasets=len(found.to_numpy()["detector"]))
