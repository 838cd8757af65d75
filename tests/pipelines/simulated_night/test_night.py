"""Tests of writing a night: the same bytes every time, and only into its own folder."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from butler_core.errors import WriteFileError
from pipelines.simulated_night.__main__ import main
from pipelines.simulated_night.night import MANIFEST_NAME, NightReport, write_night
from pipelines.simulated_night.night_plan import NightSettings

TINY = NightSettings(n_science=2, n_calibrations=1, n_rows=32)


def checksums(folder: Path) -> dict[str, str]:
    files = json.loads((folder / MANIFEST_NAME).read_text())["files"]
    assert isinstance(files, dict)
    return files


@pytest.fixture(scope="module")
def tiny_night(tmp_path_factory: pytest.TempPathFactory) -> NightReport:
    return write_night(tmp_path_factory.mktemp("tiny"), TINY)


def test_same_settings_give_the_same_bytes_with_any_number_of_processes(
    tiny_night: NightReport, tmp_path: Path
) -> None:
    again = write_night(tmp_path / "new" / "night", TINY, n_processes=2)

    assert checksums(again.folder) == checksums(tiny_night.folder)
    assert len(checksums(again.folder)) >= 6 + 2 + 2 + 2


def test_another_seed_gives_other_pixels(tiny_night: NightReport, tmp_path: Path) -> None:
    other = write_night(tmp_path, NightSettings(seed=1, n_science=2, n_calibrations=1, n_rows=32))

    assert not checksums(other.folder).items() & checksums(tiny_night.folder).items()


def test_hands_on_glob_finds_the_science_files(tiny_night: NightReport) -> None:
    found = sorted((tiny_night.folder / "raw").glob("2021-07-07/20210707003*"))

    assert [path.name for path in found] == [
        "2021070700300-R00-S00-det000.fits",
        "2021070700301-R00-S00-det000.fits",
    ]


def test_night_that_is_there_is_known_again(tiny_night: NightReport) -> None:
    before = {path: path.stat().st_mtime_ns for path in tiny_night.raw_files()}

    report = write_night(tiny_night.folder, TINY)

    assert report.was_there
    assert report.trixels == tiny_night.trixels
    assert {path: path.stat().st_mtime_ns for path in report.raw_files()} == before


def test_night_that_was_moved_names_its_shards_anew(
    tiny_night: NightReport, tmp_path: Path
) -> None:
    moved = tmp_path / "moved"
    shutil.copytree(tiny_night.folder, moved)

    report = write_night(moved, TINY)

    assert report.was_there
    assert str(moved) in (moved / "refcats" / "gaia_dr2_20191105.ecsv").read_text()


def test_folder_with_something_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("")

    with pytest.raises(WriteFileError, match=r"no 'night.json'.*Give another folder"):
        write_night(tmp_path, TINY)

    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


def test_folder_with_another_night_is_refused(tiny_night: NightReport) -> None:
    with pytest.raises(WriteFileError, match=r"'seed': 7.*which holds the night of"):
        write_night(
            tiny_night.folder, NightSettings(seed=7, n_science=2, n_calibrations=1, n_rows=32)
        )


def test_night_with_a_changed_file_is_refused(tiny_night: NightReport, tmp_path: Path) -> None:
    changed = tmp_path / "changed"
    shutil.copytree(tiny_night.folder, changed)
    (changed / "truth" / "defects.ecsv").write_text("nothing")

    with pytest.raises(WriteFileError, match=r"1 files missing, changed or added.*defects.ecsv"):
        write_night(changed, TINY)


def test_night_with_a_broken_list_is_refused(tiny_night: NightReport, tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    shutil.copytree(tiny_night.folder, broken)
    (broken / MANIFEST_NAME).write_text("[]")

    with pytest.raises(WriteFileError, match=r"'night.json' is broken"):
        write_night(broken, TINY)


def test_command_prints_a_table_and_says_what_is_there(tiny_night: NightReport) -> None:
    options = ["--science", "2", "--calibrations", "1", "--rows", "32"]

    outcome = CliRunner().invoke(main, [str(tiny_night.folder), *options])

    assert outcome.exit_code == 0
    assert "6 raw files" in outcome.output
    assert "holds this night already" in outcome.output
    assert "2021070700300 to 2021070700300" in outcome.output


def test_command_refuses_with_a_message_and_no_traceback(tmp_path: Path) -> None:
    outcome = CliRunner().invoke(main, [str(tmp_path), "--rows", "31"])

    assert outcome.exit_code == 1
    assert "31 rows; give an even number" in outcome.output
    assert "Traceback" not in outcome.output
