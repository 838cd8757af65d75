from __future__ import annotations

import json
import os
import shutil
import socket
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from butler_core import Butler, CollectionType, DatasetType
from butler_core.errors import ReadFileError
from butler_core.repository import judging
from butler_core.repository.checking import check_repository
from butler_core.repository.finding import CheckCounts, FindingKind
from tests.disorder import (
    ARCHIVE,
    archive,
    data_id,
    dead_pid,
    files,
    findings,
    found,
    path_of,
    register,
    root_of,
    rows,
    stray,
    temporary,
)

#: Of tests that are about files more than about records.
on_sqlite = pytest.mark.parametrize("registries", ["sqlite"], indirect=True)


@pytest.fixture
def kept(butler: Butler) -> Path:
    """Return the file of a dataset."""
    return path_of(butler, butler.put({"n": 1}, "metric", data_id()))


def _relative(butler: Butler, path: Path) -> str:
    return str(path.relative_to(root_of(butler).absolute()))


def test_nothing_is_wrong_with_what_was_put(butler: Butler, kept: Path) -> None:
    butler.put({"n": 2}, "metric", data_id(101))

    report = check_repository(butler.repository, with_checksums=True)

    assert report.findings == ()
    assert report.counts == CheckCounts(n_files=2, n_datasets=2, n_checksums=2)


def test_an_empty_repository_is_in_order(butler: Butler) -> None:
    assert check_repository(butler.repository).counts == CheckCounts()
    assert found(butler) == []


def test_a_check_changes_nothing(butler: Butler, kept: Path) -> None:
    kept.write_bytes(b"")
    stray(butler, "run/1/stray")
    temporary(butler, dead_pid())
    register(butler, ["run/1/absent"])
    before = rows(butler), files(butler)

    assert len(findings(butler, with_checksums=True)) == 4
    assert (rows(butler), files(butler)) == before


# --------------------------------------------------------------------- records
def test_a_missing_file_is_told_with_its_dataset(butler: Butler, kept: Path) -> None:
    kept.unlink()

    (finding,) = findings(butler)

    assert finding.kind is FindingKind.MISSING
    assert finding.path == _relative(butler, kept)
    assert (finding.dataset_type, finding.run) == ("metric", "run/1")
    assert (finding.expected, finding.found) == ("5 bytes", "nothing")


def test_a_record_whose_dataset_is_gone_is_told_without(butler: Butler) -> None:
    keys = register(butler, ["run/1/absent"])
    butler.repository.registry.datasets.delete(keys)

    (finding,) = findings(butler)

    assert (finding.kind, finding.dataset_type, finding.run) == (FindingKind.MISSING, None, None)


@on_sqlite
def test_a_file_of_another_size_is_found(butler: Butler, kept: Path) -> None:
    kept.write_bytes(b"{n: 1}\n# more\n")

    (finding,) = findings(butler)

    assert (finding.kind, finding.path) == (FindingKind.SIZE, _relative(butler, kept))
    assert (finding.expected, finding.found) == ("5 bytes", "14 bytes")


@on_sqlite
def test_a_file_without_recorded_size_may_have_any(butler: Butler) -> None:
    stray(butler, "run/1/some", b"of whatever size")
    register(butler, ["run/1/some"], size=None)

    assert found(butler) == []


@pytest.mark.parametrize("with_checksums", [True, False])
def test_content_is_looked_at_only_when_asked(
    butler: Butler, kept: Path, with_checksums: bool
) -> None:
    kept.write_bytes(kept.read_bytes().replace(b"1", b"2"))

    expected = [("wrong checksum", _relative(butler, kept))] if with_checksums else []
    assert found(butler, with_checksums=with_checksums) == expected


@pytest.mark.parametrize(
    ("checksum", "n_compared", "is_wrong"),
    [
        ("sha256:a29e8a5b5e3ab7ac2c1b4ad2ba0b6f8c5ee5a9d0b3f5e6f1aa8f8a2c7a4cf6ad", 1, True),
        ("sha256:5994471abb01112afcc18159f6cc74b4f511b99806da59b3caf5a9c173cacfc5", 1, False),
        ("md5:827ccb0eea8a706c4c34a16891f84e7b", 1, False),
        ("no-such-hash:00", 0, False),
        ("shake_128:00", 0, False),
        ("827ccb0eea8a706c4c34a16891f84e7b", 0, False),
        (None, 0, False),
    ],
)
@on_sqlite
def test_checksums_of_known_algorithms_are_compared(
    butler: Butler, checksum: str | None, n_compared: int, is_wrong: bool
) -> None:
    stray(butler, "run/1/some", b"12345")
    register(butler, ["run/1/some"], checksum=checksum)

    report = check_repository(butler.repository, with_checksums=True)

    assert report.counts.n_checksums == n_compared
    assert [f.kind for f in report.findings] == [FindingKind.CHECKSUM] * is_wrong


@on_sqlite
def test_files_ingested_in_place_are_looked_for(butler: Butler, tmp_path: Path) -> None:
    there, absent = tmp_path / "there", tmp_path / "absent"
    for path in (there, tmp_path / "also there"):
        path.write_bytes(b"12345")
    register(butler, [str(there), f"file://{tmp_path}/also%20there"])
    register(butler, [str(absent), f"file://{tmp_path}/also%20absent"])

    assert found(butler) == [
        ("missing file", str(absent)),
        ("missing file", f"file://{tmp_path}/also%20absent"),
    ]


def test_files_behind_a_url_are_counted(butler: Butler) -> None:
    register(butler, ["s3://bucket/one", "https://host/two#zip-path=three"])

    report = check_repository(butler.repository, with_checksums=True)

    assert report.findings == ()
    assert report.counts == CheckCounts(n_files=0, n_datasets=2, n_not_local=2)


@on_sqlite
def test_a_file_of_several_datasets_is_one(butler: Butler) -> None:
    stray(butler, "run/1/shared", b"12345")
    register(butler, ["run/1/shared", "run/1/shared"], is_shared=True)

    report = check_repository(butler.repository)

    assert report.findings == ()
    assert (report.counts.n_files, report.counts.n_datasets) == (1, 2)


@pytest.mark.parametrize("path", ["run/1/shared", "{outside}", f"{ARCHIVE}#zip-path=a"])
@on_sqlite
def test_of_records_that_contradict_each_other_the_wrong_one_is_found(
    butler: Butler, tmp_path: Path, path: str
) -> None:
    archive(butler, ["a"], recorded=[])
    stray(butler, "run/1/shared", b"12345")
    (tmp_path / "outside").write_bytes(b"12345")
    path = path.format(outside=tmp_path / "outside")
    register(butler, ["run/1/shared", f"{ARCHIVE}#zip-path=a", path], is_shared=True)
    (wrong,) = register(butler, [path], size=6, is_shared=True)

    (finding,) = findings(butler)

    assert (finding.kind, finding.dataset_key) == (FindingKind.SIZE, wrong)


@on_sqlite
def test_what_cannot_be_looked_at_is_not_missing(butler: Butler, kept: Path) -> None:
    kept.unlink()
    kept.symlink_to(kept)

    (finding,) = findings(butler)

    assert finding.kind is FindingKind.UNREADABLE
    assert finding.found == os.strerror(40)


@on_sqlite
def test_a_dataset_may_be_a_folder(butler: Butler) -> None:
    stray(butler, "run/1/cube.zarr/0/0")
    register(butler, ["run/1/cube.zarr"])

    assert found(butler) == []


def test_the_directory_of_the_files_must_be_there(tmp_path: Path, registries: Any) -> None:
    disk, seed = tmp_path / "disk", tmp_path / "seed.yaml"
    disk.mkdir()
    seed.write_text(f"datastore: {{root: {disk}}}\n")
    with registries.create(tmp_path / "repo", seed_config=seed, override=True) as butler:
        butler.register_dataset_type(DatasetType.of("note", [], "str", universe=butler.dimensions))
        assert found(butler) == []
        butler.put("text", "note", run="run")
        stray(butler, "stray")
        assert found(butler) == [("orphan file", "stray")]
        disk.rename(tmp_path / "elsewhere")

        with pytest.raises(ReadFileError, match=r"files, '.*disk', is not there; is its disk"):
            findings(butler)


# -------------------------------------------------------------------- archives
def test_members_of_an_archive_are_looked_for(butler: Butler) -> None:
    archive(butler, ["a", "b", "unknown"], recorded=["a", "b"])

    report = check_repository(butler.repository)

    assert report.findings == ()
    assert (report.counts.n_files, report.counts.n_datasets) == (1, 2)


@on_sqlite
def test_a_member_that_is_not_there_is_missing(butler: Butler) -> None:
    archive(butler, ["a"], recorded=["a", "b"])

    (finding,) = findings(butler)

    assert (finding.kind, finding.found) == (FindingKind.MISSING, "no such member")
    assert finding.path == f"{ARCHIVE}#zip-path=b"


@on_sqlite
def test_a_member_of_another_size_is_found(butler: Butler) -> None:
    archive(butler, ["a", "b"], recorded=["a"])
    register(butler, [f"{ARCHIVE}#zip-path=b"], size=6, is_shared=True)

    (finding,) = findings(butler)

    assert (finding.kind, finding.found) == (FindingKind.SIZE, "5 bytes")


@pytest.mark.parametrize("fate", ["gone", "broken"])
@on_sqlite
def test_all_members_of_an_archive_are_missing_with_it(butler: Butler, fate: str) -> None:
    made = archive(butler, ["a", "b"], recorded=["a", "b"])
    made.unlink() if fate == "gone" else made.write_bytes(b"PK\x03\x04 no archive")

    assert [(f.kind, f.found) for f in findings(butler)] == [
        (FindingKind.MISSING, "nothing" if fate == "gone" else "a broken archive")
    ] * 2


@on_sqlite
def test_the_content_of_a_member_is_compared(butler: Butler) -> None:
    made = archive(butler, ["a", "b"], recorded=[])
    checksum = "md5:827ccb0eea8a706c4c34a16891f84e7b"
    register(butler, [f"{ARCHIVE}#zip-path={name}" for name in "ab"], checksum=checksum)
    assert found(butler, with_checksums=True) == []

    content = made.read_bytes()
    made.write_bytes(content.replace(b"12345", b"12346", 1))

    (finding,) = findings(butler, with_checksums=True)
    assert (finding.kind, finding.path) == (FindingKind.CHECKSUM, f"{ARCHIVE}#zip-path=a")
    assert finding.found == "what cannot be unpacked"


# --------------------------------------------------------------------- orphans
@on_sqlite
def test_a_file_that_no_record_names_is_an_orphan(butler: Butler, kept: Path) -> None:
    stray(butler, "run/1/deep/stray")
    stray(butler, "elsewhere")

    assert [(f.kind, f.path, f.run, f.found) for f in findings(butler)] == [
        (FindingKind.ORPHAN, "elsewhere", None, "5 bytes"),
        (FindingKind.ORPHAN, "run/1/deep/stray", "run/1", "5 bytes"),
    ]


@on_sqlite
def test_what_is_not_a_dataset_of_its_own_right_is_no_orphan(butler: Butler, kept: Path) -> None:
    for path in ("cameras/own.yaml", "lost+found/run/1/stray", "run/1/graphs/some.qg"):
        stray(butler, path)
    (root_of(butler) / "link").symlink_to(root_of(butler) / "run")

    assert found(butler) == []


@on_sqlite
def test_only_runs_have_graphs(butler: Butler, kept: Path) -> None:
    butler.collections.register("tag", CollectionType.TAGGED)
    stray(butler, "tag/graphs/some.qg")
    stray(butler, "run/1/deep/graphs/some.qg")
    stray(butler, "run/1/lost+found/some")

    assert [path for _, path in found(butler)] == [
        "run/1/deep/graphs/some.qg", "run/1/lost+found/some", "tag/graphs/some.qg",
    ]  # fmt: skip


def test_configuration_and_database_may_have_other_names(tmp_path: Path) -> None:
    root = tmp_path / "repo"
    seed = tmp_path / "seed.yaml"
    seed.write_text(f"registry: {{db: 'sqlite:///{root}/tables.db'}}\n")
    root.mkdir()

    with Butler.create(root, seed_config=seed, outfile=root / "mine.yaml") as butler:
        assert (root / "tables.db").is_file()
        assert found(butler) == []
    with Butler(root / "mine.yaml") as butler:
        assert found(butler) == []


@on_sqlite
def test_a_file_that_a_recorded_link_leads_to_is_no_orphan(butler: Butler) -> None:
    target = stray(butler, "incoming/file", b"12345")
    (root_of(butler) / "first").symlink_to(target)
    (root_of(butler) / "second").symlink_to("first")
    register(butler, ["second"])

    assert found(butler) == []


@on_sqlite
def test_a_recorded_link_that_leads_nowhere_is_a_missing_file(butler: Butler) -> None:
    (root_of(butler) / "link").symlink_to("nowhere")
    register(butler, ["link"], size=None)

    assert found(butler) == [("missing file", "link")]


@on_sqlite
def test_folders_may_be_on_another_disk(butler: Butler, tmp_path: Path, kept: Path) -> None:
    folder = kept.parent
    shutil.move(folder, tmp_path / "disk")
    folder.symlink_to(tmp_path / "disk")
    inside = stray(butler, "inside/file", b"12345").parent
    (root_of(butler) / "alias").symlink_to(inside)
    register(butler, ["alias/file"])

    assert found(butler) == []


@on_sqlite
def test_a_file_may_be_recorded_by_its_absolute_path(butler: Butler, tmp_path: Path) -> None:
    stray(butler, "in/place", b"12345")
    (tmp_path / "other").symlink_to(root_of(butler))
    register(butler, [f"{tmp_path}/other/in/place"])

    assert found(butler) == []


@on_sqlite
def test_names_may_be_of_any_bytes(butler: Butler) -> None:
    path = os.fsdecode(b"run/1/\xff\n")
    stray(butler, path)

    assert found(butler) == [("orphan file", path)]


# ------------------------------------------------------------------- leftovers
@on_sqlite
def test_what_a_dead_process_was_writing_is_a_leftover(butler: Butler) -> None:
    made = temporary(butler, dead_pid())

    assert found(butler) == [("leftover", _relative(butler, made))]


@on_sqlite
def test_what_is_being_written_is_not_one(butler: Butler) -> None:
    temporary(butler, os.getpid(), age_s=3500)

    assert found(butler) == []


@on_sqlite
def test_nothing_is_written_for_longer_than_an_hour(butler: Butler) -> None:
    made = temporary(butler, os.getpid(), age_s=3700)

    assert found(butler) == [("leftover", _relative(butler, made))]


@on_sqlite
def test_where_other_hosts_write_only_the_age_counts(
    butler: Butler, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(judging, "is_on_network", lambda _path: True)
    temporary(butler, dead_pid(), age_s=3500)
    old = temporary(butler, dead_pid(), age_s=3700, folder="run/2")

    assert found(butler) == [("leftover", _relative(butler, old))]


# ------------------------------------------------------------ interrupted runs
def test_an_interrupted_run_is_one_finding(butler: Butler, kept: Path) -> None:
    for name in ("id.journal", "id.worker.journal", "id.qg"):
        stray(butler, f"run/1/graphs/{name}")
    stray(butler, "run/1/metric/not-registered-yet")
    stray(butler, "prefix/run/1/metric/nor-this")
    stray(butler, "run/10/unknown")

    first, second = findings(butler)

    assert (first.kind, first.path) == (FindingKind.ORPHAN, "run/10/unknown")
    assert (second.kind, second.run) == (FindingKind.INTERRUPTED, "run/1")
    assert second.path == "run/1/graphs/id.journal"
    assert second.advice == (
        "`pipetask run --extend-run --output-run run/1` registers what was done and goes on"
    )


@on_sqlite
def test_a_run_that_no_registry_knows_yet_is_one_finding(butler: Butler, kept: Path) -> None:
    for name in ("id.host-7.journal", "id.host-8.journal", "id.qg"):
        stray(butler, f"u/me/new/graphs/{name}")
    stray(butler, "u/me/new/metric/not-registered-yet")
    stray(butler, "u/me/old/graphs/id.qg")

    first, second = findings(butler)

    assert (first.kind, first.path) == (FindingKind.ORPHAN, "u/me/old/graphs/id.qg")
    assert (second.kind, second.run) == (FindingKind.INTERRUPTED, None)
    assert second.path == "u/me/new/graphs/id.host-7.journal"
    assert second.advice == (
        f"`butler transfer-from-graph {root_of(butler)}/u/me/new/graphs/id.qg REPO` "
        "registers what was done"
    )


@on_sqlite
def test_missing_files_of_an_interrupted_run_are_told(butler: Butler, kept: Path) -> None:
    stray(butler, "run/1/graphs/id.journal")
    kept.unlink()

    assert [kind for kind, _ in found(butler)] == ["missing file", "interrupted run"]


@pytest.mark.parametrize(
    ("holder", "age_s", "is_at_work"),
    [
        ({"host": socket.gethostname(), "pid": os.getpid()}, 0, True),
        ({"host": socket.gethostname(), "pid": 2**22 + 1}, 0, False),
        ({"host": "another.host", "pid": 2**22 + 1}, 0, True),
        ({"host": "another.host", "pid": 2**22 + 1}, 90, False),
        ("damaged", 0, True),
    ],
)
@on_sqlite
def test_a_run_that_is_going_on_is_not_interrupted(
    butler: Butler, holder: object, age_s: float, is_at_work: bool
) -> None:
    butler.collections.register("run/1")
    stray(butler, "run/1/graphs/id.journal")
    lease = stray(butler, "run/1/graphs/lease", json.dumps(holder).encode())
    then = time.time() - age_s
    os.utime(lease, (then, then))

    assert bool(found(butler)) is not is_at_work


@on_sqlite
def test_a_run_that_has_just_begun_has_no_orphans(butler: Butler) -> None:
    butler.collections.register("run/1")
    holder = {"host": "another.host", "pid": 7}
    lease = stray(butler, "run/1/graphs/lease", json.dumps(holder).encode())
    stray(butler, "run/1/metric/not-registered-yet")

    assert found(butler) == []
    os.utime(lease, (0, 0))
    assert found(butler) == [("orphan file", "run/1/metric/not-registered-yet")]


@on_sqlite
def test_the_folder_of_a_run_may_be_spelled_otherwise(open_butler: Callable[..., Butler]) -> None:
    butler = open_butler(run="my run")
    butler.put({}, "metric", data_id())
    for path in ("my run/graphs/id.journal", "my_run/metric/not-registered-yet"):
        stray(butler, path)

    assert found(butler) == [("interrupted run", "my run/graphs/id.journal")]


# -------------------------------------------------------------------- database
def test_a_broken_database_is_all_that_is_told(tmp_path: Path) -> None:
    with Butler.create(tmp_path / "repo") as butler:
        for number in range(200):
            butler.collections.register(f"run/{number}", doc="x" * 200)
        stray(butler, "stray")
    _break(tmp_path / "repo" / "gen3.sqlite3")

    with Butler(tmp_path / "repo") as butler:
        report = check_repository(butler.repository)

    assert {finding.kind for finding in report.findings} == {FindingKind.DATABASE}
    assert report.findings[0].path == str(tmp_path / "repo" / "gen3.sqlite3")
    assert report.counts == CheckCounts()


def _break(path: Path) -> None:
    """Overwrite a page with descriptions of collections, which opening does not read."""
    connection = sqlite3.connect(path)
    (size,) = connection.execute("PRAGMA page_size").fetchone()
    connection.close()
    content = bytearray(path.read_bytes())
    begin = content.rfind(b"x" * 200) // size * size
    content[begin : begin + size] = b"\xff" * size
    path.write_bytes(content)
