"""Every condition that the chapter on queries shows is answered, or refused, as it says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from butler_core import Butler
from butler_core.errors import QueryError, RegionError, TimespanError
from butler_core.queries.query import Query

PAGE = (Path(__file__).parents[3] / "docs" / "queries.md").read_text(encoding="utf-8")


def _lines(language: str) -> list[str]:
    blocks = re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    return [line for block in blocks for line in block.splitlines()]


def _asked(butler: Butler, condition: str) -> Query:
    query = butler.query().where(condition)
    for named, dataset_type, collection in (
        ("raw.", "raw", "CamA/raw"),
        ("bias.", "bias", "calib/A"),
        ("htm7.", "refcat", "refcats"),
    ):
        if named in condition:
            query = query.join_dataset_search(dataset_type, collection)
    return query


@pytest.mark.parametrize("condition", _lines("where"))
def test_a_condition_shown_has_an_answer(wide: Butler, condition: str) -> None:
    assert _asked(wide, condition).count(["exposure"]) >= 0


@pytest.mark.parametrize("condition", _lines("refused"))
def test_a_condition_shown_as_refused_is(wide: Butler, condition: str) -> None:
    with pytest.raises((QueryError, RegionError, TimespanError)):
        _asked(wide, condition).count(["exposure"])


def test_the_page_shows_conditions() -> None:
    assert len(_lines("where")) > 40
    assert len(_lines("refused")) > 8
