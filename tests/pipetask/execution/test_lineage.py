"""``butler lineage``, over two runs of a small pipeline."""

from __future__ import annotations

import json
import uuid
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from butler_core import Butler
from butler_core.cli.butler_program import butler as program


def lineage(*words: object) -> Any:
    return CliRunner().invoke(program, ["lineage", *map(str, words)])


@pytest.fixture
def repo(runs: Any) -> Path:
    """Return a repository with frames of a first run, and what a second one made of them."""
    runs(runs.pipeline(isr=("IsrTask", {"idle": [31]})), "u/1")
    runs(runs.pipeline(gather="GatherTask", split="SplitTask"), "u/2",
         request={"input_collections": ("u/1",)})  # fmt: skip
    place: Path = runs.butler.repository.root
    return place


def test_a_dataset_is_followed_back_through_runs_to_the_raws(repo: Path) -> None:
    result = lineage(repo, "total", "instrument=Cam", "exposure=1", "--collections", "u/2")

    assert result.exit_code == 0, result.output
    assert result.output.splitlines() == [
        "total {instrument: 'Cam', exposure: 1} in u/2 by gather",
        "made from:",
        "  frame {instrument: 'Cam', detector: 0, exposure: 1} in u/1 by isr",
        "    raw {instrument: 'Cam', detector: 0, exposure: 1} in raw/all",
        "  frame {instrument: 'Cam', detector: 1, exposure: 1} in u/1 by isr",
        "    raw {instrument: 'Cam', detector: 1, exposure: 1} in raw/all",
        "nothing was made from it",
    ]


def test_a_raw_is_followed_to_all_that_was_made_from_it(repo: Path) -> None:
    result = lineage(repo, "raw", "instrument=Cam", "exposure=2", "detector=1",
                     "--collections", "raw/all", "--forward")  # fmt: skip

    assert result.exit_code == 0, result.output
    assert sorted(result.output.splitlines()[2:]) == [
        "    high {instrument: 'Cam', detector: 1, exposure: 2} in u/2 by split",
        "    low {instrument: 'Cam', detector: 1, exposure: 2} in u/2 by split",
        "    total {instrument: 'Cam', exposure: 2} in u/2 by gather",
        "  frame {instrument: 'Cam', detector: 1, exposure: 2} in u/1 by isr",
    ]


def test_what_was_never_made_is_in_no_lineage(repo: Path) -> None:
    result = lineage(repo, "raw", "instrument=Cam", "exposure=3", "detector=1",
                     "--collections", "raw/all", "--json", "-")  # fmt: skip

    found = json.loads(result.output)
    assert [each["type"] for each in found["datasets"].values()] == ["raw"]


def test_json_names_maker_sources_and_products(repo: Path) -> None:
    with Butler(repo, collections="u/1") as butler:
        ref = butler.find_dataset("frame", instrument="Cam", exposure=1, detector=0)
        assert ref is not None

    result = lineage(repo, ref.id, "--json", "-")

    found = json.loads(result.output)
    own = found["datasets"][str(ref.id)]
    assert found["dataset"] == str(ref.id)
    assert own["made_by"]["task"] == "isr"
    assert [found["datasets"][each]["type"] for each in own["made_from"]] == ["raw"]
    types = {found["datasets"][each]["type"] for each in own["made_into"]}
    assert types == {"total", "low", "high"}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["frame"], "is no dataset's id; for the name of a type, give --collections"),
        ([uuid.UUID(int=7)], "there is no dataset with the id 00000000-0000"),
        (["frame", "exposure", "--collections", "u/1"], "a data ID takes KEY=VALUE"),
        ([uuid.UUID(int=7), "exposure=1"], "KEY=VALUE goes with the name of a type"),
    ],
)
def test_wrong_words_are_told(repo: Path, words: list[object], said: str) -> None:
    result = lineage(repo, *words)

    assert result.exit_code != 0
    assert said in result.stderr
