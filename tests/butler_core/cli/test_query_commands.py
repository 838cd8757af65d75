"""Tests of what the recorded answers do not cover: forms for programs, URIs, limits, labels."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

Run = Callable[..., Result]


def test_json_of_several_dataset_types_is_one_array(pristine_repo: Path, run: Run) -> None:
    result = run("query-datasets", pristine_repo, "raw,bias,isr_config", "--format", "json")

    rows = json.loads(result.stdout)
    assert [row["type"] for row in rows] == ["bias"] * 2 + ["isr_config"] + ["raw"] * 4
    assert rows[0]["detector"] == 0
    assert "exposure" not in rows[0]
    assert rows[3]["exposure"] == 1


def test_csv_of_several_dataset_types_has_the_columns_of_all(pristine_repo: Path, run: Run) -> None:
    result = run("query-datasets", pristine_repo, "raw,bias", "--format", "csv", "--show-uri")

    rows = list(csv.DictReader(io.StringIO(result.stdout)))
    assert len(rows) == 6
    assert rows[0]["exposure"] == ""
    assert rows[0]["URI"].startswith(f"file://{pristine_repo}/u/me/bias.1/bias/")
    assert {row["exposure"] for row in rows} == {"", "1", "2"}


@pytest.mark.parametrize("form", ["json", "csv"])
@pytest.mark.parametrize(
    "command",
    [
        ["query-datasets", "raw", "--where", "exposure = 99"],
        ["query-data-ids", "exposure", "--where", "exposure = 99"],
        ["query-dimension-records", "exposure", "--where", "exposure = 99"],
        ["query-collections", "none*"],
        ["query-dataset-types", "none*"],
    ],
)
def test_empty_answers_stay_readable_for_programs(
    pristine_repo: Path, run: Run, command: list[str], form: str
) -> None:
    name, *rest = command
    result = run(name, pristine_repo, *rest, "--format", form)

    assert result.exit_code == 0
    assert result.stderr.startswith("No results: ")
    if form == "json":
        assert json.loads(result.stdout) == []
    else:
        assert len(list(csv.reader(io.StringIO(result.stdout)))) == 1


def test_tree_as_json_has_depths(pristine_repo: Path, run: Run) -> None:
    result = run("query-collections", pristine_repo, "Cam/defaults", "--format", "json", "-t")

    assert json.loads(result.stdout)[:2] == [
        {"name": "Cam/defaults", "type": "CHAINED", "depth": 0, "dataset_types": []},
        {"name": "Cam/raw/all", "type": "RUN", "depth": 1, "dataset_types": ["raw"]},
    ]


def test_flatten_shows_what_chains_lead_to(pristine_repo: Path, run: Run) -> None:
    flat = run("query-collections", pristine_repo, "Cam/defaults", "--chains", "FLATTEN")
    alone = run("query-collections", pristine_repo, "Cam/defaults", "--chains", "no-children")

    assert [line.split()[0] for line in flat.stdout.splitlines()[2:]] == [
        "Cam/raw/all",
        "Cam/calib/1",
    ]
    assert [line.split()[0] for line in alone.stdout.splitlines()[2:]] == ["Cam/defaults"]


def test_records_as_json_have_both_ends_of_their_timespan(pristine_repo: Path, run: Run) -> None:
    result = run("query-dimension-records", pristine_repo, "day_obs", "--format", "json")

    (row,) = json.loads(result.stdout)
    assert row["timespan.begin"].startswith("2021-07-07T12:00:00")
    assert row["timespan.end"].startswith("2021-07-08T12:00:00")


@pytest.mark.parametrize(
    ("limit", "rows", "warns"), [(-2, 2, True), (2, 2, False), (-4, 4, False), (0, 4, False)]
)
@pytest.mark.parametrize(
    "command", [["query-datasets", "raw"], ["query-data-ids", "exposure", "detector"]]
)
def test_a_negative_limit_warns_when_it_is_hit(
    pristine_repo: Path, run: Run, command: list[str], limit: int, rows: int, warns: bool
) -> None:
    name, *rest = command
    result = run(name, pristine_repo, *rest, "--format", "json", "--limit", limit)

    assert len(json.loads(result.stdout)) == rows
    assert ("more than the" in result.stderr) is warns


def test_offset_leaves_out_the_first_rows(pristine_repo: Path, run: Run) -> None:
    result = run(
        "query-data-ids", pristine_repo, "exposure", "--limit", 5, "--offset", 1, "--format", "json"
    )

    assert [row["exposure"] for row in json.loads(result.stdout)] == [2]


def test_data_ids_can_be_of_patterns_of_dataset_types(pristine_repo: Path, run: Run) -> None:
    result = run("query-data-ids", pristine_repo, "--datasets", "isr_l*", "--format", "json")

    assert len(json.loads(result.stdout)) == 4


def test_a_repository_can_be_named_by_label(
    pristine_repo: Path, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    index = tmp_path / "index.yaml"
    index.write_text(f"main: {pristine_repo}\n")
    monkeypatch.setenv("DAF_BUTLER_REPOSITORY_INDEX", str(index))

    answers = [
        run("query-dataset-types", place)
        for place in ("main", pristine_repo, pristine_repo / "butler.yaml")
    ]

    assert "isr_config" in answers[0].stdout
    assert len({result.stdout for result in answers}) == 1


def test_config_dump_shows_all_or_a_part(pristine_repo: Path, run: Run, tmp_path: Path) -> None:
    whole = run("config-dump", pristine_repo, "--file", tmp_path / "out.yaml")
    part = run("config-dump", pristine_repo, "--subset", ".registry.db")

    assert whole.exit_code == 0
    assert "templates:" in (tmp_path / "out.yaml").read_text()
    assert part.stdout == ".registry.db: sqlite:///<butlerRoot>/gen3.sqlite3\n"
