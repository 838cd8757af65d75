from __future__ import annotations

import json
import uuid
from pathlib import Path
from typing import Any

import pytest

from butler_core import Butler, DataCoordinate, DatasetRef, DatasetType, FileDataset
from butler_core.datasets import DatasetIdMode
from butler_core.datastore.transfer_mode import TransferMode
from butler_core.errors import (
    DatasetExistsError,
    IngestError,
    MissingRecordError,
    PathTemplateError,
    TransferError,
)
from butler_core.repository.ingest import IngestRequest, ingest_files

RELATIVE_MODES = [mode for mode in TransferMode if mode is not TransferMode.DIRECT]


@pytest.fixture
def sources(tmp_path: Path) -> list[Path]:
    folder = tmp_path / "incoming"
    folder.mkdir()
    paths = [folder / f"file_{i}.yaml" for i in range(3)]
    for i, path in enumerate(paths):
        path.write_text(f"n: {i}\n")
    return paths


def _files(butler: Butler) -> list[Path]:
    return [path for path in butler.repository.root.rglob("metric*") if path.is_file()]


def _refs(butler: Butler, count: int = 3, run: str = "run/in") -> list[DatasetRef]:
    dataset_type = butler.get_dataset_type("metric")
    return [
        DatasetRef(
            dataset_type,
            DataCoordinate.standardize(
                instrument="CamA", visit=100 + i, detector=0, group=dataset_type.dimensions
            ),
            run,
            uuid.uuid4(),
        )
        for i in range(count)
    ]


def _ingest(butler: Butler, sources: list[Path], mode: str, **more: Any) -> list[DatasetRef]:
    files = [FileDataset.of(path, ref) for path, ref in zip(sources, _refs(butler), strict=True)]
    return butler.ingest(*files, transfer=mode, **more)


@pytest.mark.parametrize("mode", list(TransferMode))
def test_files_are_datasets_in_every_mode(
    butler: Butler, sources: list[Path], mode: TransferMode
) -> None:
    refs = _ingest(butler, sources, mode)

    assert [butler.get(ref) for ref in refs] == [{"n": 0}, {"n": 1}, {"n": 2}]
    assert [path.exists() for path in sources] == [mode is not TransferMode.MOVE] * 3
    inside = str(butler.repository.root.absolute())
    assert (inside in butler.get_uri(refs[0])) is (mode is not TransferMode.DIRECT)


@pytest.mark.parametrize("mode", RELATIVE_MODES)
def test_one_bad_file_stops_all_and_leaves_nothing(
    butler: Butler, sources: list[Path], mode: TransferMode
) -> None:
    sources[1].unlink()

    with pytest.raises(TransferError, match=r"file_1\.yaml': No such file"):
        _ingest(butler, sources, mode)

    assert not butler.collections.exists("run/in")
    assert sources[0].read_text() == "n: 0\n"
    assert _files(butler) == []


@pytest.mark.parametrize("mode", [TransferMode.COPY, TransferMode.MOVE])
def test_files_come_back_when_the_transaction_around_fails(
    butler: Butler, sources: list[Path], mode: TransferMode
) -> None:
    with pytest.raises(KeyError), butler.transaction():  # noqa: PT012 - the step that fails ends it
        _ingest(butler, sources, mode)
        raise KeyError

    assert [path.read_text() for path in sources] == ["n: 0\n", "n: 1\n", "n: 2\n"]
    assert _files(butler) == []


def test_files_inside_the_datastore_stay_where_they_are(butler: Butler) -> None:
    path = butler.repository.root / "found" / "here.yaml"
    path.parent.mkdir()
    path.write_text("n: 7\n")
    first, second = _refs(butler, 1, "run/a")[0], _refs(butler, 1, "run/b")[0]

    butler.ingest(FileDataset.of(path, first), transfer="auto")
    butler.ingest(FileDataset.of(path, second), transfer="auto")
    butler.remove_runs("run/a")

    assert butler.get(second) == {"n": 7}
    butler.remove_runs("run/b")
    assert not path.exists()


def test_files_outside_are_never_removed(butler: Butler, sources: list[Path]) -> None:
    refs = _ingest(butler, sources, "direct")

    butler.prune_datasets(refs, unstore=True, purge=True)

    assert all(path.exists() for path in sources)


def test_one_file_may_hold_several_datasets(butler: Butler, sources: list[Path]) -> None:
    refs = _refs(butler)

    butler.ingest(FileDataset.of(sources[0], refs), transfer="copy")
    butler.prune_datasets(refs[:2], unstore=True, purge=True)

    assert butler.get(refs[2]) == {"n": 0}
    butler.prune_datasets(refs[2:], unstore=True, purge=True)
    assert _files(butler) == []


def test_a_dataset_is_ingested_once(butler: Butler, sources: list[Path]) -> None:
    _ingest(butler, sources, "copy")

    with pytest.raises(DatasetExistsError, match="'run/in' holds 'metric'"):
        _ingest(butler, sources, "copy")


def test_a_file_without_a_dataset_is_refused(butler: Butler, sources: list[Path]) -> None:
    with pytest.raises(IngestError, match="given with no dataset in it"):
        butler.ingest(FileDataset(sources[0], ()))


def test_a_data_id_without_records_is_refused(butler: Butler, sources: list[Path]) -> None:
    with pytest.raises(MissingRecordError, match=r"visit.*999"):
        ingest_files(
            butler.repository,
            IngestRequest(
                "metric", "run/in", sources[:1],
                {"instrument": ["CamA"], "visit": [999], "detector": [0]}, TransferMode.COPY,
            ),
        )  # fmt: skip


def test_sizes_are_recorded_unless_told_not_to(butler: Butler, sources: list[Path]) -> None:
    files = butler.repository.registry.files
    keys = butler.repository.registry.datasets.keys_of

    refs = _ingest(butler, sources, "copy")
    (found,) = files.find([keys(refs)[refs[0].id.bytes]]).values()
    assert found.size == 5

    butler.remove_runs("run/in")
    refs = _ingest(butler, sources, "copy", record_validation_info=False)
    (found,) = files.find([keys(refs)[refs[0].id.bytes]]).values()
    assert found.size is None


def test_reproducible_ids_make_the_same_ids_again(butler: Butler, sources: list[Path]) -> None:
    request = IngestRequest(
        "metric", "run/in", sources,
        {"instrument": ["CamA"] * 3, "visit": [100, 101, 102], "detector": [0] * 3},
        TransferMode.COPY, id_mode=DatasetIdMode.DATAID_TYPE_RUN,
    )  # fmt: skip
    first = ingest_files(butler.repository, request)
    butler.remove_runs("run/in")

    assert ingest_files(butler.repository, request) == first


def test_what_a_killed_process_left_is_replaced(butler: Butler, sources: list[Path]) -> None:
    refs = _ingest(butler, sources, "copy")
    left = [Path(butler.get_uri(ref).removeprefix("file://")) for ref in refs]
    butler.remove_runs("run/in")
    left[0].parent.mkdir(parents=True)
    left[0].write_text("half a file")

    again = _ingest(butler, sources, "copy")

    assert butler.get(again[0]) == {"n": 0}


def test_a_bulk_ingest_inside_a_transaction_does_not_wait_for_itself(
    butler: Butler, tmp_path: Path
) -> None:
    butler.insert_dimension_data(
        "detector",
        *({"instrument": "CamA", "id": i, "full_name": f"D{i}"} for i in range(10, 1100)),
    )
    path = tmp_path / "x.yaml"
    path.write_text("n: 0\n")
    bias = butler.get_dataset_type("bias")
    group = bias.dimensions
    refs = [
        DatasetRef(bias, DataCoordinate.from_required(group, ("CamA", i)), "run/in", uuid.uuid4())
        for i in range(10, 1100)
    ]

    butler.ingest(*(FileDataset.of(path, ref) for ref in refs), transfer="direct")

    assert len(butler.query_datasets("bias", "run/in")) == 1090


@pytest.fixture
def loose(butler: Butler) -> Butler:
    """Return a butler whose template for ``loose`` does not tell detectors apart."""
    root = butler.repository.root
    config = {"datastore": {"templates": {"loose": "{run:/}/{datasetType}"}}}
    config = {**butler.repository.config, **config}
    (root / "butler.yaml").write_text(json.dumps(config))
    butler.register_dataset_type(
        DatasetType.of("loose", ["detector"], "StructuredDataDict", universe=butler.dimensions)
    )
    return Butler(root, run="run/1")


def test_no_put_overwrites_the_file_of_another_dataset(loose: Butler) -> None:
    first = loose.put({"n": 0}, "loose", instrument="CamA", detector=0)

    with pytest.raises(PathTemplateError, match=r"'run/1/loose.*' is the file of another dataset"):
        loose.put({"n": 1}, "loose", instrument="CamA", detector=1)

    assert loose.get(first) == {"n": 0}
    assert len(loose.query_datasets("loose")) == 1
    loose.close()


def test_no_ingest_overwrites_the_file_of_another_dataset(
    loose: Butler, sources: list[Path]
) -> None:
    first = loose.put({"n": 5}, "loose", instrument="CamA", detector=0)
    for run, paths in (("run/1", sources[:1]), ("run/2", sources[:2])):
        columns = {"instrument": ["CamA"] * len(paths), "detector": [1, 2][: len(paths)]}

        with pytest.raises(PathTemplateError, match="is the file of another dataset"):
            ingest_files(
                loose.repository, IngestRequest("loose", run, paths, columns, TransferMode.MOVE)
            )

    assert loose.get(first) == {"n": 5}
    assert all(path.exists() for path in sources)
    loose.close()


@pytest.mark.parametrize("n_files", [3, 20])
def test_files_that_another_run_needs_outlive_a_run(butler: Butler, n_files: int) -> None:
    root = butler.repository.root
    paths = [root / "kept" / f"{i}.yaml" for i in range(n_files)]
    (root / "kept").mkdir()
    for path in paths:
        path.write_text("a: 1\n")
    detectors = {"instrument": ["CamA"] * n_files, "detector": [i % 4 for i in range(n_files)]}
    visits = {**detectors, "visit": [100 + i // 4 for i in range(n_files)]}
    for run, count in (("run/a", n_files), ("run/b", n_files // 2)):
        columns = {name: values[:count] for name, values in visits.items()}
        request = IngestRequest("metric", run, paths[:count], columns, TransferMode.AUTO)
        ingest_files(butler.repository, request)

    butler.remove_runs(["run/a"])

    assert [path.exists() for path in paths] == [i < n_files // 2 for i in range(n_files)]
    butler.remove_runs(["run/b"])
    assert not any(path.exists() for path in paths)
