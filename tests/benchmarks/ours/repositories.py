"""Makes and fills our repositories; nothing here is timed but what is said to be."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import world
from actor import Setting
from clock import clock

from butler_core import Butler, CollectionType, DatasetType
from butler_core.datastore.transfer_mode import TransferMode
from butler_core.region import encode_quads
from butler_core.repository.ingest import IngestRequest, ingest_files

IMAGE = ("instrument", "exposure", "detector")
_STORAGE_CLASS = "StructuredDataDict"


def create(setting: Setting, name: str = "repository") -> Butler:
    """Make an empty repository in a workload's folder."""
    place = setting.folder / name
    if setting.server is None:
        return Butler.create(place)
    return Butler.create(place, registry=setting.server, schema=setting.schema)


def opened(setting: Setting, need: str, *, writeable: bool = False) -> Butler:
    """Open the repository that a preparation made."""
    return Butler(place_of(setting, need), writeable=writeable)


def place_of(setting: Setting, need: str) -> Path:
    """Return the directory of the repository that a preparation made."""
    return setting.needs[need] / "repository"


def insert(butler: Butler, tables: world.Tables) -> None:
    """Insert dimension records given as columns."""
    for element, columns in tables.items():
        butler.repository.registry.records.insert(element, _native(columns))


def _native(columns: world.Columns) -> dict[str, Any]:
    native = dict(columns)
    if "timespan" in native:
        spans = native.pop("timespan")
        native["begin_ns"] = [begin for begin, _ in spans]
        native["end_ns"] = [end for _, end in spans]
    if "region" in native:
        native["region"] = encode_quads(native["region"])
    return native


def register_type(butler: Butler, name: str, dimensions: tuple[str, ...] = IMAGE) -> None:
    """Register a dataset type of plain dicts."""
    butler.register_dataset_type(
        DatasetType.of(name, dimensions, _STORAGE_CLASS, universe=butler.dimensions)
    )


def columns_of(data_ids: list[dict[str, Any]]) -> dict[str, list[Any]]:
    """Turn data IDs into columns."""
    return {name: [one[name] for one in data_ids] for name in data_ids[0]}


def ingest_one_file(
    butler: Butler, path: Path, name: str, run: str, columns: dict[str, list[Any]]
) -> None:
    """Take one file in as many datasets, where it is."""
    if not path.exists():
        path.write_text("id: 1\n", encoding="utf-8")
    count = len(columns["instrument"])
    ingest_files(
        butler.repository,
        IngestRequest(name, run, [path] * count, columns, TransferMode.DIRECT),
    )


def register_datasets(butler: Butler, name: str, run: str, columns: dict[str, list[Any]]) -> None:
    """Register datasets that have no files."""
    butler.collections.register(run)
    registry = butler.repository.registry
    registry.datasets.insert(
        registry.dataset_types.get(name), registry.collections.get(run), columns
    )


# ---------------------------------------------------------------- preparations
def empty(setting: Setting) -> None:
    """Make a repository with nothing in it."""
    create(setting).close()


def survey(
    setting: Setting, *, n_exposures: int, n_detectors: int = world.N_DETECTORS
) -> dict[str, Any]:
    """Make a repository of a whole survey: records and raw images."""
    with create(setting) as butler:
        with clock() as taken:
            insert(butler, world.survey_tables(n_exposures, n_detectors))
        register_type(butler, "raw")
        ids = columns_of(world.data_ids(n_exposures * n_detectors, n_detectors))
        ingest_one_file(butler, setting.folder / "raw.yaml", "raw", world.RAW_RUN, ids)
    return taken.facts(n=len(ids["detector"]))


def square(setting: Setting, *, size: int) -> None:
    """Make a repository of so many exposures with a dataset each, and so many detectors."""
    with create(setting) as butler:
        insert(butler, world.camera_tables(size))
        insert(butler, world.exposure_tables(size))
        register_type(butler, "start", ("instrument", "exposure"))
        exposures = {
            "instrument": [world.CAMERA] * size,
            "exposure": list(range(1, size + 1)),
        }
        ingest_one_file(butler, setting.folder / "start.yaml", "start", "start/all", exposures)


def links(setting: Setting, *, n_exposures: int, n_detectors: int) -> None:
    """Make a repository with what the first of a row of link tasks reads."""
    with create(setting) as butler:
        insert(butler, world.camera_tables(n_detectors))
        insert(butler, world.exposure_tables(n_exposures))
        ids = columns_of(world.data_ids(n_exposures * n_detectors, n_detectors))
        for i in range(5):
            register_type(butler, f"link0_{i}")
            ingest_one_file(butler, setting.folder / "link.yaml", f"link0_{i}", "link/all", ids)


def filled(setting: Setting, *, n_datasets: int, n_more: int) -> None:
    """Make a repository of so many datasets, with exposures for some more."""
    with create(setting) as butler:
        insert(butler, world.camera_tables(world.N_FEW_DETECTORS))
        insert(butler, world.exposure_tables(1 + max(n_datasets, n_more) // world.N_FEW_DETECTORS))
        register_type(butler, "thing")
        if n_datasets:
            ids = columns_of(world.data_ids(n_datasets, world.N_FEW_DETECTORS))
            register_datasets(butler, "thing", "filling", ids)


def chain(setting: Setting, *, n_refs: int) -> dict[str, Any]:
    """Make a chain of ten runs that hold so many data IDs.

    Run k holds every tenth data ID from the k-th on; the first two runs hold the first tenth of
    all again, so that a search has something to pass over.
    """
    ids = world.data_ids(n_refs, world.N_FEW_DETECTORS)
    with create(setting) as butler:
        insert(butler, world.camera_tables(world.N_FEW_DETECTORS))
        insert(butler, world.exposure_tables(1 + n_refs // world.N_FEW_DETECTORS))
        register_type(butler, "raw")
        total = 0
        for k in range(world.N_RUNS):
            members = world.chain_members(ids, k)
            register_datasets(butler, "raw", f"run{k}", columns_of(members))
            total += len(members)
        butler.collections.register(world.CHAIN, CollectionType.CHAINED)
        butler.collections.redefine_chain(world.CHAIN, [f"run{k}" for k in range(world.N_RUNS)])
    return {"n": total}
