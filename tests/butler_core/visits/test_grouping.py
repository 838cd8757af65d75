"""Tests of which exposures make which visits, in each visit system."""

from __future__ import annotations

from typing import Any

import pytest

from butler_core.visits.grouping import VisitGroup, group_exposures, systems_of
from butler_core.visits.request import VisitSystem

ONE, GROUP, SEQUENCE = VisitSystem


def exposures(*rows: tuple[int, int, int], groups: list[str] | None = None) -> dict[str, list[Any]]:
    """Return columns of exposures given as (seq_num, seq_start, seq_end)."""
    return {
        "id": [100 + seq for seq, _, _ in rows],
        "obs_id": [f"o{seq}" for seq, _, _ in rows],
        "group": groups or [str(seq) for seq, _, _ in rows],
        "day_obs": [20210707] * len(rows),
        "seq_num": [seq for seq, _, _ in rows],
        "seq_start": [start for _, start, _ in rows],
        "seq_end": [end for _, _, end in rows],
    }


def test_one_to_one_visits_are_their_exposures() -> None:
    found = group_exposures(exposures((1, 1, 2), (2, 1, 2)), 0)

    assert found.visits == [
        VisitGroup(101, "o1", (0,), (ONE,)),
        VisitGroup(102, "o2", (1,), (ONE,)),
    ]


def test_group_metadata_name_the_visit() -> None:
    groups = ["2021-07-07T20:10:05.123", "2021-07-07T20:10:05.123", "77"]

    found = group_exposures(exposures((2, 2, 2), (1, 1, 1), (3, 3, 3), groups=groups), 1)

    assert found.visits == [
        VisitGroup(2056182051230000, groups[0], (1, 0), (GROUP,)),
        VisitGroup(77, "77", (2,), (GROUP,)),
    ]


def test_exposure_alone_in_its_sequence_is_one_visit_in_both_systems() -> None:
    found = group_exposures(exposures((5, 5, 5)), 2)

    assert found.visits == [VisitGroup(105, "o5", (0,), (ONE, SEQUENCE))]


def test_sequence_takes_the_first_exposures_id_and_that_a_nine() -> None:
    found = group_exposures(exposures((6, 5, 6), (5, 5, 6)), 2)

    assert found.visits == [
        VisitGroup(9105, "o5_first", (1,), (ONE,)),
        VisitGroup(106, "o6", (0,), (ONE,)),
        VisitGroup(105, "o5", (1, 0), (SEQUENCE,)),
    ]
    assert found.warnings == []


def test_sequence_without_its_first_exposure_makes_no_visit_of_several() -> None:
    found = group_exposures(exposures((6, 5, 7), (7, 5, 7)), 2)

    assert [visit.systems for visit in found.visits] == [(ONE,), (ONE,)]
    assert "sequence 5 to 7 of day 20210707" in found.warnings[0]


def test_counter_of_zero_means_that_there_is_none() -> None:
    found = group_exposures(exposures((0, 1, 2)), 2)

    assert [visit.systems for visit in found.visits] == [(ONE,)]
    assert found.warnings == []


@pytest.mark.parametrize(
    ("system", "names"),
    [(0, ["one-to-one"]), (1, ["by-group-metadata"]), (2, ["one-to-one", "by-seq-start-end"])],
)
def test_instruments_have_the_visit_systems_of_their_record(system: int, names: list[str]) -> None:
    assert [str(one) for one in systems_of(system)] == names
