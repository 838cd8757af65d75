"""Calibrations looked up for a time, found where the peer finds them."""

from __future__ import annotations

from typing import Any

from butler_core import Butler, Timespan
from butler_core.errors import ButlerError

_LOOKED_UP = (
    ("2024-01-10T00:00:00", "2024-01-10T00:00:01"),
    ("2024-01-11T20:00:00", "2024-01-11T20:20:00"),
    ("2024-01-11T20:19:59", "2024-01-11T20:20:01"),
    ("2023-01-01T00:00:00", "2023-01-02T00:00:00"),
    ("2024-01-11T23:00:00", "2024-01-12T01:00:00"),
    ("2024-01-12T00:00:00", None),
)


def test_calibrations_are_found_for_the_times_the_peer_finds_them(peer: Any, ours: Butler) -> None:
    searched = ("calib", "calib/A", "calib/B", ["calib/A", "calib/run2"], ["calib/run1", "calib"])
    exposures = (100, 101, 102, 105, 107, 110, 111)
    times = [{"data_id": {"exposure": exposure}} for exposure in exposures]
    times += [{"data_id": {}, "timespan": span} for span in _LOOKED_UP]
    questions = [
        {"type": "bias", "collections": collections, **time,
         "data_id": {"instrument": "CamA", "detector": detector, **time["data_id"]}}
        for collections in searched
        for detector in range(4)
        for time in times
    ]  # fmt: skip

    theirs = peer("find", questions)

    differences = [
        (question, ours_found, expected)
        for question, expected in zip(questions, theirs, strict=True)
        if (ours_found := _found(ours, question)) != _outcome(expected)
    ]
    assert not differences, differences[:5]
    assert len({repr(found) for found in theirs}) >= 4


def _outcome(found: Any) -> Any:
    if isinstance(found, dict):
        return None if found["error"] == "DatasetNotFoundError" else "refused"
    return found


def _found(butler: Butler, question: dict[str, Any]) -> Any:
    span = question.get("timespan")
    try:
        ref = butler.find_dataset(
            question["type"],
            question["data_id"],
            collections=question["collections"],
            timespan=None if span is None else Timespan.from_times(*span),
        )
    except ButlerError:
        return "refused"
    return None if ref is None else ref.run
