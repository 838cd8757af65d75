"""Our export files are the peer's, and the peer's are ours."""

from __future__ import annotations

import json
import os
import subprocess
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from astropy.table import Table

from butler_core import Butler, CollectionType, DatasetType, Timespan
from butler_core.datastore.transfer_mode import TransferMode
from butler_core.repository.repository import Repository
from butler_core.transfer import ExportRequest, ImportRequest, export_repository, import_repository

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Exchange:
    """One world: ours, what the peer says of it, and the peer's own export of it."""

    butler: Butler
    facts: dict[str, Any]
    outgoing: Path


@pytest.fixture(scope="module")
def exchange(ours: Butler, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Exchange]:
    python = os.environ.get("BUTLER_PEER_PYTHON")
    assert python, "BUTLER_PEER_PYTHON names the Python of an environment with lsst-daf-butler"
    folder = tmp_path_factory.mktemp("exchange")
    with Butler.create(folder / "ours") as butler:
        fill(butler, ours)
        elements = [element.name for element in butler.dimensions.stored_elements]
        request = ExportRequest(
            folder / "ours_out", dataset_types=["*"], collections=["*"], elements=elements,
            transfer=TransferMode.COPY,
        )  # fmt: skip
        export_repository(butler.repository, request)
        done = subprocess.run(
            [
                python, str(HERE / "peer_exports.py"), str(folder / "ours_out"),
                str(folder / "theirs"), str(folder / "theirs_out"),
            ],
            check=False, capture_output=True, text=True,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        yield Exchange(butler, json.loads(done.stdout), folder / "theirs_out")


def fill(butler: Butler, ours: Butler) -> None:
    """Copy the small world's records and put datasets of several formats, tagged and certified."""
    records, registry = ours.repository.registry.records, butler.repository.registry
    for element in butler.dimensions.stored_elements:
        columns = records.fetch(element.name)
        if columns[element.key_columns[0]]:
            registry.records.insert(element.name, columns)
    for name, dimensions, storage_class in (
        ("metric", ("instrument", "visit", "detector"), "StructuredDataDict"),
        ("frame", ("instrument", "exposure"), "ArrowAstropy"),
        ("bias", ("instrument", "detector"), "StructuredDataDict"),
        ("number", (), "int"),
    ):
        butler.register_dataset_type(
            DatasetType.of(
                name, dimensions, storage_class, universe=butler.dimensions,
                is_calibration=name == "bias",
            )
        )  # fmt: skip
    visits = registry.records.fetch("visit", {"instrument": "CamA"})["id"][:3]
    for visit in visits:
        butler.put({"v": visit}, "metric", instrument="CamA", visit=visit, detector=1, run="run/1")
    exposure = registry.records.fetch("exposure", {"instrument": "CamA"})["id"][0]
    table = Table({"flux": [1.5, 2.5], "id": [1, 2]})
    butler.put(table, "frame", instrument="CamA", exposure=exposure, run="run/2")
    butler.put(42, "number", run="run/2")
    biases = [
        butler.put({"b": d}, "bias", instrument="CamA", detector=d, run="calib/1") for d in (0, 1)
    ]
    name_them(butler, biases)


def name_them(butler: Butler, biases: list[Any]) -> None:
    registry = butler.repository.registry
    butler.collections.register("calib", CollectionType.CALIBRATION, doc="Biases: 'both'")
    butler.collections.register("tag", CollectionType.TAGGED)
    butler.collections.register("chain", CollectionType.CHAINED)
    butler.collections.redefine_chain("chain", ["run/2", "calib", "run/1"])
    registered = registry.dataset_types.get("bias")
    keys = list(registry.datasets.keys_of(biases).values())
    calib, tag = registry.collections.get("calib"), registry.collections.get("tag")
    for span in (Timespan.from_times(None, "2024-01-11"), Timespan.from_times("2024-01-12", None)):
        registry.memberships.certify(registered, calib, keys, span)
    registry.memberships.associate(registered, tag, keys[:1])


def our_records(repository: Repository, element: str) -> list[dict[str, Any]]:
    columns = repository.registry.records.fetch(element)
    rows = zip(*columns.values(), strict=True)
    return [
        {
            name: value.hex() if isinstance(value, bytes) else value
            for name, value in zip(columns, row, strict=True)
        }
        for row in rows
    ]


def our_members(repository: Repository) -> tuple[set[Any], set[Any]]:
    """Return validity ranges and tags as the peer tells them."""
    registry = repository.registry
    ranges, tags = set(), set()
    runs = registry.collections.resolve(["*"], [CollectionType.RUN])
    ids = {
        key: str(uuid.UUID(bytes=id_))
        for run in runs
        for columns in registry.datasets.in_run(run).values()
        for key, id_ in zip(columns["dataset_key"], columns["id"], strict=True)
    }
    for collection in registry.collections.all():
        for registered in registry.dataset_types.all():
            found = registry.memberships.ranges(registered, collection)
            rows = zip(found["dataset_key"], found["begin_ns"], found["end_ns"], strict=True)
            ranges.update((collection.name, ids[key], *span) for key, *span in rows)
            for key in registry.memberships.tagged(registered, collection):
                tags.add((collection.name, ids[key]))
    return ranges, tags


def test_the_peer_sees_our_records(exchange: Exchange) -> None:
    for element in exchange.butler.dimensions.stored_elements:
        expected = our_records(exchange.butler.repository, element.name)
        theirs = exchange.facts["records"][element.name]
        key = element.key_columns
        assert sorted(theirs, key=lambda r: [r[k] for k in key]) == expected


def test_the_peer_sees_our_collections(exchange: Exchange) -> None:
    expected = {
        c.name: [c.type.name, c.doc, list(c.children)]
        for c in exchange.butler.repository.registry.collections.all()
    }
    assert exchange.facts["collections"] == expected


def test_the_peer_reads_our_datasets(exchange: Exchange) -> None:
    datasets = exchange.facts["datasets"]
    assert len(datasets) == 7
    for id_, (name, run, data_id, value) in datasets.items():
        ref = exchange.butler.get_dataset(id_)
        assert ref is not None
        assert (ref.dataset_type.name, ref.run, dict(ref.data_id.required)) == (name, run, data_id)
        mine = exchange.butler.get(ref)
        if isinstance(mine, Table):
            mine = [list(row) for row in mine.as_array().tolist()]
        assert mine == value


def test_the_peer_sees_our_tags_and_validity_ranges(exchange: Exchange) -> None:
    ranges, tags = our_members(exchange.butler.repository)

    assert {tuple(entry) for entry in exchange.facts["ranges"]} == ranges
    assert {tuple(entry) for entry in exchange.facts["tags"]} == tags


def test_we_import_what_the_peer_exports(exchange: Exchange, tmp_path: Path) -> None:
    with Butler.create(tmp_path / "back") as back:
        request = ImportRequest(exchange.outgoing, mode=TransferMode.COPY)
        summary = import_repository(back.repository, request)

        assert summary.datasets == summary.files == 7
        for element in back.dimensions.stored_elements:
            expected = our_records(exchange.butler.repository, element.name)
            assert our_records(back.repository, element.name) == expected
        assert our_members(back.repository) == our_members(exchange.butler.repository)
        mine, original = (b.repository.registry.collections.all() for b in (back, exchange.butler))
        assert [(c.name, c.type, c.doc, c.children) for c in mine] == [
            (c.name, c.type, c.doc, c.children) for c in original
        ]
        for id_ in exchange.facts["datasets"]:
            values = [b.get(b.get_dataset(id_)) for b in (back, exchange.butler)]
            if isinstance(values[0], Table):
                values = [value.as_array().tolist() for value in values]
            assert values[0] == values[1]
