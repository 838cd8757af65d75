"""Tests of the reason that is given for an empty answer."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from butler_core.butler.butler import Butler
from butler_core.queries.explain import EmptyQuestion, conjuncts, explain_empty

DIMENSIONS = ("exposure", "detector")


def reasons(repo: Path, **question: object) -> list[str]:
    with Butler(repo) as butler:
        asked = EmptyQuestion(**{"dimensions": DIMENSIONS, **question})  # type: ignore[arg-type]
        return explain_empty(butler.repository.registry, asked)


def test_the_one_condition_that_empties_is_named(pristine_repo: Path) -> None:
    found = reasons(pristine_repo, where="detector = 1 AND (exposure = 1 AND exposure.seq_num = 7)")

    assert found == ["without the condition `exposure.seq_num = 7` there would be 1"]


def test_each_condition_that_empties_by_leaving_it_is_named(pristine_repo: Path) -> None:
    found = reasons(pristine_repo, where="exposure = 1 AND exposure.seq_num = 2")

    assert found == [
        "without the condition `exposure = 1` there would be 2",
        "without the condition `exposure.seq_num = 2` there would be 2",
    ]


def test_conditions_that_empty_together_are_counted_alone(pristine_repo: Path) -> None:
    found = reasons(pristine_repo, where="exposure = 9 AND detector = 8 AND band = 'g'")

    assert found == [
        (
            "no single condition is the cause: of 4 in all, alone, `exposure = 9` leaves 0, "
            "`detector = 8` leaves 0, `band = 'g'` leaves 4"
        )
    ]


def test_bound_values_stay_bound(pristine_repo: Path) -> None:
    found = reasons(pristine_repo, where="exposure = :e", bind={"e": 9})

    assert found == ["without the condition `exposure = :e` there would be 4"]


def test_collections_without_such_datasets_are_named(pristine_repo: Path) -> None:
    found = reasons(pristine_repo, datasets=[("raw", ["u/me/run1", "Cam/calib"])])

    assert found == ["'u/me/run1', 'Cam/calib' hold no 'raw'; there are some in 'Cam/raw/all'"]


def test_a_dataset_type_without_datasets_is_told(pristine_repo: Path) -> None:
    found = reasons(pristine_repo, datasets=[("flat", ["u/me/run1"])])

    assert found == ["'u/me/run1' holds no 'flat'; nor does any other collection"]


def test_dimensions_without_records_are_named_with_the_remedy(pristine_repo: Path) -> None:
    found = reasons(pristine_repo, dimensions=["visit"], where="visit = 3")

    assert found == ["the repository has no 'visit' records; `butler define-visits` makes them"]


def test_conjuncts_are_those_of_and_alone() -> None:
    assert conjuncts("a.b = 1 AND (c.d = 2 OR e.f = 3) AND NOT g.h = 4") == [
        "a.b = 1",
        "c.d = 2 OR e.f = 3",
        "NOT g.h = 4",
    ]
    assert conjuncts("  ") == []


@pytest.mark.parametrize(
    ("args", "expected"),
    [
        (
            ["query-datasets", "raw", "--collections", "u/me/run1"],
            "No results: 'u/me/run1' holds no 'raw'; there are some in 'Cam/raw/all'.",
        ),
        (
            ["query-datasets", "*", "--collections", "tag"],
            "No results: none of the 5 dataset types has any in the collections searched.",
        ),
        (
            ["query-datasets", "raw,bias", "--where", "detector = 7"],
            (
                "No results: bias: without the condition `detector = 7` there would be 2; "
                "raw: without the condition `detector = 7` there would be 4."
            ),
        ),
        (["query-datasets", "none*"], "No results: no dataset type matches 'none*'."),
        (
            ["query-datasets", "raw", "--collections", "none*"],
            "No results: no collection matches 'none*'.",
        ),
        (
            ["query-data-ids", "detector", "--where", "detector = 7"],
            "No results: without the condition `detector = 7` there would be 2.",
        ),
        (
            ["query-dimension-records", "tract"],
            (
                "No results: the repository has no 'skymap' records; `butler register-skymap` "
                "makes them; the repository has no 'tract' records; `butler register-skymap` "
                "makes them."
            ),
        ),
    ],
)
def test_query_commands_say_why_they_are_empty(
    pristine_repo: Path, run: Callable[..., Result], args: list[str], expected: str
) -> None:
    name, *rest = args
    result = run(name, pristine_repo, *rest)

    assert (result.exit_code, result.stdout) == (0, "")
    assert result.stderr == f"{expected}\n"
