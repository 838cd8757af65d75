"""Tests of ``butler check``: what it prints, writes and returns."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from butler_core.butler.butler import Butler
from tests.disorder import data_id, dead_pid, files, path_of, rows, stray, temporary

Run = Callable[..., Result]


def lines(result: Result) -> list[str]:
    """Return what was printed, with single blanks."""
    return [" ".join(line.split()) for line in result.stdout.splitlines()]


def raws(repo: Path) -> list[Path]:
    return sorted(repo.rglob("raw_*.yaml"))


def test_a_repository_in_order_is_one_line(repo: Path, run: Run) -> None:
    result = run("check", repo)

    assert result.exit_code == 0
    assert result.stdout == "11 files of 11 datasets checked, 0 not local\n"


def test_checksums_are_counted(repo: Path, run: Run) -> None:
    result = run("check", repo, "--checksums")

    assert result.exit_code == 0
    assert result.stdout.endswith("11 datasets checked, 0 not local, 11 checksums compared\n")


def test_findings_are_listed_by_kind(repo: Path, run: Run) -> None:
    first, second, *_ = raws(repo)
    first.unlink()
    second.write_bytes(b"longer than before")
    (repo / "stray").touch()

    result = run("check", repo)

    assert result.exit_code == 1
    assert result.stderr == ""
    printed = lines(result)
    assert printed[:6] == [
        "kind count", "------------ -----",
        "missing file 1", "wrong size 1", "orphan file 1", "",
    ]  # fmt: skip
    assert printed[6:8] == ["missing file:", "path dataset type run expected found"]
    assert f"{first.relative_to(repo)} raw Cam/raw/all 5 bytes nothing" in printed
    assert f"{second.relative_to(repo)} raw Cam/raw/all 5 bytes 18 bytes" in printed
    assert "stray nothing 0 bytes" in printed
    assert printed[-2:] == ["", "11 files of 11 datasets checked, 0 not local"]


def test_twenty_of_each_kind_are_listed_and_all_are_written(
    repo: Path, run: Run, tmp_path: Path
) -> None:
    for number in range(23):
        (repo / f"stray{number:02d}").touch()
    (repo / "cameras").mkdir()
    raws(repo)[0].unlink()

    result = run("check", repo, "--json", tmp_path / "found.json")

    assert result.exit_code == 1
    printed = lines(result)
    assert sum(line.startswith("stray") for line in printed) == 20
    assert "... and 3 more" in printed
    written = json.loads((tmp_path / "found.json").read_text())
    assert [row["path"] for row in written[1:]] == [f"stray{n:02d}" for n in range(23)]
    assert written[0] == {
        "kind": "missing file",
        "path": str(raws(repo)[0].relative_to(repo)).replace("o1_D1", "o1_D0"),
        "dataset_type": "raw",
        "run": "Cam/raw/all",
        "expected": "5 bytes",
        "found": "nothing",
        "advice": "",
        "repair": "",
        "is_repaired": False,
    }


def test_nothing_wrong_is_an_empty_list(repo: Path, run: Run, tmp_path: Path) -> None:
    run("check", repo, "--json", tmp_path / "found.json")

    assert json.loads((tmp_path / "found.json").read_text()) == []


def test_a_file_for_findings_needs_a_folder(repo: Path, run: Run, tmp_path: Path) -> None:
    result = run("check", repo, "--json", tmp_path / "absent" / "found.json")

    assert result.exit_code == 2
    assert "there is no such folder" in result.stderr


def test_an_interrupted_run_comes_with_what_to_do(repo: Path, run: Run) -> None:
    (repo / "u/me/run1/graphs").mkdir()
    (repo / "u/me/run1/graphs/id.journal").touch()
    (repo / "u/me/run1/not-registered-yet").touch()

    for arguments in ((), ("--repair",)):
        result = run("check", repo, *arguments)

        assert result.exit_code == 1
        assert "orphan" not in result.stdout
        assert (
            "`pipetask run --extend-run --output-run u/me/run1` registers what was done and goes on"
        ) in lines(result)


def test_odd_names_take_one_line(repo: Path, run: Run) -> None:
    (repo / os.fsdecode(b"odd\nname \xff")).touch()

    result = run("check", repo)

    assert result.exit_code == 1
    assert r"odd\nname \udcff nothing 0 bytes" in lines(result)


def test_a_repair_says_what_it_did(repo: Path, run: Run, tmp_path: Path) -> None:
    first, second, *_ = raws(repo)
    first.unlink()
    second.write_bytes(b"longer than before")
    (repo / "stray").touch()

    result = run("check", repo, "--repair", "--json", tmp_path / "found.json")

    assert result.exit_code == 0
    name = second.relative_to(repo)
    printed = lines(result)
    assert "stray nothing 0 bytes moved to 'lost+found/stray'" in printed
    assert any(line.endswith("5 bytes nothing record removed") for line in printed)
    assert any(line.endswith(f"file moved to 'lost+found/{name}'") for line in printed)
    assert printed[-2] == "3 of 3 findings repaired"
    written = json.loads((tmp_path / "found.json").read_text())
    assert [row["is_repaired"] for row in written] == [True] * 3
    assert run("check", repo).stdout == "9 files of 9 datasets checked, 0 not local\n"
    with Butler(repo) as butler:
        assert butler.query_datasets("raw", "*").count() == 4


def test_what_is_left_after_a_repair_is_an_error(repo: Path, run: Run) -> None:
    first = raws(repo)[0]
    first.unlink()
    first.symlink_to(first)
    (repo / "stray").touch()

    result = run("check", repo, "--repair")

    assert result.exit_code == 1
    assert lines(result)[-2] == "1 of 2 findings repaired"


def test_errors_are_one_line(repo: Path, run: Run) -> None:
    result = run("check", repo / "Cam")

    assert result.exit_code == 1
    assert result.stderr.startswith("Error: the directory ")
    assert result.stderr.count("\n") == 1


# ------------------------------------------------------- registries of both kinds
@pytest.mark.parametrize("option", [None, "--repair"])
def test_a_repository_on_either_database(butler: Butler, run: Run, option: str | None) -> None:
    kept = path_of(butler, butler.put({"n": 1}, "metric", data_id()))
    path_of(butler, butler.put({"n": 1}, "metric", data_id(101))).unlink()
    kept.write_bytes(b"damaged")
    stray(butler, "stray")
    temporary(butler, dead_pid())
    before = rows(butler), files(butler)

    result = run("check", butler.repository.root, *filter(None, [option]))

    assert result.exit_code == (0 if option else 1), result.stderr
    assert [line for line in lines(result) if line.endswith(" 1")] == [
        "missing file 1", "wrong size 1", "orphan file 1", "leftover 1",
    ]  # fmt: skip
    if option is None:
        assert (rows(butler), files(butler)) == before
    else:
        assert rows(butler) == []
        assert sorted(files(butler).values()) == [b"damaged", b"stray"]
        assert run("check", butler.repository.root, "--repair").exit_code == 0
