"""From what headers say to columns of dimension records. Pure: stores nothing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import fields
from typing import Any

from butler_core.cameras.observation import ExposureFacts
from butler_core.timespan import Timespan

Columns = dict[str, list[Any]]

#: Facts that are not columns of an exposure's record.
_NOT_OF_EXPOSURE = frozenset({"detector", "day_obs_offset_s", "begin_ns", "end_ns"})


def exposure_columns(exposures: Sequence[ExposureFacts]) -> Columns:
    """Return the ``exposure`` records of exposures, each given once.

    One that lasts no time gets the nanosecond in which it begins, as in Rubin's
    repositories, so that it overlaps something.
    """
    names = [field.name for field in fields(ExposureFacts) if field.name not in _NOT_OF_EXPOSURE]
    spans = [Timespan.from_times(facts.begin_ns, facts.end_ns) for facts in exposures]
    return {name: [getattr(facts, name) for facts in exposures] for name in names} | {
        "begin_ns": [span.begin_ns for span in spans],
        "end_ns": [span.end_ns for span in spans],
    }


def group_columns(exposures: Iterable[ExposureFacts]) -> Columns:
    """Return the ``group`` records that exposures refer to, each once."""
    groups = dict.fromkeys((facts.instrument, facts.group) for facts in exposures)
    return {"instrument": [i for i, _ in groups], "name": [name for _, name in groups]}


def day_obs_columns(exposures: Iterable[ExposureFacts]) -> Columns:
    """Return the ``day_obs`` records that exposures refer to, each once.

    The day's timespan is 24 hours from the observatory's offset; of exposures
    that disagree the first counts.
    """
    offsets: dict[tuple[str, int], int] = {}
    for facts in exposures:
        offsets.setdefault((facts.instrument, facts.day_obs), facts.day_obs_offset_s)
    spans = [Timespan.from_day_obs(day, offset_s=offset) for (_, day), offset in offsets.items()]
    return {
        "instrument": [instrument for instrument, _ in offsets],
        "id": [day for _, day in offsets],
        "begin_ns": [span.begin_ns for span in spans],
        "end_ns": [span.end_ns for span in spans],
    }
