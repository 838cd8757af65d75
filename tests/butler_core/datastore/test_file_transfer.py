from __future__ import annotations

import os
from pathlib import Path

import pytest

from butler_core.datastore.file_transfer import maker_of, temporary_name, transfer_file
from butler_core.datastore.syncing import sync_files
from butler_core.datastore.transfer_mode import TransferMode
from butler_core.errors import TransferError

MODES = [mode for mode in TransferMode if mode not in (TransferMode.AUTO, TransferMode.DIRECT)]


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "in" / "file.dat"
    path.parent.mkdir()
    path.write_bytes(b"content")
    return path


@pytest.mark.parametrize("mode", MODES)
def test_the_content_is_at_the_target(source: Path, tmp_path: Path, mode: TransferMode) -> None:
    target = tmp_path / "out" / "deep" / "file.dat"

    transfer_file(source, target, mode)

    assert target.read_bytes() == b"content"
    assert source.exists() is (mode is not TransferMode.MOVE)
    assert [path.name for path in target.parent.iterdir()] == ["file.dat"]


@pytest.mark.parametrize("mode", MODES)
def test_what_is_at_the_target_is_replaced(
    source: Path, tmp_path: Path, mode: TransferMode
) -> None:
    target = tmp_path / "file.dat"
    target.write_bytes(b"left by a killed process")

    transfer_file(source, target, mode)

    assert target.read_bytes() == b"content"


def test_links_are_of_their_kind(source: Path, tmp_path: Path) -> None:
    for mode in (TransferMode.HARDLINK, TransferMode.SYMLINK, TransferMode.RELSYMLINK):
        transfer_file(source, tmp_path / mode, mode)

    assert source.samefile(tmp_path / "hardlink")
    assert not (tmp_path / "hardlink").is_symlink()
    assert (tmp_path / "symlink").readlink() == source
    assert (tmp_path / "relsymlink").readlink() == Path("in/file.dat")


def test_an_absent_source_is_an_error_that_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(TransferError, match=r"cannot copy '.*absent' to '.*out': No such file"):
        transfer_file(tmp_path / "absent", tmp_path / "out", TransferMode.COPY)

    assert list(tmp_path.iterdir()) == []


def test_temporary_names_are_short_hidden_and_beside_the_target(tmp_path: Path) -> None:
    target = tmp_path / ("x" * 255)

    first, second = temporary_name(target), temporary_name(target)

    assert first != second
    assert first.parent == tmp_path
    assert first.name.startswith(".")
    first.touch()


@pytest.mark.parametrize("count", [0, 1, 40])
def test_any_number_of_files_can_be_synced(tmp_path: Path, count: int) -> None:
    paths = [tmp_path / str(i) for i in range(count)]
    for path in paths:
        path.write_bytes(b"x")

    sync_files(paths, tmp_path)

    assert all(path.read_bytes() == b"x" for path in paths)


def test_an_unknown_mode_is_named_with_those_there_are() -> None:
    assert TransferMode.parse("copy") is TransferMode.COPY
    with pytest.raises(TransferError, match="no transfer mode 'copyy'; there are auto, copy"):
        TransferMode.parse("copyy")


def test_a_temporary_file_tells_whose_it_is(tmp_path: Path) -> None:
    assert maker_of(temporary_name(tmp_path / "file.dat").name) == os.getpid()


@pytest.mark.parametrize(
    "name",
    [
        "file.dat", ".hidden", ".7.tmp", "7.0123456789abcdef.0.tmp", ".7.0123456789abcdef.0.tmp.x",
        ".x.0123456789abcdef.0.tmp", ".7.0123456789ABCDEF.0.tmp", ".lease.0123456789abcdef.tmp",
    ],
)  # fmt: skip
def test_no_other_file_is_taken_for_a_temporary_one(name: str) -> None:
    assert maker_of(name) is None
