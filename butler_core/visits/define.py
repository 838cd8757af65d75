"""Defines visits: reads exposures, groups them, stores what is new."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from butler_core.errors import RecordConflictError
from butler_core.instruments import camera_of
from butler_core.registry.record_sync import compare_records, sync_records, take_rows
from butler_core.visits.footprint import Footprint
from butler_core.visits.grouping import (
    VisitGroup,
    group_exposures,
    sequence_keys,
    systems_of,
)
from butler_core.visits.request import VisitReport, VisitRequest, VisitSystem
from butler_core.visits.visit_columns import (
    definition_columns,
    membership_columns,
    visit_columns,
    visit_detector_columns,
)

if TYPE_CHECKING:
    from butler_core.butler.butler import Butler
    from butler_core.cameras.camera import Camera
    from butler_core.registry.backend import OnConflict

_LOG = logging.getLogger(__name__)

#: Detector regions per transaction, so that others wait for the database for a moment only.
_CHUNK = 20_000

Columns = dict[str, list[Any]]


@dataclass(frozen=True)
class _Sorted:
    """Visits by what is to be done with them."""

    new: list[VisitGroup]
    unchanged: list[VisitGroup]
    changed: list[VisitGroup]


def define_visits(
    butler: Butler, instrument: str, request: VisitRequest | None = None
) -> VisitReport:
    """Make visits of an instrument's exposures of the sky.

    Which visit systems there are is said by the instrument's record (see
    `grouping`). Visits that exist with the same exposures stay as they are, so
    that doing it again changes nothing.

    Parameters
    ----------
    butler
        A butler that may write.
    instrument
        Name or class name.
    request
        Which exposures, and how; all that have raws in the instrument's own
        run if None.

    Raises
    ------
    UnknownCameraError
        If the instrument is not registered, or its camera is not known.
    RecordConflictError
        If a visit exists with other exposures and ``incremental`` is not set.
    """
    request = request or VisitRequest()
    butler.repository.require_writeable()
    camera = camera_of(butler, instrument)
    considered = _exposures(butler, camera, request)
    exposures = take_rows(considered, _on_sky(considered))
    n_given, n_on_sky = len(considered["id"]), len(exposures["id"])
    if not n_on_sky:
        return VisitReport(exposures=n_given, off_sky=n_given)
    system = _visit_system(butler, camera)
    if request.incremental or request.update_records:
        exposures = _completed(butler, exposures, camera.name, system)
    grouping = group_exposures(exposures, system)
    warnings = list(grouping.warnings)
    visits = _of_one_filter(grouping.visits, exposures, warnings)
    todo = _sort(butler, camera.name, visits, exposures, request)
    _register_systems(butler, camera.name, system)
    footprint = Footprint(camera, padding_pixels=request.padding_pixels)
    _store(butler, camera.name, todo.new, exposures, footprint, is_new=True)
    _store(butler, camera.name, todo.changed, exposures, footprint, is_new=False)
    if len(todo.new) * len(footprint.detectors) >= _CHUNK:
        butler.repository.registry.database.refresh_statistics()
    for warning in warnings:
        _LOG.warning("%s", warning)
    return VisitReport(
        exposures=n_given,
        off_sky=n_given - n_on_sky,
        new=len(todo.new),
        unchanged=len(todo.unchanged),
        updated=len(todo.changed),
        warnings=tuple(warnings),
    )


def _exposures(butler: Butler, camera: Camera, request: VisitRequest) -> Columns:
    """Return the records of exposures that have raws in the collections asked for."""
    found = butler.query_dimension_records(
        "exposure",
        datasets=camera.raw.dataset_type,
        collections=tuple(request.collections) or f"{camera.name}/raw/all",
        where=request.where,
        bind=request.bind,
        instrument=camera.name,
    )
    return dict(found.columns)


def _on_sky(exposures: Columns) -> list[int]:
    """Return the rows of exposures that looked at a known place of the sky, as Rubin decides."""
    rows = zip(
        exposures["tracking_ra"],
        exposures["tracking_dec"],
        exposures["sky_angle"],
        exposures["can_see_sky"],
        strict=True,
    )
    return [
        i
        for i, (*pointing, can_see_sky) in enumerate(rows)
        if None not in pointing and can_see_sky is not False
    ]


def _visit_system(butler: Butler, camera: Camera) -> int:
    stored = butler.repository.registry.records.fetch("instrument", {"name": camera.name})
    value = stored["visit_system"][0]
    return camera.visit_system if value is None else int(value)


def _completed(butler: Butler, exposures: Columns, instrument: str, system: int) -> Columns:
    """Add exposures of the same sequences that were not asked for."""
    if system == VisitSystem.ONE_TO_ONE:
        return exposures
    wanted = set(sequence_keys(exposures, system))
    known = set(exposures["id"])
    completed = {name: list(column) for name, column in exposures.items()}
    for day in sorted(set(exposures["day_obs"])):
        where = {"instrument": instrument, "day_obs": day}
        of_day = butler.repository.registry.records.fetch("exposure", where)
        keys = sequence_keys(of_day, system)
        rows = [i for i in _on_sky(of_day) if keys[i] in wanted and of_day["id"][i] not in known]
        for name, values in take_rows(of_day, rows).items():
            completed[name].extend(values)
    return completed


def _of_one_filter(
    visits: Sequence[VisitGroup], exposures: Columns, warnings: list[str]
) -> list[VisitGroup]:
    """Return the visits that have one filter, as every visit's record must."""
    kept = []
    for visit in visits:
        filters = {exposures["physical_filter"][row] for row in visit.rows}
        if len(filters) == 1:
            kept.append(visit)
        else:
            warnings.append(
                f"exposures with different filters, {', '.join(sorted(filters))}, cannot make the "
                f"visit {visit.id} ({visit.name!r})"
            )
    return kept


def _sort(
    butler: Butler,
    instrument: str,
    visits: Sequence[VisitGroup],
    exposures: Columns,
    request: VisitRequest,
) -> _Sorted:
    """Tell new visits from those that exist, and these by whether they are to change."""
    stored = _stored_members(butler, instrument, [visit.id for visit in visits])
    found = _Sorted([], [], [])
    for visit in visits:
        given = {exposures["id"][row] for row in visit.rows}
        members = stored.get(visit.id)
        if members is None:
            found.new.append(visit)
        elif given <= members and not request.update_records:
            found.unchanged.append(visit)
        elif given == members or (request.incremental and members < given):
            found.changed.append(visit)
        else:
            raise RecordConflictError(
                f"visit {visit.id} ({visit.name!r}) of {instrument} exists with the exposures "
                f"{_listed(members)}; now it would have {_listed(given)}. Define it incrementally "
                "to add exposures that came later; exposures are never taken out of a visit"
            )
    return found


def _stored_members(butler: Butler, instrument: str, visits: Sequence[int]) -> dict[int, set[int]]:
    """Return the exposures of those of the visits that exist, by visit."""
    registry = butler.repository.registry
    keys: Columns = {"instrument": [instrument] * len(visits), "id": list(visits)}
    existing = compare_records(registry, "visit", keys).same
    members: dict[int, set[int]] = {visits[row]: set() for row in existing}
    if members:
        # All of them: the table's key has exposures first, so that a visit's are not found faster.
        stored = registry.records.fetch("visit_definition", {"instrument": instrument})
        for visit, exposure in zip(stored["visit"], stored["exposure"], strict=True):
            if visit in members:
                members[visit].add(exposure)
    return members


def _register_systems(butler: Butler, instrument: str, system: int) -> None:
    systems = systems_of(system)
    columns: Columns = {
        "instrument": [instrument] * len(systems),
        "id": [int(one) for one in systems],
        "name": [str(one) for one in systems],
    }
    sync_records(butler.repository.registry, "visit_system", columns)


def _store(
    butler: Butler,
    instrument: str,
    visits: Sequence[VisitGroup],
    exposures: Columns,
    footprint: Footprint,
    *,
    is_new: bool,
) -> None:
    """Store visits with all that belongs to them; of one transaction all or none."""
    records = butler.repository.registry.records
    step = max(1, _CHUNK // len(footprint.detectors))
    conflict: OnConflict = "raise" if is_new else "replace"
    for start in range(0, len(visits), step):
        some = visits[start : start + step]
        # Computed first, so that the database is locked for inserting only.
        whole = visit_columns(instrument, some, exposures, footprint)
        parts = visit_detector_columns(instrument, some, exposures, footprint)
        with butler.repository.transaction():
            records.insert("visit", whole, on_conflict=conflict)
            records.insert(
                "visit_definition",
                definition_columns(instrument, some, exposures),
                on_conflict="skip",
            )
            records.insert(
                "visit_system_membership",
                membership_columns(instrument, some),
                on_conflict="skip",
            )
            records.insert("visit_detector_region", parts, on_conflict=conflict)
        _LOG.info("%d of %d visits stored", min(start + step, len(visits)), len(visits))


def _listed(ids: set[int]) -> str:
    shown = ", ".join(map(str, sorted(ids)[:4]))
    return f"{shown}, ... ({len(ids)} in all)" if len(ids) > 4 else shown or "none"
