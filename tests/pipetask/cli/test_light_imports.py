"""Building a graph of the real pipelines pays for no science library."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from butler_core import Butler, CollectionType, DatasetType, Timespan, region
from butler_core.datastore.transfer_mode import TransferMode
from butler_core.instruments import register_instrument
from butler_core.repository.ingest import IngestRequest, ingest_files

#: Libraries that tasks compute with; each takes a second or two to import.
SCIENCE = ("ccdproc", "photutils", "reproject", "scipy", "matplotlib", "astropy.modeling")

CODE = f"""
import sys
from pipetask.cli import main

sys.argv = ["pipetask", "qgraph", "-b", sys.argv[1], "-p", "pipelines!latiss/night.yaml"]
sys.argv += ["-i", "raw,calib,refcats", "-o", "out"]
try:
    main()
except SystemExit as end:
    assert not end.code, end.code
print([name for name in {SCIENCE!r} if name in sys.modules])
"""


def fill(root: Path) -> None:
    """Make a repository in which the night's graph has quanta; no file of it is ever read."""
    stub = root.parent / "stub.fits"
    stub.touch()
    with Butler.create(root) as butler:
        register_instrument(butler, "LATISS")
        shared = {
            "instrument": "LATISS",
            "physical_filter": "SDSSr_65mm~empty",
            "day_obs": 20210707,
        }
        span = Timespan(10**18, 10**18 + 10**9)
        corners = [[(10.0, 0.0), (10.1, 0.0), (10.1, 0.1), (10.0, 0.1)]]
        sky = region.decode(region.encode_quads(corners)[0])
        insert = butler.insert_dimension_data
        insert("day_obs", {"instrument": "LATISS", "id": 20210707})
        insert("group", {"instrument": "LATISS", "name": "g"})
        insert("exposure", {**shared, "id": 1, "group": "g", "obs_id": "e", "timespan": span})
        insert("visit", {**shared, "id": 1, "name": "v", "timespan": span, "region": sky})
        insert("visit_definition", {"instrument": "LATISS", "exposure": 1, "visit": 1})
        insert(
            "visit_detector_region",
            {"instrument": "LATISS", "visit": 1, "detector": 0, "region": sky},
        )
        pixel = int(region.htm7_envelope(sky)[0])
        detector = {"instrument": ["LATISS"], "detector": [0]}
        flat = {**detector, "physical_filter": [shared["physical_filter"]]}
        take_in(butler, stub, "raw", "raw", "Exposure", {**detector, "exposure": [1]})
        take_in(butler, stub, "gaia_dr2_20191105", "refcats", "SimpleCatalog", {"htm7": [pixel]})
        for name, columns in (("bias", detector), ("dark", detector), ("flat", flat)):
            take_in(butler, stub, name, "made", "ExposureF", columns, is_calibration=True)
            certify(butler, name)


def take_in(
    butler: Butler,
    stub: Path,
    name: str,
    run: str,
    storage_class: str,
    columns: dict[str, list[object]],
    *,
    is_calibration: bool = False,
) -> None:
    group = butler.dimensions.conform(columns)
    butler.register_dataset_type(DatasetType(name, group, storage_class, is_calibration))
    ingest_files(butler.repository, IngestRequest(name, run, [stub], columns, TransferMode.DIRECT))


def certify(butler: Butler, name: str) -> None:
    butler.collections.register("calib", CollectionType.CALIBRATION)
    registry = butler.repository.registry
    collection = registry.collections.get("calib")
    for registered, keys in butler.keys_by_type(butler.query_datasets(name, "made")):
        registry.memberships.certify(registered, collection, keys, Timespan.unbounded())


def test_a_graph_with_quanta_is_built_without_science_libraries(tmp_path: Path) -> None:
    fill(tmp_path / "repo")

    result = subprocess.run(
        [sys.executable, "-c", CODE, str(tmp_path / "repo")],
        capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert result.stderr == ""
    rows = [line.split() for line in result.stdout.splitlines()]
    quanta = {row[1]: row[0] for row in rows[2:-1]}
    assert quanta == {"isr": "1", "measure": "1", "calibrate": "1", "visit_summary": "1"}
    assert rows[-1] == ["[]"]
