"""Brings what older dimension universes wrote to the present one.

Between the versions of daf_butler's universe, fields were renamed or became
elements of their own; what is missing follows from what is there. Changes by
version, after which each step is named:

====  =======================================================================
1     ``abstract_filter`` was ``band`` by another name; visits lost ``seeing``
      and have a ``day_obs``
2     a visit may be in several visit systems (``visit_system_membership``)
6     ``group`` and ``day_obs`` are elements; ``exposure.group_name`` became
      ``group`` and ``exposure.group_id`` went
====  =======================================================================

Versions 3, 4, 5, 7 and 8 only widened columns, or added some that may be null.
Knows no repository and no camera: when days begin, it is told.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

from butler_core.dimensions.universe import DimensionUniverse
from butler_core.errors import TimespanError
from butler_core.tai import ns_to_iso, time_to_ns
from butler_core.timespan import Timespan
from butler_core.transfer.export_document import DatasetTypeEntry, ExportDocument, Record

#: Says, of an instrument and a time [TAI ns], how long after 0h TAI its day begins [s]; or None.
DayStart = Callable[[str, int], int | None]

_NS_PER_S = 1_000_000_000


def bring_up_to_date(
    document: ExportDocument, universe: DimensionUniverse, day_start_s: DayStart
) -> None:
    """Rename and derive in place what an older universe than the repository's wrote.

    A step does something only where it finds the old fields, so that a file
    that does not say its universe may be of any.

    Parameters
    ----------
    document
        The file; its faults are added to.
    universe
        The repository's.
    day_start_s
        Asked where days have to be derived from times, or times from days.
    """
    version, records = document.universe_version, document.records
    if version >= 6:
        return
    if version < 1:
        _rename_bands(document)
        _name_detectors(records)
    if "visit" in universe:
        _complete_visits(document, universe, day_start_s, version)
    if version < 2 and "visit_system_membership" in universe:
        _split_visit_systems(document)
    if "exposure" not in universe:
        return
    if "group" in universe["exposure"].implied:
        _make_groups(records)
    if "day_obs" in universe["exposure"].implied:
        _derive_days(document, "exposure", day_start_s)
        _make_days(document, day_start_s)


def _rename_bands(document: ExportDocument) -> None:
    document.records.pop("abstract_filter", None)
    for element, records in document.records.items():
        document.records[element] = [_renamed(r, "abstract_filter", "band") for r in records]
    for name, entry in document.dataset_types.items():
        dimensions = tuple("band" if d == "abstract_filter" else d for d in entry.dimensions)
        document.dataset_types[name] = replace(entry, dimensions=dimensions)
    for block in document.datasets:
        block.data_ids[:] = [_renamed(dict(d), "abstract_filter", "band") for d in block.data_ids]


def _renamed(record: Record, old: str, new: str) -> Record:
    if old not in record:
        return record
    return {new if name == old else name: value for name, value in record.items()}


def _name_detectors(records: dict[str, list[Record]]) -> None:
    """Give detectors without a full name one made of their raft and place."""
    for i, detector in enumerate(records.get("detector", ())):
        if detector.get("full_name") is None:
            parts = [detector.get("raft"), detector.get("name_in_raft")]
            name = "_".join(str(part) for part in parts if part) or str(detector.get("id"))
            records["detector"][i] = {**detector, "full_name": name}


def _complete_visits(
    document: ExportDocument, universe: DimensionUniverse, day_start_s: DayStart, version: int
) -> None:
    """Drop a visit's ``seeing`` and give it the name and day that the first exports left out."""
    visits = document.records.get("visit")
    if visits is None:
        return
    if version < 1 and "seeing" not in universe["visit"].fields:
        visits = [_without(visit, "seeing") for visit in visits]
    document.records["visit"] = [
        visit if "name" in visit else {**visit, "name": str(visit.get("id"))} for visit in visits
    ]
    if "day_obs" in universe["visit"].fields:
        _derive_days(document, "visit", day_start_s)


def _split_visit_systems(document: ExportDocument) -> None:
    """Turn a visit's ``visit_system`` into a membership, and forget it where it came along."""
    records = document.records
    memberships = records.setdefault("visit_system_membership", [])
    memberships += [
        {"instrument": v.get("instrument"), "visit": v.get("id"), "visit_system": v["visit_system"]}
        for v in records.get("visit", ())
        if v.get("visit_system") is not None
    ]
    if not memberships:
        del records["visit_system_membership"]
    for element in ("visit", "visit_definition"):
        if element in records:
            records[element] = [_without(record, "visit_system") for record in records[element]]
    for name, entry in document.dataset_types.items():
        document.dataset_types[name] = _without_visit_system(entry)


def _without_visit_system(entry: DatasetTypeEntry) -> DatasetTypeEntry:
    if "visit" not in entry.dimensions:
        return entry
    return replace(entry, dimensions=tuple(d for d in entry.dimensions if d != "visit_system"))


def _without(record: Record, name: str) -> Record:
    return {k: v for k, v in record.items() if k != name} if name in record else record


def _make_groups(records: dict[str, list[Record]]) -> None:
    """Name the group of each exposure as universe 6 does, and make a record of each."""
    exposures = records.get("exposure")
    if exposures is None:
        return
    records["exposure"] = exposures = [_with_group(exposure) for exposure in exposures]
    groups = [{"instrument": e.get("instrument"), "name": e["group"]} for e in exposures]
    _add_missing(records, "group", ("instrument", "name"), groups)


def _with_group(exposure: Record) -> Record:
    changed = {k: v for k, v in exposure.items() if k not in ("group_name", "group_id")}
    changed.setdefault("obs_id", str(exposure.get("id")))
    if changed.get("group") is None:
        names = (exposure.get("group_name"), exposure.get("group_id"), changed["obs_id"])
        changed["group"] = str(next(name for name in names if name is not None))
    return changed


def _derive_days(document: ExportDocument, element: str, day_start_s: DayStart) -> None:
    """Take the observing day of records without one from the time they begin."""
    records = document.records.get(element, [])
    for i, record in enumerate(records):
        if record.get("day_obs") is not None:
            continue
        begin = _begin_of(record)
        if begin is None:
            document.faults.append(
                f"{element} {record.get('id')!r} has neither a day_obs nor a time to take it from"
            )
            continue
        try:
            begin_ns = time_to_ns(begin)
        except TimespanError as error:
            document.faults.append(f"{element} {record.get('id')!r}: {error}")
            continue
        offset_s = day_start_s(str(record.get("instrument")), begin_ns) or 0
        day = ns_to_iso(begin_ns - offset_s * _NS_PER_S)[:10].replace("-", "")
        records[i] = {**record, "day_obs": int(day)}


def _begin_of(record: Record) -> Any:
    span = record.get("timespan")
    if isinstance(span, Timespan):
        return span.begin_ns
    return record.get("datetime_begin")


def _make_days(document: ExportDocument, day_start_s: DayStart) -> None:
    """Make a record of each observing day that an exposure or a visit names."""
    records = document.records
    named = {
        (str(record.get("instrument")), record.get("day_obs"))
        for element in ("exposure", "visit")
        for record in records.get(element, ())
    }
    days = []
    known = [(instrument, day) for instrument, day in named if isinstance(day, int)]
    for instrument, day in sorted(known):
        try:
            noon_ns = Timespan.from_day_obs(day, offset_s=12 * 3600).begin_ns
            offset_s = day_start_s(instrument, noon_ns)
            span = None if offset_s is None else Timespan.from_day_obs(day, offset_s=offset_s)
        except TimespanError as error:
            document.faults.append(f"{instrument}: {error}")
            continue
        days.append({"instrument": instrument, "id": day, "timespan": span})
    _add_missing(records, "day_obs", ("instrument", "id"), days)


def _add_missing(
    records: dict[str, list[Record]], element: str, key: tuple[str, ...], derived: Iterable[Record]
) -> None:
    """Add derived records of which the file has none itself, each once."""
    present = records.setdefault(element, [])
    known = {tuple(record.get(name) for name in key) for record in present}
    for record in derived:
        values = tuple(record[name] for name in key)
        if values not in known:
            known.add(values)
            present.append(record)
    if not present:
        del records[element]
