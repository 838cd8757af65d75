"""Turns dimension records given as mappings into the columns that the registry stores.

Checks names, types and what must be there; all faults together. Stores nothing.
"""

from __future__ import annotations

import numbers
from collections.abc import Callable, Iterable, Mapping, Sequence
from operator import itemgetter
from typing import Any

from butler_core.dimensions.dimension import Column, DimensionElement
from butler_core.dimensions.record import DimensionRecord
from butler_core.errors import DimensionError, TimespanError, near_misses
from butler_core.tai import MAX_NS, MIN_NS, time_to_ns, times_to_ns
from butler_core.timespan import Timespan

_SPAN_FIELDS = ("timespan", "datetime_begin", "datetime_end", "begin_ns", "end_ns")
_PYTHON_TYPES: dict[str, type] = {
    "int": int,
    "float": float,
    "text": str,
    "bool": bool,
    "bytes": bytes,
}


def columns_of_records(
    element: DimensionElement, records: Iterable[Mapping[str, Any] | DimensionRecord]
) -> dict[str, list[Any]]:
    """Return dimension records as the columns of an element's table.

    Parameters
    ----------
    element
        What the records are of.
    records
        Field values by name. The key may go by the element's name, too
        (``detector`` for ``id``). A ``timespan`` is a `Timespan`, a pair of
        times or a mapping with ``begin`` and ``end``; ``datetime_begin`` and
        ``datetime_end`` may stand instead of it. None is an open end; times
        have any form that `time_to_ns` takes. A
        ``region`` is an `lsst.sphgeom.Region`, its encoded bytes, or those in
        hexadecimal.

    Returns
    -------
    dict
        Values by column, one list each; fields that no record has are left out.

    Raises
    ------
    DimensionError
        If fields are unknown, missing or of the wrong type: all that is wrong.
    """
    rows = [r.to_dict() if isinstance(r, DimensionRecord) else r for r in records]
    faults: list[str] = []
    given = _by_field(rows)
    names = set(given)
    _check_names(element, names, faults)
    columns: dict[str, list[Any]] = {}
    for name, column in element.fields.items():
        values = _values(element, column, rows, given)
        if values is not None:
            columns[name] = typed_values(column, values, faults, element.name)
        if not column.is_nullable:
            _require_values(element, name, rows, values, faults)
    if element.has_region and "region" in names:
        columns["region"] = _regions(given["region"], faults)
    if element.has_timespan and not names.isdisjoint(_SPAN_FIELDS):
        columns |= _spans(rows, faults)
    if faults:
        raise DimensionError(f"{element.name!r} records cannot be taken: " + "; ".join(faults))
    return columns


def _by_field(rows: Sequence[Mapping[str, Any]]) -> dict[str, list[Any]]:
    """Return what records have, by field; None where one has it not."""
    shapes = dict.fromkeys(tuple(row) for row in rows)
    if len(shapes) == 1:  # as good as always, and much faster
        (names,) = shapes
        return {name: list(map(itemgetter(name), rows)) for name in names}
    every = dict.fromkeys(name for shape in shapes for name in shape)
    return {name: [row.get(name) for row in rows] for name in every}


def _check_names(element: DimensionElement, names: set[str], faults: list[str]) -> None:
    """Note the fields that do not exist."""
    known = set(element.fields)
    if element.key is not None:
        known.add(element.name)
    if element.has_region:
        known.add("region")
    if element.has_timespan:
        known.update(_SPAN_FIELDS)
    unknown = sorted(map(str, names - known))
    if unknown:
        hints = "".join(near_misses(name, known) for name in unknown)
        faults.append(
            f"there is no field {', '.join(map(repr, unknown))}; there are "
            f"{', '.join(sorted(known))}.{hints}"
        )


def _values(
    element: DimensionElement,
    column: Column,
    rows: Sequence[Mapping[str, Any]],
    given: Mapping[str, list[Any]],
) -> list[Any] | None:
    """Return one field of all records, or None if none has it."""
    name = column.name
    if element.key is not None and name == element.key.name and element.name in given:
        return [row[name] if name in row else row.get(element.name) for row in rows]
    if not rows and name in element.key_columns:
        return []
    return given.get(name)


def _require_values(
    element: DimensionElement,
    name: str,
    rows: Sequence[Mapping[str, Any]],
    values: list[Any] | None,
    faults: list[str],
) -> None:
    missing = len(rows) if values is None else values.count(None)
    if missing:
        first = 0 if values is None else values.index(None)
        key = {n: rows[first][n] for n in element.key_columns if rows[first].get(n) is not None}
        faults.append(
            f"{name!r} must be given, and is not in {missing} of {len(rows)}, the first being {key}"
        )


# ------------------------------------------------------------------- values
def typed_values(column: Column, values: list[Any], faults: list[str], owner: str) -> list[Any]:
    """Return values as their column's type, nulls kept; note those that are of another.

    Parameters
    ----------
    column
        What they are to be.
    faults
        Where a line goes for the first value that does not fit.
    owner
        Whose column it is, for that line.
    """
    wanted = _PYTHON_TYPES[column.type]
    if set(map(type, values)) <= {wanted, type(None)}:
        return values
    converted = []
    for i, value in enumerate(values):
        try:
            converted.append(None if value is None else _CONVERTERS[column.type](value))
        except (TypeError, ValueError):
            faults.append(
                f"{column.name!r} of {owner} must be {column.type}, and is {value!r} in entry "
                f"{i + 1}"
            )
            return values
    return converted


def _as_int(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, numbers.Integral):
        raise TypeError(value)
    return int(value)


def _as_float(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        raise TypeError(value)
    return float(value)


def _as_text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(value)
    return str(value)


def _as_bool(value: Any) -> bool:
    if value not in (0, 1):
        raise TypeError(value)
    return bool(value)


def _as_bytes(value: Any) -> bytes:
    return bytes.fromhex(value) if isinstance(value, str) else bytes(memoryview(value))


_CONVERTERS: dict[str, Callable[[Any], Any]] = {
    "int": _as_int,
    "float": _as_float,
    "text": _as_text,
    "bool": _as_bool,
    "bytes": _as_bytes,
}


def _regions(values: list[Any], faults: list[str]) -> list[bytes | None]:
    if set(map(type, values)) <= {bytes, type(None)}:
        return values
    encoded: list[bytes | None] = []
    for i, value in enumerate(values):
        try:
            encoded.append(None if value is None else _encoded(value))
        except (TypeError, ValueError) as error:
            faults.append(f"'region' in entry {i + 1} is no region: {error}")
            return []
    return encoded


def _encoded(value: Any) -> bytes:
    if isinstance(value, bytes | bytearray | memoryview | str):
        return _as_bytes(value)
    from lsst.sphgeom import Region

    if not isinstance(value, Region):
        raise TypeError(f"a {type(value).__name__} was given")
    region: bytes = value.encode()
    return region


# -------------------------------------------------------------------- times
def _spans(rows: Sequence[Mapping[str, Any]], faults: list[str]) -> dict[str, list[int | None]]:
    """Return both ends of all records' timespans [TAI ns]."""
    spans: list[Any] = [row.get("timespan") for row in rows]
    if set(map(type, spans)) == {Timespan}:
        return {"begin_ns": [s.begin_ns for s in spans], "end_ns": [s.end_ns for s in spans]}
    begins: list[Any] = [None] * len(rows)
    ends: list[Any] = [None] * len(rows)
    is_known = [False] * len(rows)
    for i, row in enumerate(rows):
        span = row.get("timespan")
        if isinstance(span, Timespan):
            begins[i], ends[i], is_known[i] = span.begin_ns, span.end_ns, True
        elif isinstance(span, tuple | list) and len(span) == 2:
            begins[i], ends[i], is_known[i] = span[0], span[1], True
        elif isinstance(span, Mapping) and {"begin", "end"} <= span.keys():
            begins[i], ends[i], is_known[i] = span["begin"], span["end"], True
        elif span is not None:
            faults.append(f"'timespan' in entry {i + 1} is {span!r}, not a Timespan or two times")
        elif "datetime_begin" in row or "datetime_end" in row:
            begins[i], ends[i] = row.get("datetime_begin"), row.get("datetime_end")
            is_known[i] = True
        elif row.get("begin_ns") is not None:
            begins[i], ends[i], is_known[i] = row["begin_ns"], row["end_ns"], True
    try:
        pairs = list(zip(_nanoseconds(begins, MIN_NS), _nanoseconds(ends, MAX_NS), strict=True))
        pairs = [(b, e) if b < e else _ordered(b, e) for b, e in pairs]
    except TimespanError as error:
        faults.append(str(error))
        return {}
    return {
        "begin_ns": [b if known else None for known, (b, _) in zip(is_known, pairs, strict=True)],
        "end_ns": [e if known else None for known, (_, e) in zip(is_known, pairs, strict=True)],
    }


def _ordered(begin_ns: int, end_ns: int) -> tuple[int, int]:
    """Return an instant as one nanosecond, and a span that ends before it begins as empty."""
    if (begin_ns, end_ns) == (MAX_NS, MIN_NS):
        return begin_ns, end_ns
    return Timespan.from_times(begin_ns, end_ns).nsec


def _nanoseconds(times: list[Any], open_end_ns: int) -> list[int]:
    """Return times of any form [TAI ns]; astropy's are converted all at once, by scale."""
    found: list[int] = [open_end_ns] * len(times)
    by_scale: dict[str, list[int]] = {}
    for i, time in enumerate(times):
        if time is None:
            continue
        if type(time) is not int and hasattr(time, "scale") and hasattr(time, "jd1"):
            by_scale.setdefault(str(time.scale), []).append(i)
        else:
            found[i] = time_to_ns(time)
    for scale, places in by_scale.items():
        from astropy.time import Time

        first, second = ([getattr(times[i], part) for i in places] for part in ("jd1", "jd2"))
        together = Time(first, second, format="jd", scale=scale)
        for i, time_ns in zip(places, times_to_ns(together).tolist(), strict=True):
            found[i] = time_ns
    return found
