"""Files that are put off have no name until they are on the disk, and go with what failed."""

from __future__ import annotations

import errno
import os
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from butler_core import Butler, DatasetType
from butler_core.datasets.dataset_ref import DatasetRef
from butler_core.dimensions.data_coordinate import DataCoordinate
from butler_core.errors import WriteFileError
from pipetask.execution.output_files import OutputFiles, sync_together
from pipetask.execution.quantum_work import OutputDataset

Output = Callable[[str], OutputDataset]


@pytest.fixture
def butler(tmp_path: Path) -> Any:
    with Butler.create(tmp_path / "repo") as made:
        yield made


@pytest.fixture
def output(butler: Butler) -> Output:
    dataset_type = DatasetType.of("thing", (), "StructuredDataDict", universe=butler.dimensions)
    nowhere = DataCoordinate.make_empty(butler.dimensions)

    def make(name: str) -> OutputDataset:
        ref = DatasetRef(dataset_type, nowhere, "u/1", uuid.uuid4())
        return OutputDataset(ref, f"u/1/{name}")

    return make


def files_below(root: Path) -> list[str]:
    return sorted(path.name for path in (root / "u").rglob("*") if path.is_file())


def test_what_is_not_put_off_has_its_name_at_once(butler: Butler, output: Output) -> None:
    files = OutputFiles(butler.repository.datastore)

    record = files.write({"a": 1}, output("one"))

    assert files.waiting == []
    assert record.path == "u/1/one.yaml"
    assert files_below(butler.repository.root) == ["one.yaml"]


def test_what_is_put_off_has_its_name_when_it_is_published(butler: Butler, output: Output) -> None:
    files = OutputFiles(butler.repository.datastore, are_put_off=True)
    records = [files.write({"a": 1}, output(name)) for name in ("one", "two")]
    before = files_below(butler.repository.root)

    faults = sync_together(files.waiting)
    files.publish(faults)

    assert faults == {}
    assert all(name.endswith(".tmp") for name in before)
    assert [record.path for record in records] == ["u/1/one.yaml", "u/1/two.yaml"]
    assert files_below(butler.repository.root) == ["one.yaml", "two.yaml"]
    assert list(files.records.values()) == records
    assert files.waiting == []


def test_a_file_that_cannot_be_synced_spoils_its_own_quantum_alone(
    butler: Butler, output: Output, monkeypatch: pytest.MonkeyPatch
) -> None:
    quanta = [OutputFiles(butler.repository.datastore, are_put_off=True) for _ in range(3)]
    for number, files in enumerate(quanta):
        for name in "ab":
            files.write({"n": number}, output(f"{number}{name}"))
    broken = quanta[1].waiting[1].stat().st_ino
    sync = os.fsync

    def refuse(descriptor: int) -> None:
        if os.fstat(descriptor).st_ino == broken:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        sync(descriptor)

    monkeypatch.setattr(os, "fsync", refuse)

    faults = sync_together([path for files in quanta for path in files.waiting])
    for files in (quanta[0], quanta[2]):
        files.publish(faults)
    with pytest.raises(WriteFileError, match=r"cannot write '.*1b.yaml': Input/output") as raised:
        quanta[1].publish(faults)
    quanta[1].discard()

    assert raised.value.errno == errno.EIO
    assert quanta[1].records == {}
    assert files_below(butler.repository.root) == ["0a.yaml", "0b.yaml", "2a.yaml", "2b.yaml"]


def test_what_is_discarded_leaves_nothing(butler: Butler, output: Output) -> None:
    for are_put_off in (True, False):
        files = OutputFiles(butler.repository.datastore, are_put_off=are_put_off)
        files.write({"a": 1}, output("one"))

        files.discard()

        assert (files.waiting, files.records) == ([], {})
        assert not (butler.repository.root / "u").exists() or not files_below(
            butler.repository.root
        )
