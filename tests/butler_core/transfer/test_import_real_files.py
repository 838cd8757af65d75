"""Real export files: everything in them is in the repository afterwards."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Any

import pytest
import yaml
from astropy.time import Time

from butler_core import Butler
from butler_core.datasets.collection import CollectionType
from butler_core.datastore.transfer_mode import TransferMode
from butler_core.errors import ExportFileError
from butler_core.repository.repository import Repository
from butler_core.tai import MAX_NS, MIN_NS, times_to_ns
from butler_core.transfer import ImportRequest, ImportSummary, import_repository

SETS = {
    "base": ["exports/base.yaml"],
    "datasets": ["exports/base.yaml", "exports/datasets.yaml"],
    "spatial": ["exports/base.yaml", "exports/spatial.yaml"],
    "ci_hsc-subset": ["exports/ci_hsc-subset-skymap.yaml", "exports/ci_hsc-subset.yaml"],
    "pipelines_check": ["exports/pipelines_check/export.yaml"],
    "imsim_dc2": ["repositories/imsim_dc2/export.yaml"],
}


class PlainLoader(yaml.SafeLoader):
    """PyYAML's own loader, with the tags of export files.

    lsst.sphgeom adds constructors of its own to the base class when it is
    imported; these go without.
    """

    yaml_constructors = {
        tag: constructor
        for tag, constructor in yaml.SafeLoader.yaml_constructors.items()
        if not str(tag).startswith("lsst.")
    }


PlainLoader.add_constructor("!uuid", lambda _, node: uuid.UUID(node.value))
PlainLoader.add_constructor("!butler_time/tai/iso", lambda _, node: tai_ns(node.value))
PlainLoader.add_constructor(
    "!lsst.daf.butler.Timespan", lambda loader, node: loader.construct_mapping(node)
)
PlainLoader.add_multi_constructor(
    "lsst.sphgeom.",
    lambda loader, _, node: bytes.fromhex(loader.construct_mapping(node)["encoded"]),
)


def tai_ns(text: str) -> int:
    return int(times_to_ns(Time(text, format="iso", scale="tai")))


def sections(path: Path, kind: str) -> list[dict[str, Any]]:
    with path.open() as stream:
        data = yaml.load(stream, Loader=PlainLoader)["data"]
    return [section for section in data if section["type"] == kind]


def import_one(repository: Repository, path: Path, **more: Any) -> ImportSummary:
    request = ImportRequest(directory=None, filename=path, registry_only=True, **more)
    return import_repository(repository, request)


@pytest.fixture(params=list(SETS))
def imported(
    request: pytest.FixtureRequest, repository: Repository, test_data: Path
) -> tuple[Repository, list[Path], list[ImportSummary]]:
    paths = [test_data / name for name in SETS[request.param]]
    return repository, paths, [import_one(repository, path) for path in paths]


def test_every_record_and_region_is_there(imported: Any, records: Any) -> None:
    repository, paths, summaries = imported
    for path, summary in zip(paths, summaries, strict=True):
        for section in sections(path, "dimension"):
            element = repository.registry.universe[section["element"]]
            stored = {
                tuple(row[c] for c in element.key_columns): row for row in records(element.name)
            }
            assert summary.records[element.name] == len(section["records"])
            for expected in section["records"]:
                row = stored[tuple(expected[c] for c in element.key_columns)]
                if "datetime_begin" in expected:
                    expected["begin_ns"] = expected.pop("datetime_begin")
                    expected["end_ns"] = expected.pop("datetime_end")
                assert {name: row[name] for name in expected} == expected


def test_every_collection_and_chain_is_there(imported: Any) -> None:
    repository, paths, _ = imported
    stored = {c.name: c for c in repository.registry.collections.all()}
    for path in paths:
        for section in sections(path, "run"):
            assert stored[section["name"]].type is CollectionType.RUN
        for section in sections(path, "collection"):
            found = stored[section["name"]]
            assert found.type.name == section["collection_type"]
            assert list(found.children) == section.get("children", [])


def test_every_dataset_is_there(imported: Any) -> None:
    repository, paths, summaries = imported
    for path, summary in zip(paths, summaries, strict=True):
        count = 0
        for section in sections(path, "dataset"):
            registered = repository.registry.dataset_types.get(section["dataset_type"])
            run = repository.registry.collections.get(section["run"])
            columns = repository.registry.datasets.in_run(run)[section["dataset_type"]]
            names = registered.dataset_type.dimensions.required
            rows = zip(columns["id"], *(columns[n] for n in names), strict=True)
            stored = {tuple(values): id_ for id_, *values in rows}
            for record in section["records"]:
                data_ids, ids = record["data_id"], record["dataset_id"]
                data_ids = data_ids if isinstance(data_ids, list) else [data_ids]
                ids = ids if isinstance(ids, list) else [ids]
                for data_id, id_ in zip(data_ids, ids, strict=True):
                    found = stored[tuple(data_id[n] for n in names)]
                    assert isinstance(id_, int) or found == id_.bytes
                    count += 1
        assert summary.datasets == count
        assert summary.files == 0


def test_every_dataset_type_is_there(imported: Any) -> None:
    repository, paths, summaries = imported
    for path, summary in zip(paths, summaries, strict=True):
        defined = sections(path, "dataset_type")
        assert summary.dataset_types == len(defined)
        for section in defined:
            found = repository.registry.dataset_types.get(section["name"]).dataset_type
            assert set(section["dimensions"]) <= set(found.dimensions.names)
            assert found.storage_class == section["storage_class"]
            assert found.is_calibration == section.get("is_calibration", False)


def test_every_validity_range_is_there(imported: Any) -> None:
    repository, paths, summaries = imported
    registry = repository.registry
    for path, summary in zip(paths, summaries, strict=True):
        count = 0
        ids = {
            id_: (section["dataset_type"], section["run"], record["data_id"][0])
            for section in sections(path, "dataset")
            for record in section["records"]
            for id_ in (record["dataset_id"] if isinstance(record["dataset_id"], list) else ())
        }
        for section in sections(path, "associations"):
            collection = registry.collections.get(section["collection"])
            for entry in section["validity_ranges"]:
                span = entry.get("timespan", entry)
                ends = (span["begin"], span["end"])
                expected = (MIN_NS if ends[0] is None else ends[0], ends[1] or MAX_NS)
                for id_ in entry["dataset_ids"]:
                    name, _, data_id = ids[id_]
                    registered = registry.dataset_types.get(name)
                    found = registry.memberships.ranges(registered, collection)
                    names = registered.dataset_type.dimensions.required
                    rows = zip(
                        found["begin_ns"],
                        found["end_ns"],
                        *(found[n] for n in names),
                        strict=True,
                    )
                    assert (*expected, *(data_id[n] for n in names)) in set(rows)
                    count += 1
        assert summary.associations == count


def test_importing_again_changes_nothing(imported: Any) -> None:
    repository, paths, _ = imported

    for path in paths:
        again = import_one(repository, path)

        assert sum(again.records.values()) == 0
        counts = (again.collections, again.dataset_types, again.datasets, again.associations)
        assert counts == (0, 0, 0, 0)


def test_placeholders_need_no_option(repository: Repository, test_data: Path) -> None:
    for name in ("base", "datasets", "spatial", "ci_hsc-subset"):
        path = test_data / "exports" / f"{name}.yaml"

        summary = import_repository(repository, ImportRequest(directory=None, filename=path))

        assert summary.files == 0


def test_absent_files_are_listed(repository: Repository, test_data: Path) -> None:
    folder = test_data / "exports" / "pipelines_check"

    with pytest.raises(ExportFileError, match=r"14 of the 14 files") as caught:
        import_repository(repository, ImportRequest(directory=folder))

    assert "bias_10_HSC_HSC_calib_gen2_2013-11-03.fits" in str(caught.value)
    assert repository.registry.collections.all() == []


def test_files_that_are_there_are_copied_and_read(repository: Repository, test_data: Path) -> None:
    folder = test_data / "repositories" / "imsim_dc2"
    request = ImportRequest(directory=folder, mode=TransferMode.COPY, allow_missing_files=True)

    summary = import_repository(repository, request)

    assert summary.files == len(list(folder.rglob("*.parq")))
    butler = Butler(repository, collections="dia_catalogs")
    (ref,) = butler.query_datasets("preloaded_dia_object", where="group = '982985'")
    table = butler.get(ref)
    assert len(table) == 119
    assert "diaObjectId" in table.colnames
