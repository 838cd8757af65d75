"""From groups of exposures to columns of visit records. Pure: stores nothing.

How a visit's values follow from those of its exposures is as in Rubin's
middleware: sums of times, the value that all have in common (or none), means
of angles.
"""

from __future__ import annotations

import cmath
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from butler_core.visits.footprint import Footprint, Pointings
from butler_core.visits.grouping import VisitGroup

Exposures = Mapping[str, Sequence[Any]]
Columns = dict[str, list[Any]]


def visit_columns(
    instrument: str, visits: Sequence[VisitGroup], exposures: Exposures, footprint: Footprint
) -> Columns:
    """Return the ``visit`` records of some groups of exposures.

    Parameters
    ----------
    exposures
        Columns of exposure records; the groups' rows count in them.
    footprint
        The camera's outlines.
    """

    def combined(name: str, rule: Callable[[list[Any]], Any]) -> list[Any]:
        column = exposures[name]
        return [rule([column[row] for row in visit.rows]) for visit in visits]

    reasons = combined("observation_reason", _common)
    return {
        "instrument": [instrument] * len(visits),
        "id": [visit.id for visit in visits],
        "name": [visit.name for visit in visits],
        "day_obs": combined("day_obs", min),
        "physical_filter": combined("physical_filter", _common),
        "seq_num": combined("seq_num", _unless_missing(min)),
        "exposure_time": combined("exposure_time", _unless_missing(sum)),
        "target_name": combined("target_name", _common),
        "observation_reason": ["various" if reason is None else reason for reason in reasons],
        "science_program": combined("science_program", _common),
        "azimuth": combined("azimuth", _unless_missing(_mean_angle_deg)),
        "zenith_angle": combined("zenith_angle", _unless_missing(lambda v: sum(v) / len(v))),
        "begin_ns": combined("begin_ns", _unless_missing(min)),
        "end_ns": combined("end_ns", _unless_missing(max)),
        "region": _visit_regions(visits, exposures, footprint),
    }


def visit_detector_columns(
    instrument: str, visits: Sequence[VisitGroup], exposures: Exposures, footprint: Footprint
) -> Columns:
    """Return the ``visit_detector_region`` records of visits, all detectors of each."""
    detectors = footprint.detectors
    pointings = _pointings(exposures)
    firsts = pointings.take([visit.rows[0] for visit in visits])
    regions = footprint.detector_regions(firsts)
    for place, visit in enumerate(visits):
        if len(visit.rows) > 1:
            merged = footprint.merged_detector_regions(pointings.take(visit.rows))
            regions[place * len(detectors) : (place + 1) * len(detectors)] = merged
    return {
        "instrument": [instrument] * len(regions),
        "visit": [visit.id for visit in visits for _ in detectors],
        "detector": detectors * len(visits),
        "region": regions,
    }


def definition_columns(
    instrument: str, visits: Sequence[VisitGroup], exposures: Exposures
) -> Columns:
    """Return the ``visit_definition`` records: which exposures make up which visit."""
    pairs = [(exposures["id"][row], visit.id) for visit in visits for row in visit.rows]
    return {
        "instrument": [instrument] * len(pairs),
        "exposure": [exposure for exposure, _ in pairs],
        "visit": [visit for _, visit in pairs],
    }


def membership_columns(instrument: str, visits: Sequence[VisitGroup]) -> Columns:
    """Return the ``visit_system_membership`` records of visits."""
    pairs = [(int(system), visit.id) for visit in visits for system in visit.systems]
    return {
        "instrument": [instrument] * len(pairs),
        "visit_system": [system for system, _ in pairs],
        "visit": [visit for _, visit in pairs],
    }


def _visit_regions(
    visits: Sequence[VisitGroup], exposures: Exposures, footprint: Footprint
) -> list[bytes]:
    pointings = _pointings(exposures)
    regions = footprint.exposure_regions(pointings.take([visit.rows[0] for visit in visits]))
    for place, visit in enumerate(visits):
        if len(visit.rows) > 1:
            regions[place] = footprint.merged_region(pointings.take(visit.rows))
    return regions


def _pointings(exposures: Exposures) -> Pointings:
    return Pointings(
        np.asarray(exposures["tracking_ra"], dtype=np.float64),
        np.asarray(exposures["tracking_dec"], dtype=np.float64),
        np.asarray(exposures["sky_angle"], dtype=np.float64),
    )


def _common(values: list[Any]) -> Any:
    """Return what all values are, or None."""
    first = values[0]
    return first if all(value == first for value in values) else None


def _unless_missing(rule: Callable[[list[Any]], Any]) -> Callable[[list[Any]], Any]:
    return lambda values: None if None in values else rule(values)


def _mean_angle_deg(angles_deg: list[float]) -> float:
    """Return the direction in which unit vectors add up, 0 to 360; a single angle as it is."""
    if len(angles_deg) == 1:
        return angles_deg[0]
    total = sum(cmath.rect(1.0, math.radians(angle)) for angle in angles_deg)
    return math.degrees(cmath.phase(total)) % 360.0
