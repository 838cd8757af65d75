from __future__ import annotations

import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from butler_core import Butler
from butler_core.datastore.transfer_mode import TransferMode
from butler_core.errors import (
    CollectionTypeError,
    DatasetExistsError,
    DatasetTypeConflictError,
    ExportFileError,
    MissingRecordError,
    ReadOnlyRepositoryError,
    UnknownDimensionError,
    ValidityConflictError,
)
from butler_core.repository.repository import Repository
from butler_core.transfer import ImportRequest, ImportSummary, import_repository

Importer = Callable[..., ImportSummary]

HEAD = "description: Butler Data Repository Export\nversion: 1.0.2\nuniverse_version: 7\ndata:\n"
CAMERA = """\
- {type: dimension, element: instrument, records: [{name: C, class_name: no.C}]}
- type: dimension
  element: detector
  records:
  - {instrument: C, id: 1, full_name: A}
  - {instrument: C, id: 2, full_name: B}
"""
TYPE = """\
- {type: dataset_type, name: gain, dimensions: [instrument, detector],
   storage_class: StructuredDataDict, is_calibration: true}
- {type: collection, collection_type: RUN, name: run, host: null, timespan_begin: null,
   timespan_end: null}
"""
IDS = [uuid.UUID(int=i + 1, version=4) for i in range(4)]


def datasets(*entries: tuple[object, int, str], run: str = "run", formatter: bool = True) -> str:
    """Return a section of datasets: id, detector and path of each."""
    lines = [f"- type: dataset\n  dataset_type: gain\n  run: {run}\n  records:\n"]
    for id_, detector, path in entries:
        tagged = f"!uuid '{id_}'" if isinstance(id_, uuid.UUID) else str(id_)
        lines.append(
            f"  - dataset_id:\n    - {tagged}\n"
            f"    data_id:\n    - instrument: C\n      detector: {detector}\n    path: {path}\n"
        )
        if formatter:
            lines.append("    formatter: lsst.daf.butler.formatters.yaml.YamlFormatter\n")
    return "".join(lines)


def whole(*sections: str) -> str:
    return HEAD + CAMERA + TYPE + "".join(sections)


@pytest.fixture
def incoming(tmp_path: Path, import_text: Importer) -> Path:
    """Return the folder that files are imported from, with two files in it."""
    folder = tmp_path / "incoming"
    (folder / "a.yaml").write_text("gain: 1.5\n")
    (folder / "b.yaml").write_text("gain: 2.5\n")
    return folder


def count_of(repository: Repository, name: str = "run") -> int:
    run = repository.registry.collections.get(name)
    found = repository.registry.datasets.in_run(run)
    return sum(len(columns["id"]) for columns in found.values())


# --------------------------------------------------------------------- files
@pytest.mark.parametrize("mode", ["copy", "move", "link", "hardlink", "symlink", "direct", "auto"])
def test_files_come_in_by_every_mode(
    repository: Repository, import_text: Importer, incoming: Path, mode: str
) -> None:
    text = whole(datasets((IDS[0], 1, "a.yaml"), (IDS[1], 2, str(incoming / "b.yaml"))))

    summary = import_text(text, mode=TransferMode(mode))

    assert summary.datasets == summary.files == 2
    assert (incoming / "a.yaml").exists() == (mode != "move")
    butler = Butler(repository, collections="run")
    assert butler.get("gain", instrument="C", detector=1) == {"gain": 1.5}
    assert butler.get("gain", instrument="C", detector=2) == {"gain": 2.5}
    assert butler.get_dataset(IDS[0]) == butler.find_dataset("gain", instrument="C", detector=1)


def test_sizes_are_recorded_unless_not_wanted(
    repository: Repository, import_text: Importer, incoming: Path
) -> None:
    import_text(whole(datasets((IDS[0], 1, "a.yaml"))), track_file_attrs=False)
    import_text(whole(datasets((IDS[1], 2, "b.yaml"))))

    stored = repository.registry.datasets.find_ids([i.bytes for i in IDS[:2]])
    sizes = [repository.registry.files.get(stored[i.bytes][1]).size for i in IDS[:2]]
    assert sizes == [None, 10]


def test_file_without_a_formatter_is_read_by_the_types_own(
    repository: Repository, import_text: Importer, incoming: Path
) -> None:
    import_text(whole(datasets((IDS[0], 1, "a.yaml"), formatter=False)))

    butler = Butler(repository, collections="run")
    assert butler.get("gain", instrument="C", detector=1) == {"gain": 1.5}


def test_one_file_may_hold_several_datasets(
    repository: Repository, import_text: Importer, incoming: Path
) -> None:
    record = (
        f"  - dataset_id: [!uuid '{IDS[0]}', !uuid '{IDS[1]}']\n"
        "    data_id: [{instrument: C, detector: 1}, {instrument: C, detector: 2}]\n"
        "    path: a.yaml\n    formatter: lsst.daf.butler.formatters.yaml.YamlFormatter\n"
    )
    # The peer lists such a record once for each of its datasets.
    text = whole("- type: dataset\n  dataset_type: gain\n  run: run\n  records:\n", record, record)

    summary = import_text(text)

    assert summary.datasets == 2
    butler = Butler(repository, collections="run")
    uris = {butler.get_uri("gain", instrument="C", detector=d) for d in (1, 2)}
    assert len(uris) == 1


def test_absent_files_are_all_told_and_nothing_is_imported(
    repository: Repository, import_text: Importer, incoming: Path
) -> None:
    text = whole(datasets((IDS[0], 1, "a.yaml"), (IDS[1], 2, "gone.yaml")))

    with pytest.raises(ExportFileError, match="1 of the 2 files") as caught:
        import_text(text)

    assert str(incoming / "gone.yaml") in str(caught.value)
    assert repository.registry.collections.all() == []
    assert (incoming / "a.yaml").exists()


def test_absent_files_may_be_left_out(
    repository: Repository, import_text: Importer, incoming: Path
) -> None:
    text = whole(datasets((IDS[0], 1, "a.yaml"), (IDS[1], 2, "gone.yaml")))

    summary = import_text(text, allow_missing_files=True)

    assert (summary.datasets, summary.files) == (2, 1)


def test_paths_without_formatters_of_which_some_exist_are_files(
    import_text: Importer, incoming: Path
) -> None:
    text = whole(datasets((IDS[0], 1, "a.yaml"), (IDS[1], 2, "gone.yaml"), formatter=False))

    with pytest.raises(ExportFileError, match="1 of the 2 files"):
        import_text(text)


def test_export_file_is_found_by_itself_or_in_the_directory(
    repository: Repository, tmp_path: Path
) -> None:
    (tmp_path / "files").mkdir()
    (tmp_path / "other.yaml").write_text(HEAD + CAMERA)

    request = ImportRequest(directory=tmp_path / "files", filename=tmp_path / "other.yaml")
    assert import_repository(repository, request).records["detector"] == 2
    with pytest.raises(ExportFileError, match=r"no export file 'export.yaml', nor '.*files"):
        import_repository(repository, ImportRequest(directory=tmp_path / "files"))


# --------------------------------------------------------------- all or none
def test_a_failure_leaves_neither_rows_nor_files(
    repository: Repository, import_text: Importer, incoming: Path
) -> None:
    text = whole(datasets((IDS[0], 1, "a.yaml"), (IDS[1], 9, "b.yaml")))

    with pytest.raises(MissingRecordError, match="detector"):
        import_text(text, mode=TransferMode.MOVE)

    assert (incoming / "a.yaml").exists()
    assert (incoming / "b.yaml").exists()
    assert repository.registry.collections.all() == []
    assert repository.registry.records.fetch("instrument")["name"] == []
    assert [path.name for path in repository.root.rglob("*.yaml")] == ["butler.yaml"]


def test_after_a_failure_the_same_repository_can_import(
    repository: Repository, import_text: Importer, incoming: Path
) -> None:
    other = TYPE.replace("gain", "level").replace("detector]", "exposure]")
    with pytest.raises(MissingRecordError):
        import_text(HEAD + CAMERA + other + TYPE + datasets((IDS[1], 9, "b.yaml")))

    import_text(whole(datasets((IDS[0], 1, "a.yaml"))))

    assert count_of(repository) == 1


def test_a_repository_open_for_reading_is_not_changed(
    repository: Repository, import_text: Importer, tmp_path: Path
) -> None:
    reader = Repository.open(repository.root)

    with pytest.raises(ReadOnlyRepositoryError):
        import_repository(reader, ImportRequest(directory=tmp_path))
    reader.close()


# --------------------------------------------------------------------- again
def test_importing_again_skips_what_is_there(
    repository: Repository, import_text: Importer, incoming: Path
) -> None:
    tags = "- {type: associations, collection: tag, collection_type: TAGGED, dataset_ids: [%s]}\n"
    text = whole(datasets((IDS[0], 1, "a.yaml"), (IDS[1], 2, "b.yaml")), tags % f"!uuid '{IDS[0]}'")
    first = import_text(text, mode=TransferMode.COPY)

    again = import_text(text, mode=TransferMode.COPY)

    assert (first.datasets, first.files, first.associations, first.collections) == (2, 2, 1, 2)
    assert again == ImportSummary({"instrument": 0, "detector": 0})


def test_records_that_are_there_stay_as_they_are(
    repository: Repository, import_text: Importer, records: Any
) -> None:
    import_text(HEAD + CAMERA)
    import_text(HEAD + CAMERA.replace("class_name: no.C", "class_name: other.C"))

    assert [row["class_name"] for row in records("instrument")] == ["no.C"]


def test_integer_ids_are_the_same_in_every_repository(
    repository: Repository, import_text: Importer, tmp_path: Path
) -> None:
    ranges = (
        "- {type: associations, collection: calib, collection_type: CALIBRATION, validity_ranges: "
        "[{begin: null, end: null, dataset_ids: [17, 18]}]}\n"
    )
    text = whole(datasets((17, 1, "a"), (18, 2, "b")), ranges).replace("1.0.2", "1.0.0")
    first = import_text(text, registry_only=True)
    other = Repository.create(tmp_path / "other")
    import_repository(other, ImportRequest(directory=tmp_path / "incoming", registry_only=True))

    found = [
        r.registry.datasets.in_run(r.registry.collections.get("run"))["gain"]["id"]
        for r in (repository, other)
    ]

    assert first.associations == 2
    assert found[0] == found[1]
    assert import_text(text, registry_only=True).datasets == 0
    other.close()


def test_a_newer_chain_replaces_the_older(repository: Repository, import_text: Importer) -> None:
    runs = "- {type: run, name: a}\n- {type: run, name: b}\n"
    chain = "- {type: collection, collection_type: CHAINED, name: c, children: [%s]}\n"
    import_text(HEAD + runs + chain % "a")
    # The first exports had children with a restriction.
    import_text(HEAD + runs + chain % "[b, null], a")

    assert repository.registry.collections.get("c").children == ("b", "a")


# ----------------------------------------------------------------- conflicts
def test_an_id_that_another_dataset_has_is_a_conflict(
    repository: Repository, import_text: Importer
) -> None:
    import_text(whole(datasets((IDS[0], 1, "a"))), registry_only=True)

    with pytest.raises(DatasetExistsError, match=f"{IDS[0]} is gain.*'detector': 2"):
        import_text(whole(datasets((IDS[0], 2, "a"))), registry_only=True)


def test_a_data_id_that_the_run_holds_is_a_conflict(
    repository: Repository, import_text: Importer
) -> None:
    import_text(whole(datasets((IDS[0], 1, "a"))), registry_only=True)

    with pytest.raises(DatasetExistsError, match="holds 'gain'"):
        import_text(whole(datasets((IDS[1], 1, "a"))), registry_only=True)


def test_other_definitions_are_conflicts(repository: Repository, import_text: Importer) -> None:
    import_text(whole())

    with pytest.raises(DatasetTypeConflictError, match="'gain' is registered as"):
        import_text(whole().replace("StructuredDataDict", "DataFrame"))
    with pytest.raises(CollectionTypeError, match="'run' exists as RUN"):
        import_text(HEAD + "- {type: collection, collection_type: TAGGED, name: run}\n")


def test_overlapping_validity_is_a_conflict(repository: Repository, import_text: Importer) -> None:
    ranges = (
        "- {type: associations, collection: calib, collection_type: CALIBRATION, validity_ranges: "
        "[{timespan: {begin: null, end: '2024-01-01'}, dataset_ids: [%s]}]}\n"
    )
    import_text(whole(datasets((IDS[0], 1, "a")), ranges % f"!uuid '{IDS[0]}'"), registry_only=True)

    second = datasets((IDS[1], 1, "a"), run="second")
    with pytest.raises(ValidityConflictError, match="overlaps"):
        import_text(whole(second, ranges % f"!uuid '{IDS[1]}'"), registry_only=True)


def test_skipped_elements_must_be_there(repository: Repository, import_text: Importer) -> None:
    with pytest.raises(MissingRecordError, match="instrument"):
        import_text(whole(), skip_dimensions=frozenset({"instrument"}))

    import_text(HEAD + CAMERA.splitlines()[0] + "\n")
    summary = import_text(whole(), skip_dimensions=frozenset({"instrument"}))

    assert summary.records == {"detector": 2}
    with pytest.raises(UnknownDimensionError, match="Did you mean 'detector'"):
        import_text(whole(), skip_dimensions=frozenset({"detectr"}))


# -------------------------------------------------------------------- faults
def test_all_faults_of_a_file_are_told_together(import_text: Importer) -> None:
    text = whole(
        datasets((IDS[0], 1, "a"), (IDS[0], 2, "b")),
        datasets((IDS[1], 1, "a")).replace("gain", "gian"),
        datasets((IDS[2], 1, "a")).replace("      detector: 1\n", ""),
        "- {type: dimension, element: detectr, records: []}\n",
        "- {type: dimension, element: visit, records: [{instrument: C, seeing: 1}]}\n",
        "- {type: dataset_type, name: x, dimensions: [tracct], storage_class: y}\n",
        "- {type: collection, collection_type: CHAINED, name: c, children: [nowhere]}\n",
        "- {type: collection, collection_type: KUHN, name: c}\n",
        "- {type: nothing}\n",
        "- just text\n",
        "- {type: dataset, dataset_type: gain, run: run, records: [{path: x}]}\n",
        "- {type: dimension, element: detector}\n",
        datasets((IDS[3], 1, "5")),
        "- {type: associations, collection: run, collection_type: TAGGED, dataset_ids: [77]}\n",
        "- {type: associations, collection: t, collection_type: CALIBRATION, validity_ranges: "
        "[{begin: x, end: null, dataset_ids: []}]}\n",
    )

    with pytest.raises(ExportFileError) as caught:
        import_text(text)

    for expected in (
        f"the dataset id {IDS[0]} is given to ('C', 2) and, before it",
        "'gian' is neither in the file nor in the repository. Did you mean 'gain'",
        "the data ID {'instrument': 'C'} lacks 'detector'",
        "no dimension element 'detectr'",
        "'visit' records cannot be taken: there is no field 'seeing'",
        "(dataset_type 'x'): no dimension 'tracct'",
        "chains name the collections 'nowhere'",
        "there is no collection type 'KUHN'",
        "there is no section of type 'nothing'",
        "a mapping should stand here, not 'just text'",
        "record 1 lacks a dataset_id or a data_id",
        "'records' must be a list, and is not there",
        "5 is no path; that is a text",
        "'run' is RUN, not TAGGED",
        "associations name 1 datasets that are neither",
        "a validity range cannot be understood",
        "1 of the 1 files",
    ):
        assert expected in str(caught.value)
    line = whole().count("\n") + 1
    assert f"line {line} ('gain' in 'run')" in str(caught.value)


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("a: [1\nb: 2\n", "line 2"),
        ("just text", "no export file"),
        ("version: 1.0.2\n", "no export file"),
        ("", "no export file"),
        ("version: 2.0.0\ndata: []\n", "versions 0 and 1.0.x"),
        ("version: 1.1.0\ndata: []\n", "versions 0 and 1.0.x"),
        ("data: []\n", "versions 0 and 1.0.x"),
        ("version: 0\nuniverse_version: new\ndata: []\n", "must be an integer"),
        (HEAD + "- {type: run, name: !uuid 'x'}\n", "cannot be read as '!uuid'"),
        (HEAD + "- {type: run, name: !!python/name:os.system x}\n", "none that export files|kind"),
    ],
)
def test_what_is_no_export_file_is_refused(import_text: Importer, text: str, match: str) -> None:
    with pytest.raises(ExportFileError, match=match):
        import_text(text)


def test_a_file_that_is_no_text_is_refused(
    repository: Repository, import_text: Importer, tmp_path: Path
) -> None:
    (tmp_path / "incoming" / "export.yaml").write_bytes(b"\xff\xfe\x00")

    with pytest.raises(ExportFileError, match="cannot be read"):
        import_repository(repository, ImportRequest(directory=tmp_path / "incoming"))
