from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from butler_core import Butler
from butler_core.datastore.file_record import FileRecord
from butler_core.datastore.lost_and_found import LostAndFound
from butler_core.errors import ReadOnlyRepositoryError, RepositoryError
from butler_core.repository import judging, repairing
from butler_core.repository.checking import check_repository
from butler_core.repository.finding import Repair
from butler_core.repository.repairing import repair
from tests.disorder import (
    ARCHIVE,
    archive,
    data_id,
    dead_pid,
    files,
    found,
    path_of,
    register,
    root_of,
    rows,
    stray,
    temporary,
)


class Stop(BaseException):
    """Ends a repair as an interrupt from the keyboard does."""


def repaired(butler: Butler, **options: Any) -> list[Repair]:
    return list(repair(butler.repository, check_repository(butler.repository, **options)))


def texts(butler: Butler, **options: Any) -> list[str]:
    """Return what was done, all of it being done."""
    repairs = repaired(butler, **options)
    assert all(one.is_done for one in repairs)
    return [one.text for one in repairs]


def stored(butler: Butler) -> list[str]:
    """Return the paths that are recorded."""
    return [row[2] for row in rows(butler)]


@pytest.fixture
def kept(butler: Butler) -> Path:
    """Return the file of a dataset."""
    return path_of(butler, butler.put({"n": 1}, "metric", data_id()))


def _name(butler: Butler, path: Path) -> str:
    return str(path.relative_to(root_of(butler).absolute()))


# --------------------------------------------------------------------- records
def test_a_dataset_whose_file_is_missing_stays_known(butler: Butler, kept: Path) -> None:
    other = butler.put({"n": 2}, "metric", data_id(101))
    kept.unlink()

    assert texts(butler) == ["record removed"]

    assert butler.query_datasets("metric").count() == 2
    assert not butler.exists("metric", data_id())
    assert butler.get(other) == {"n": 2}
    assert found(butler) == []


def test_a_damaged_file_is_put_aside(butler: Butler, kept: Path) -> None:
    kept.write_bytes(b"damaged")
    name = _name(butler, kept)

    assert texts(butler) == [f"record removed, file moved to 'lost+found/{name}'"]

    assert files(butler) == {f"lost+found/{name}": b"damaged"}
    assert stored(butler) == []
    assert found(butler) == []


def test_a_file_of_other_content_is_put_aside(butler: Butler, kept: Path) -> None:
    good = butler.put({"n": 2}, "metric", data_id(101))
    kept.write_bytes(kept.read_bytes().replace(b"1", b"3"))
    name = _name(butler, kept)

    assert texts(butler, with_checksums=True) == [
        f"record removed, file moved to 'lost+found/{name}'"
    ]

    assert stored(butler) == [_name(butler, path_of(butler, good))]
    assert found(butler, with_checksums=True) == []


def test_a_file_outside_the_root_stays_where_it_is(butler: Butler, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.write_bytes(b"too long")
    register(butler, [str(outside)])

    assert texts(butler) == ["record removed, file left where it is"]

    assert outside.read_bytes() == b"too long"
    assert stored(butler) == []


def test_a_file_below_the_root_may_be_recorded_by_its_absolute_path(
    butler: Butler, tmp_path: Path
) -> None:
    stray(butler, "run/1/file", b"too long")
    (tmp_path / "alias").symlink_to(root_of(butler))
    register(butler, [f"{tmp_path}/alias/run/1/file"])

    assert texts(butler) == ["record removed, file moved to 'lost+found/run/1/file'"]

    assert found(butler) == []


def test_a_file_that_another_dataset_is_in_stays(butler: Butler) -> None:
    stray(butler, "run/1/shared", b"12345")
    register(butler, ["run/1/shared"], is_shared=True)
    register(butler, ["run/1/shared"], size=6, is_shared=True)

    assert texts(butler) == ["record removed"]

    assert files(butler) == {"run/1/shared": b"12345"}
    assert found(butler) == []


def test_a_damaged_file_of_several_datasets_is_moved_once(butler: Butler) -> None:
    stray(butler, "run/1/shared", b"1234")
    register(butler, ["run/1/shared", "run/1/shared"], is_shared=True)

    assert set(texts(butler)) == {"record removed, file moved to 'lost+found/run/1/shared'"}

    assert files(butler) == {"lost+found/run/1/shared": b"1234"}
    assert found(butler) == []


@pytest.mark.parametrize("is_shared", [True, False])
def test_an_archive_stays_while_a_member_is_good(butler: Butler, is_shared: bool) -> None:
    archive(butler, ["a", "b"], recorded=["a"])
    members = [f"{ARCHIVE}#zip-path={name}" for name in ("b", "absent")]
    register(butler, members, size=6, is_shared=is_shared)

    assert texts(butler) == ["record removed"] * 2

    assert list(files(butler)) == [ARCHIVE]
    assert stored(butler) == [f"{ARCHIVE}#zip-path=a"]
    assert found(butler) == []


def test_an_archive_goes_with_its_last_record(butler: Butler) -> None:
    archive(butler, ["a"], recorded=["a", "b"]).write_bytes(b"broken")

    assert texts(butler) == [f"record removed, file moved to 'lost+found/{ARCHIVE}'"] * 2

    assert list(files(butler)) == [f"lost+found/{ARCHIVE}"]
    assert found(butler) == []


def test_what_cannot_be_looked_at_is_left(butler: Butler, kept: Path) -> None:
    kept.unlink()
    kept.symlink_to(kept)
    before = rows(butler)

    (outcome,) = repaired(butler)

    assert not outcome.is_done
    assert rows(butler) == before


# ----------------------------------------------------------------------- files
def test_an_orphan_is_moved_and_its_empty_folders_go(butler: Butler, kept: Path) -> None:
    stray(butler, "run/1/deep/er/stray")

    assert texts(butler) == ["moved to 'lost+found/run/1/deep/er/stray'"]

    assert files(butler)["lost+found/run/1/deep/er/stray"] == b"stray"
    assert not (root_of(butler) / "run/1/deep").exists()
    assert kept.exists()
    assert found(butler) == []


def test_nothing_in_the_lost_and_found_is_overwritten(butler: Butler) -> None:
    for content in (b"first", b"second", b"third"):
        stray(butler, "run/stray", content)
        repaired(butler)

    assert files(butler) == {
        "lost+found/run/stray": b"first",
        "lost+found/run/stray.1": b"second",
        "lost+found/run/stray.2": b"third",
    }


def test_a_leftover_is_deleted(butler: Butler, kept: Path) -> None:
    temporary(butler, dead_pid())

    assert texts(butler) == ["deleted"]

    assert files(butler) == {_name(butler, kept): kept.read_bytes()}


def test_a_file_that_cannot_be_moved_is_said_and_stays(butler: Butler, kept: Path) -> None:
    kept.write_bytes(b"damaged")
    stray(butler, "stray")
    (root_of(butler) / "lost+found").symlink_to("nowhere")

    outcomes = repaired(butler)

    assert [one.is_done for one in outcomes] == [False] * 3
    assert outcomes[0].text.startswith("record removed, file not moved: ")
    assert all(one.text.startswith("not done: ") for one in outcomes[1:])
    assert kept.exists()
    assert ("orphan file", _name(butler, kept)) in found(butler)


@pytest.mark.parametrize("run", ["run/1", "not/registered"])
def test_an_interrupted_run_is_left_to_its_program(butler: Butler, kept: Path, run: str) -> None:
    stray(butler, f"{run}/graphs/id.journal")
    stray(butler, f"{run}/metric/not-registered-yet")
    before = rows(butler), files(butler)

    (outcome,) = repaired(butler)

    assert (outcome.is_done, outcome.text) == (False, "")
    assert (rows(butler), files(butler)) == before


def test_repairing_again_does_nothing(butler: Butler, kept: Path) -> None:
    kept.write_bytes(b"damaged")
    stray(butler, "stray")
    temporary(butler, dead_pid())
    register(butler, ["run/1/absent"])
    assert len(texts(butler)) == 4
    before = rows(butler), files(butler)

    assert repaired(butler) == []
    assert (rows(butler), files(butler)) == before


@pytest.mark.parametrize("moment", range(6))
def test_a_repair_can_be_interrupted_at_any_moment(
    butler: Butler, monkeypatch: pytest.MonkeyPatch, moment: int
) -> None:
    good = butler.put({"n": 0}, "metric", data_id(100, 0))
    for detector in (1, 2):
        path_of(butler, butler.put({}, "metric", data_id(100, detector))).write_bytes(b"damaged")
    for name in ("one", "two"):
        stray(butler, f"run/1/{name}")
    report = check_repository(butler.repository)
    left = [moment]

    def stopping(method: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any) -> Any:
            result = method(*args)
            if not left[0]:
                raise Stop
            left[0] -= 1
            return result

        return call

    with monkeypatch.context() as patch:
        patch.setattr(LostAndFound, "take", stopping(LostAndFound.take))
        patch.setattr(LostAndFound, "remove_empty", stopping(LostAndFound.remove_empty))
        try:
            repair(butler.repository, report)
        except Stop:
            assert len(rows(butler)) == 3  # nothing of it is committed

    repaired(butler)

    assert found(butler, with_checksums=True) == []
    assert butler.get(good) == {"n": 0}
    contents = list(files(butler).values())
    assert (contents.count(b"damaged"), contents.count(b"stray")) == (2, 2)


# ------------------------------------------------------------------ who else is there
def test_what_has_been_put_in_order_meanwhile_is_left_alone(butler: Butler, kept: Path) -> None:
    content = kept.read_bytes()
    kept.write_bytes(b"damaged")
    stray(butler, "run/1/new", b"12345")
    leftover = temporary(butler, dead_pid())
    report = check_repository(butler.repository)
    assert len(report.findings) == 3
    kept.write_bytes(content)
    register(butler, ["run/1/new"])
    leftover.unlink()

    assert repair(butler.repository, report) == ()

    assert len(rows(butler)) == 2
    assert found(butler, with_checksums=True) == []


def _put(butler: Butler, pause: Callable[[], None]) -> None:
    butler.put({"n": 1}, "metric", data_id())
    pause()


def _ingest(butler: Butler, pause: Callable[[], None]) -> None:
    """Do what an ingest does, which writes files between the rows of datasets and of files."""
    registry = butler.repository.registry
    keys = registry.datasets.insert(
        registry.dataset_types.get("metric"),
        registry.collections.get("run/1"),
        {name: [value] for name, value in data_id().items()},
    ).keys
    stray(butler, "run/1/ingested", b"12345")
    pause()
    registry.files.insert(keys, [FileRecord("run/1/ingested", "no.such", "no.such", 5)])


@pytest.mark.parametrize("write", [_put, _ingest])
def test_a_dataset_that_is_being_written_keeps_its_file(
    open_butler: Callable[..., Butler], write: Callable[..., None]
) -> None:
    writer, butler = open_butler(run="run/1"), open_butler(run="run/1")
    butler.collections.register("run/1")
    is_written, may_commit = threading.Event(), threading.Event()

    def pause() -> None:
        is_written.set()
        may_commit.wait(60)

    def run() -> None:
        with writer.transaction():
            write(writer, pause)
        writer.close()  # a thread's connection goes with the thread

    thread = threading.Thread(target=run)
    thread.start()
    is_written.wait(60)
    report = check_repository(butler.repository)
    threading.Timer(0.3, may_commit.set).start()
    repairs = repair(butler.repository, report)
    thread.join()

    assert [str(finding.kind) for finding in report.findings] == ["orphan file"]
    assert repairs == ()
    assert len(rows(butler)) == 1
    assert found(butler) == []


# ------------------------------------------------------------------ what is refused
def test_a_repair_needs_a_repository_that_can_be_written(
    butler: Butler, open_butler: Callable[..., Butler]
) -> None:
    stray(butler, "stray")
    reader = open_butler(writeable=False)

    with pytest.raises(ReadOnlyRepositoryError):
        repaired(reader)

    assert list(files(butler)) == ["stray"]


def test_nothing_is_repaired_while_most_files_are_gone(
    butler: Butler, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(repairing, "_MANY_MISSING", 3)
    stray(butler, "stray")
    stray(butler, "run/1/there", b"12345")
    register(butler, ["run/1/there", "run/1/a", "run/1/b"])
    register(butler, ["run/1/c"])

    with pytest.raises(RepositoryError, match=r"files of 3 of 4 datasets .* disk not mounted"):
        repaired(butler)

    assert len(rows(butler)) == 4
    assert "stray" in files(butler)


def test_nothing_is_repaired_while_the_database_is_broken(
    butler: Butler, monkeypatch: pytest.MonkeyPatch
) -> None:
    stray(butler, "stray")
    report = check_repository(butler.repository)
    monkeypatch.setattr(butler.repository.registry.database, "faults", lambda: ["a page is gone"])
    broken = check_repository(butler.repository)

    assert [str(finding.kind) for finding in broken.findings] == ["database"]
    assert [one.is_done for one in repair(butler.repository, broken)] == [False]
    assert files(butler) == {"stray": b"stray"}
    assert len(report.findings) == 1


def test_files_are_not_read_while_writers_wait(
    butler: Butler, kept: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept.write_bytes(kept.read_bytes().replace(b"1", b"3"))
    report = check_repository(butler.repository, with_checksums=True)
    reads: list[object] = []
    monkeypatch.setattr(judging.StoredFiles, "checksum", lambda *args: reads.append(args))

    repair(butler.repository, report)

    assert reads == []
    assert stored(butler) == []
