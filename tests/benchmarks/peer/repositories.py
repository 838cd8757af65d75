"""Makes and fills the peer's repositories; nothing here is timed but what is said to be.

A prepared repository is analysed for the query planner, which the peer does not do by itself.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import world
from actor import Setting
from clock import clock

IMAGE = ("instrument", "exposure", "detector")
_STORAGE_CLASS = "StructuredDataDict"


def create(setting: Setting, name: str = "repository") -> Any:
    """Make an empty repository in a workload's folder and open it."""
    from lsst.daf.butler import Butler, Config

    place = str(setting.folder / name)
    config = Config()
    if setting.server is not None:
        _prepare_server(setting.server)
        config["registry", "db"] = setting.server.replace("postgresql:", "postgresql+psycopg2:", 1)
        config["registry", "namespace"] = setting.schema
    Butler.makeRepo(place, config)
    return Butler.from_config(place, writeable=True)


def _prepare_server(url: str) -> None:
    """Make sure of the extension that the peer needs."""
    import psycopg2

    connection = psycopg2.connect(url)
    try:
        with connection, connection.cursor() as cursor:
            cursor.execute("CREATE EXTENSION IF NOT EXISTS btree_gist")
    finally:
        connection.close()


def opened(setting: Setting, need: str, *, writeable: bool = False) -> Any:
    """Open the repository that a preparation made."""
    from lsst.daf.butler import Butler

    return Butler.from_config(str(place_of(setting, need)), writeable=writeable)


def place_of(setting: Setting, need: str) -> Path:
    """Return the directory of the repository that a preparation made."""
    return setting.needs[need] / "repository"


def analyse(setting: Setting) -> None:
    """Collect statistics for the query planner."""
    if setting.server is None:
        connection: Any = sqlite3.connect(setting.folder / "repository" / "gen3.sqlite3")
    else:
        import psycopg2

        connection = psycopg2.connect(setting.server)
        connection.autocommit = True
    cursor = connection.cursor()
    cursor.execute("ANALYZE")
    connection.commit()
    connection.close()


def native_rows(columns: world.Columns) -> list[dict[str, Any]]:
    """Turn columns into rows with regions and timespans of the peer's."""
    from lsst.daf.butler import Timespan

    rows = list(world.as_rows(columns))
    for row in rows:
        if "timespan" in row:
            row["timespan"] = Timespan(None, None, _nsec=row["timespan"])
        if "region" in row:
            row["region"] = polygon(row["region"])
    return rows


def polygon(corners: world.Corners) -> Any:
    """Make a region of corners in degrees."""
    from lsst.sphgeom import ConvexPolygon, LonLat, UnitVector3d

    return ConvexPolygon([UnitVector3d(LonLat.fromDegrees(*corner)) for corner in corners])


def insert(butler: Any, tables: world.Tables) -> None:
    """Insert dimension records given as columns."""
    for element, columns in tables.items():
        butler.registry.insertDimensionData(element, *native_rows(columns))


def register_type(butler: Any, name: str, dimensions: tuple[str, ...] = IMAGE) -> Any:
    """Register a dataset type of plain dicts and return it."""
    return register_type_as(butler, name, _STORAGE_CLASS, dimensions)


def register_type_as(
    butler: Any, name: str, storage_class: str, dimensions: tuple[str, ...] = IMAGE
) -> Any:
    """Register a dataset type and return it."""
    from lsst.daf.butler import DatasetType

    found = DatasetType(name, dimensions, storage_class, universe=butler.dimensions)
    butler.registry.registerDatasetType(found)
    return found


def file_datasets(
    butler: Any, dataset_type: Any, run: str, items: list[tuple[Any, dict[str, Any]]]
) -> list[Any]:
    """Turn paths and data IDs into what the peer ingests."""
    from lsst.daf.butler import DataCoordinate, DatasetRef, FileDataset
    from lsst.daf.butler.formatters.yaml import YamlFormatter

    universe = butler.dimensions
    return [
        FileDataset(
            path=str(path),
            refs=[
                DatasetRef(
                    dataset_type, DataCoordinate.standardize(data_id, universe=universe), run
                )
            ],
            formatter=YamlFormatter,
        )
        for path, data_id in items
    ]


def ingest_one_file(
    butler: Any, path: Path, dataset_type: Any, run: str, ids: list[dict[str, Any]]
) -> None:
    """Take one file in as many datasets, where it is."""
    path.write_text("id: 1\n", encoding="utf-8")
    butler.collections.register(run)
    items = [(path, one) for one in ids]
    butler.ingest(*file_datasets(butler, dataset_type, run, items), transfer="direct")


# ---------------------------------------------------------------- preparations
def empty(setting: Setting) -> None:
    """Make a repository with nothing in it."""
    create(setting)


def survey(setting: Setting, *, n_exposures: int) -> dict[str, Any]:
    """Make a repository of a whole survey: records and raw images."""
    butler = create(setting)
    with clock() as taken:
        insert(butler, world.survey_tables(n_exposures))
    raw = register_type(butler, "raw")
    ids = world.data_ids(n_exposures * world.N_DETECTORS)
    ingest_one_file(butler, setting.folder / "raw.yaml", raw, world.RAW_RUN, ids)
    analyse(setting)
    return taken.facts(n=len(ids))


def square(setting: Setting, *, size: int) -> None:
    """Make a repository of so many exposures with a dataset each, and so many detectors."""
    butler = create(setting)
    insert(butler, world.camera_tables(size))
    insert(butler, world.exposure_tables(size))
    start = register_type(butler, "start", ("instrument", "exposure"))
    ids = [{"instrument": world.CAMERA, "exposure": 1 + i} for i in range(size)]
    ingest_one_file(butler, setting.folder / "start.yaml", start, "start/all", ids)
    analyse(setting)


def filled(setting: Setting, *, n_datasets: int, n_more: int) -> None:
    """Make a repository of so many datasets, with exposures for some more."""
    butler = create(setting)
    insert(butler, world.camera_tables(world.N_FEW_DETECTORS))
    insert(butler, world.exposure_tables(1 + max(n_datasets, n_more) // world.N_FEW_DETECTORS))
    thing = register_type(butler, "thing")
    butler.collections.register("filling")
    ids = world.data_ids(n_datasets, world.N_FEW_DETECTORS)
    if ids:
        butler.registry.insertDatasets(thing, ids, run="filling")
    analyse(setting)


def chain(setting: Setting, *, n_refs: int) -> dict[str, Any]:
    """Make a chain of ten runs that hold so many data IDs.

    Run k holds every tenth data ID from the k-th on; the first two runs hold the first tenth of
    all again, so that a search has something to pass over.
    """
    from lsst.daf.butler import CollectionType

    ids = world.data_ids(n_refs, world.N_FEW_DETECTORS)
    butler = create(setting)
    insert(butler, world.camera_tables(world.N_FEW_DETECTORS))
    insert(butler, world.exposure_tables(1 + n_refs // world.N_FEW_DETECTORS))
    raw = register_type(butler, "raw")
    total = 0
    for k in range(world.N_RUNS):
        butler.collections.register(f"run{k}")
        members = world.chain_members(ids, k)
        butler.registry.insertDatasets(raw, members, run=f"run{k}")
        total += len(members)
    butler.collections.register(world.CHAIN, CollectionType.CHAINED)
    butler.collections.redefine_chain(world.CHAIN, [f"run{k}" for k in range(world.N_RUNS)])
    analyse(setting)
    return {"n": total}
