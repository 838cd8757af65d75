"""Which exposures make which visits. Pure: columns in, groups out.

The rules, ids and names are those of Rubin's middleware (lsst/obs_base,
``defineVisits``), with one choice for each ``visit_system`` of an instrument:

- 0, one-to-one: a visit has the id and name of its exposure.
- 1, by-group-metadata: a visit has the group's name, and an id computed from it.
- 2, by-seq-start-end, and one-to-one as well: exposures of one day with the
  same ``seq_start`` and ``seq_end`` make a visit with the first one's id and
  name; an exposure that was alone in its sequence is one visit in both systems;
  the first of several gets a 9 before its own visit's id.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from butler_core.visits.request import VisitSystem

Columns = Mapping[str, Sequence[Any]]

_ONE = (VisitSystem.ONE_TO_ONE,)
_BOTH = (VisitSystem.ONE_TO_ONE, VisitSystem.BY_SEQ_START_END)
_SEQUENCE = (VisitSystem.BY_SEQ_START_END,)


@dataclass(frozen=True, slots=True)
class VisitGroup:
    """The exposures of one visit."""

    id: int
    name: str
    #: Rows of its exposures in the columns given, by counter.
    rows: tuple[int, ...]
    systems: tuple[VisitSystem, ...]


@dataclass(frozen=True, slots=True)
class Grouping:
    """Visits, and what prevented others."""

    visits: list[VisitGroup]
    warnings: list[str]


def systems_of(visit_system: int) -> tuple[VisitSystem, ...]:
    """Return the visit systems that an instrument of a ``visit_system`` has."""
    if visit_system == VisitSystem.BY_SEQ_START_END:
        return _BOTH
    return (VisitSystem(visit_system),)


def group_exposures(exposures: Columns, visit_system: int) -> Grouping:
    """Group exposures into visits.

    Parameters
    ----------
    exposures
        Columns of exposure records: ``id``, ``obs_id``, ``group``, ``day_obs``,
        ``seq_num``, ``seq_start``, ``seq_end``.
    visit_system
        That of the instrument's record.
    """
    if visit_system == VisitSystem.ONE_TO_ONE:
        return Grouping(_alone(exposures, range(len(exposures["id"])), _ONE), [])
    if visit_system == VisitSystem.BY_GROUP_METADATA:
        return Grouping(_by_group(exposures), [])
    return _by_counter(exposures)


def sequence_keys(exposures: Columns, visit_system: int) -> list[tuple[Any, ...]]:
    """Return what exposures of one visit have in common, for each exposure."""
    names = {
        VisitSystem.ONE_TO_ONE: ("id",),
        VisitSystem.BY_GROUP_METADATA: ("group",),
        VisitSystem.BY_SEQ_START_END: ("day_obs", "seq_start", "seq_end"),
    }[VisitSystem(visit_system)]
    return list(zip(*(exposures[name] for name in names), strict=True))


def _alone(
    exposures: Columns, rows: Sequence[int], systems: tuple[VisitSystem, ...]
) -> list[VisitGroup]:
    return [
        VisitGroup(exposures["id"][row], exposures["obs_id"][row], (row,), systems) for row in rows
    ]


def _by_group(exposures: Columns) -> list[VisitGroup]:
    from butler_core.cameras.translators.lsst_ids import visit_id_of_group

    groups: dict[str, list[int]] = {}
    for row, name in enumerate(exposures["group"]):
        groups.setdefault(name, []).append(row)
    return [
        VisitGroup(
            visit_id_of_group(name),
            name,
            _by_seq_num(exposures, rows),
            (VisitSystem.BY_GROUP_METADATA,),
        )
        for name, rows in groups.items()
    ]


def _by_counter(exposures: Columns) -> Grouping:
    sequences: dict[tuple[Any, ...], list[int]] = {}
    for row, key in enumerate(sequence_keys(exposures, VisitSystem.BY_SEQ_START_END)):
        sequences.setdefault(key, []).append(row)
    found = Grouping([], [])
    for (day_obs, start, end), members in sequences.items():
        rows = _by_seq_num(exposures, members)
        if start == end:
            found.visits.extend(_alone(exposures, rows, _BOTH))
            continue
        first = rows[0]
        if exposures["seq_num"][first] != start:
            # A counter of 0 says that the instrument has none, and so no sequences.
            if exposures["seq_num"][first] != 0:
                found.warnings.append(
                    f"the first exposure of the sequence {start} to {end} of day {day_obs} is "
                    "not there, so its exposures make visits of their own only"
                )
            found.visits.extend(_alone(exposures, rows, _ONE))
            continue
        key, name = exposures["id"][first], exposures["obs_id"][first]
        found.visits.append(VisitGroup(int(f"9{key}"), f"{name}_first", (first,), _ONE))
        found.visits.extend(_alone(exposures, rows[1:], _ONE))
        found.visits.append(VisitGroup(key, name, rows, _SEQUENCE))
    return found


def _by_seq_num(exposures: Columns, rows: Sequence[int]) -> tuple[int, ...]:
    return tuple(
        sorted(rows, key=lambda row: (exposures["seq_num"][row] or 0, exposures["id"][row]))
    )
