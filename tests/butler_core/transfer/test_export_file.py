from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from butler_core import Butler, CollectionType, DatasetType, Timespan
from butler_core.datastore.transfer_mode import TransferMode
from butler_core.errors import (
    CollectionTypeError,
    DatasetNotFoundError,
    ExportFileError,
    TransferError,
    UnknownCollectionError,
)
from butler_core.repository.repository import Repository
from butler_core.transfer import (
    ExportRequest,
    ImportRequest,
    export_calibs,
    export_repository,
    import_repository,
)
from butler_core.transfer.formatter_names import exported_formatter
from butler_core.transfer.yaml_reader import read_yaml

YAML = "lsst.daf.butler.formatters.yaml.YamlFormatter"


@pytest.fixture
def source(records_root: Path, tmp_path: Path, registries: Any) -> Iterator[Butler]:
    """Return a butler of the small world with a few datasets that have files."""
    registries.copy(records_root, tmp_path / "source")
    with Butler(tmp_path / "source", writeable=True, run="run/1") as butler:
        for name, dimensions, is_calibration in (
            ("metric", ("instrument", "visit", "detector"), False),
            ("bias", ("instrument", "detector"), True),
            ("summary", (), False),
        ):
            butler.register_dataset_type(
                DatasetType.of(
                    name, dimensions, "StructuredDataDict", universe=butler.dimensions,
                    is_calibration=is_calibration,
                )
            )  # fmt: skip
        for visit in visits(butler)[:3]:
            butler.put({"v": visit}, "metric", instrument="CamA", visit=visit, detector=1)
        biases = [
            butler.put({"b": d}, "bias", instrument="CamA", detector=d, run="calib/1")
            for d in (0, 1)
        ]
        butler.put({"all": 1}, "summary")
        certify(butler, biases)
        yield butler


def visits(butler: Butler) -> list[int]:
    columns = butler.repository.registry.records.fetch("visit", {"instrument": "CamA"})
    return columns["id"]


def certify(butler: Butler, biases: list[Any]) -> None:
    registry = butler.repository.registry
    butler.collections.register("calib", CollectionType.CALIBRATION, doc="Biases: 'all' of them\n")
    butler.collections.register("tag", CollectionType.TAGGED)
    butler.collections.register("inner", CollectionType.CHAINED)
    butler.collections.register("outer", CollectionType.CHAINED)
    butler.collections.redefine_chain("inner", ["calib"])
    butler.collections.redefine_chain("outer", ["run/1", "inner"])
    registered = registry.dataset_types.get("bias")
    keys = list(registry.datasets.keys_of(biases).values())
    spans = (Timespan.from_times(None, "2024-01-11"), Timespan.from_times("2024-01-11", None))
    for span in spans:
        collection = registry.collections.get("calib")
        registry.memberships.certify(registered, collection, keys, span)
    registry.memberships.associate(registered, registry.collections.get("tag"), keys[:1])


def everything(repository: Repository) -> dict[str, Any]:
    """Return all that a repository holds, but for its keys."""
    registry = repository.registry
    found: dict[str, Any] = {
        element.name: registry.records.fetch(element.name)
        for element in registry.universe.stored_elements
    }
    collections = registry.collections.all()
    found["collections"] = [(c.name, c.type, c.doc, c.children) for c in collections]
    used = {name for c in collections for name in registry.datasets.in_run(c)}
    found["types"] = [registry.dataset_types.get(name).dataset_type for name in sorted(used)]
    for collection in collections:
        for name, columns in registry.datasets.in_run(collection).items():
            files = registry.files.find(columns.pop("dataset_key"))
            found[collection.name, name] = sorted(zip(*columns.values(), strict=True)), len(files)
        for name in used:
            registered = registry.dataset_types.get(name)
            ranges = registry.memberships.ranges(registered, collection)
            ranges.pop("dataset_key")
            tagged = len(registry.memberships.tagged(registered, collection))
            found[collection.name, name, "members"] = ranges, tagged
    return found


def read_export(folder: Path) -> dict[str, Any]:
    document = read_yaml((folder / "export.yaml").read_text())
    assert document.faults == []
    return document.value


# ---------------------------------------------------------------- round trip
def test_all_of_the_small_world_survives_the_way_to_another_repository(
    filled: Butler, repository: Repository, tmp_path: Path
) -> None:
    elements = [element.name for element in filled.dimensions.stored_elements]
    request = ExportRequest(tmp_path, dataset_types=["*"], collections=["*"], elements=elements)

    exported = export_repository(filled.repository, request)
    imported = import_repository(repository, ImportRequest(tmp_path))

    assert everything(repository) == everything(filled.repository)
    assert exported.associations == imported.associations
    assert exported.datasets == imported.datasets > 100
    assert exported.collections == imported.collections


@pytest.mark.parametrize("mode", ["copy", "hardlink", "symlink", "relsymlink", "auto", "direct"])
def test_files_travel_with_their_datasets(
    source: Butler, repository: Repository, tmp_path: Path, mode: str
) -> None:
    folder = tmp_path / "out"
    request = ExportRequest(
        folder, dataset_types=["*"], collections=["run/1"], transfer=TransferMode(mode)
    )

    exported = export_repository(source.repository, request)
    imported = import_repository(repository, ImportRequest(folder, mode=TransferMode.COPY))

    assert exported.files == imported.files == imported.datasets == 4
    butler = Butler(repository, collections="run/1")
    visit = visits(source)[0]
    assert butler.get("metric", instrument="CamA", visit=visit, detector=1) == {"v": visit}
    assert butler.get("summary") == {"all": 1}


def test_without_a_transfer_paths_are_the_repositorys(
    source: Butler, repository: Repository, tmp_path: Path
) -> None:
    request = ExportRequest(
        tmp_path, Path("there.yaml"), dataset_types=["summary"], collections=["run/1"]
    )

    summary = export_repository(source.repository, request)

    assert summary.path == tmp_path / "there.yaml"
    imported = import_repository(
        repository, ImportRequest(source.repository.root, filename=summary.path)
    )
    assert imported.files == 1


def test_single_datasets_bring_the_records_they_refer_to(source: Butler, tmp_path: Path) -> None:
    (ref, *_) = source.query_datasets("metric", "run/1")
    visit = ref.data_id["visit"]

    summary = export_repository(source.repository, ExportRequest(tmp_path, refs=[ref]))

    sections = read_export(tmp_path)["data"]
    records = {s["element"]: s["records"] for s in sections if s["type"] == "dimension"}
    assert [r["id"] for r in records["visit"]] == [visit]
    assert {r["visit"] for r in records["visit_detector_region"]} == {visit}
    assert {r["visit"] for r in records["visit_definition"]} == {visit}
    exposures = {r["exposure"] for r in records["visit_definition"]}
    assert {r["id"] for r in records["exposure"]} == exposures
    assert {r["name"] for r in records["instrument"]} == {"CamA"}
    assert summary.datasets == 1
    assert [s["name"] for s in sections if s["type"] == "collection"] == ["run/1"]


def test_an_export_file_has_the_peers_form(source: Butler, tmp_path: Path) -> None:
    request = ExportRequest(
        tmp_path, dataset_types=["bias"], collections=["outer"], transfer=TransferMode.COPY
    )

    export_repository(source.repository, request)

    document = read_export(tmp_path)
    assert list(document) == [
        "description", "version", "universe_version", "universe_namespace", "data"
    ]  # fmt: skip
    assert (document["version"], document["universe_version"]) == ("1.0.2", 8)
    collections = [s["name"] for s in document["data"] if s["type"] == "collection"]
    assert collections == ["calib", "calib/1", "run/1", "inner", "outer"]
    (datasets,) = [s for s in document["data"] if s["type"] == "dataset"]
    assert {record["formatter"] for record in datasets["records"]} == {YAML}
    assert all((tmp_path / record["path"]).is_file() for record in datasets["records"])
    (ranges,) = [s for s in document["data"] if s["type"] == "associations"]
    assert [len(entry["dataset_ids"]) for entry in ranges["validity_ranges"]] == [2, 2]


def test_the_same_export_is_the_same_text(source: Butler, tmp_path: Path) -> None:
    texts = []
    for name in ("a", "b"):
        request = ExportRequest(tmp_path / name, dataset_types=["*"], collections=["*"])
        export_repository(source.repository, request)
        texts.append((tmp_path / name / "export.yaml").read_text())

    assert texts[0] == texts[1]


def test_files_from_outside_the_repository_get_a_path_in_the_folder(
    source: Butler, tmp_path: Path
) -> None:
    from butler_core.repository.ingest import IngestRequest, ingest_files

    (tmp_path / "outside.yaml").write_text("b: 9\n")
    ingest_files(
        source.repository,
        IngestRequest(
            "bias", "calib/2", [tmp_path / "outside.yaml"],
            {"instrument": ["CamA"], "detector": [2]}, TransferMode.DIRECT,
        ),
    )  # fmt: skip
    request = ExportRequest(
        tmp_path / "out", dataset_types=["bias"], collections=["calib/2"],
        transfer=TransferMode.COPY,
    )  # fmt: skip

    export_repository(source.repository, request)

    (datasets,) = [s for s in read_export(tmp_path / "out")["data"] if s["type"] == "dataset"]
    path = datasets["records"][0]["path"]
    assert path.startswith("calib/2/bias/")
    assert (tmp_path / "out" / path).read_text() == "b: 9\n"


# -------------------------------------------------------------------- faults
def test_an_export_into_the_repository_spoils_no_file(source: Butler) -> None:
    root = source.repository.root
    request = ExportRequest(
        root, dataset_types=["*"], collections=["run/1"], transfer=TransferMode.SYMLINK
    )

    export_repository(source.repository, request)

    assert source.get("summary", collections="run/1") == {"all": 1}
    assert not any(path.is_symlink() for path in root.rglob("*"))


def test_files_are_not_moved_out(source: Butler, tmp_path: Path) -> None:
    request = ExportRequest(tmp_path / "out", transfer=TransferMode.MOVE)

    with pytest.raises(TransferError, match="cannot be moved out"):
        export_repository(source.repository, request)


def test_a_failed_export_leaves_nothing(source: Butler, tmp_path: Path) -> None:
    (ref,) = source.query_datasets("summary", "run/1")
    Path(source.get_uri(ref).removeprefix("file://")).unlink()
    request = ExportRequest(
        tmp_path / "out", dataset_types=["*"], collections=["run/1"], transfer=TransferMode.COPY
    )

    with pytest.raises(TransferError, match="summary"):
        export_repository(source.repository, request)

    assert not [path for path in (tmp_path / "out").rglob("*") if path.is_file()]


def test_what_does_not_exist_is_not_exported(
    source: Butler, filled: Butler, tmp_path: Path
) -> None:
    (name, *_) = [t[0].partition(".")[0] for t in _types(filled)]
    foreign = next(iter(filled.query_datasets(name, "*", find_first=False)))

    with pytest.raises(DatasetNotFoundError, match="1 of 1 datasets to export do not exist"):
        export_repository(source.repository, ExportRequest(tmp_path, refs=[foreign]))
    with pytest.raises(UnknownCollectionError):
        export_repository(source.repository, ExportRequest(tmp_path, collections=["nowhere"]))


def _types(butler: Butler) -> list[tuple[str, ...]]:
    found = butler.repository.registry.dataset_types.all()
    return [(t.dataset_type.name,) for t in found if t.dataset_type.dimensions.required]


@pytest.mark.parametrize(
    ("ours", "storage_class", "theirs"),
    [
        ("yaml.YamlFormatter", "StructuredDataDict", YAML),
        ("yaml.YamlFormatter", "Packages", "lsst.daf.butler.formatters.packages.PackagesFormatter"),
        ("yaml.YamlFormatter", "Config", "butler_core.formatters.yaml.YamlFormatter"),
        ("raw.RawFormatter", "Exposure", "butler_core.formatters.raw.RawFormatter"),
        (
            "fits_image.FitsImageFormatter",
            "MaskedImageF",
            "lsst.obs.base.formatters.fitsExposure.FitsMaskedImageFormatter",
        ),
    ],
)
def test_formatters_go_by_the_peers_names(ours: str, storage_class: str, theirs: str) -> None:
    assert exported_formatter(f"butler_core.formatters.{ours}", storage_class) == theirs


def test_formatters_named_by_the_peer_keep_their_names() -> None:
    assert exported_formatter("lsst.obs.x.Raw", "Exposure") == "lsst.obs.x.Raw"


# -------------------------------------------------------------- calibrations
def test_calibrations_travel_with_their_validity(
    source: Butler, repository: Repository, tmp_path: Path
) -> None:
    folder = tmp_path / "calibs"

    export = export_calibs(source.repository, folder, ["outer"], transfer=TransferMode.COPY)
    imported = import_repository(repository, ImportRequest(folder, mode=TransferMode.COPY))

    assert export.summary.datasets == imported.datasets == imported.files == 2
    assert export.summary.associations == imported.associations == 4
    assert export.columns == {
        "dataset_type": ["bias"] * 2,
        "run": ["calib/1"] * 2,
        "instrument": ["CamA"] * 2,
        "detector": [0, 1],
    }
    butler = Butler(repository, collections="outer")
    assert butler.get("bias", instrument="CamA", detector=1, timespan=Timespan(5, 6)) == {"b": 1}
    assert repository.registry.collections.get("calib").doc == "Biases: 'all' of them\n"


def test_all_calibrations_are_exported_if_none_is_named(source: Butler, tmp_path: Path) -> None:
    export = export_calibs(source.repository, tmp_path / "calibs", transfer=None)

    assert export.summary.datasets == 2
    assert export_calibs(
        source.repository, tmp_path / "none", ["calib"], dataset_types=["d*"]
    ).columns == {"dataset_type": [], "run": []}


def test_calibrations_need_a_new_folder_and_a_calibration_collection(
    source: Butler, tmp_path: Path
) -> None:
    with pytest.raises(ExportFileError, match="there is something already"):
        export_calibs(source.repository, tmp_path, ["calib"])
    with pytest.raises(CollectionTypeError, match="'run/1' is a CALIBRATION collection"):
        export_calibs(source.repository, tmp_path / "new", ["run/1"])
    assert not (tmp_path / "new").exists()
