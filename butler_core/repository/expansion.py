"""Completes data IDs: from what a user gave to all values, records and times of one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from butler_core.dimensions.data_coordinate import INTEGER, DataCoordinate, typed_value
from butler_core.dimensions.group import DimensionGroup
from butler_core.errors import DataIdError
from butler_core.queries import expression_tree as tree
from butler_core.queries.expansion import expand_columns
from butler_core.queries.query import Query
from butler_core.queries.results import make_record
from butler_core.registry.registry import Registry
from butler_core.timespan import Timespan


def expand(registry: Registry, data_id: DataCoordinate) -> DataCoordinate:
    """Return a data ID with implied values and the records of all its elements."""
    group = data_id.group
    required = {name: [value] for name, value in data_id.required.items()}
    columns = expand_columns(registry, group, required) if group.names else {}
    full = {name: columns[name][0] for name in group.names}
    records: dict[str, Any] = {}
    for element in group.elements:
        if not element.has_table:
            continue
        key = {element.column_of(name): full[name] for name in element.required}
        found = registry.records.fetch(element.name, key)
        row = {name: values[0] for name, values in found.items() if values}
        records[element.name] = make_record(element, row) if row else None
    return data_id.expanded(full, records)


def timespan_of(registry: Registry, known: Mapping[str, Any]) -> Timespan | None:
    """Return the time that the finest temporal dimension of some values spans, or None."""
    names = [name for name in known if name in registry.universe]
    group = registry.universe.conform(names)
    for element in group.temporal:
        if all(name in known for name in element.required):
            key = {element.column_of(name): known[name] for name in element.required}
            found = registry.records.fetch(element.name, key)
            if found["begin_ns"] and found["begin_ns"][0] is not None:
                return Timespan(found["begin_ns"][0], found["end_ns"][0])
    return None


def complete_data_id(
    registry: Registry,
    group: DimensionGroup,
    given: Mapping[str, Any],
    defaults: Mapping[str, Any],
) -> dict[str, Any]:
    """Return dimension values, all required ones of a group among them, from what a user gave.

    Parameters
    ----------
    given
        Values of dimensions, of other dimensions that imply them, of record
        fields (``seq_num``, ``exposure.obs_id``), or names where a number is
        the key (``detector="RXX_S00"``).
    defaults
        Values for governor dimensions that nobody gave.

    Raises
    ------
    DataIdError
        If no data ID or more than one fits.
    """
    if isinstance(given, DataCoordinate):  # what it implies was looked up when it was made
        given = given.mapping
        if not group.missing_from({**defaults, **given}):
            return {**defaults, **given}
    known, constraints = _sort_out(registry, group, given)
    known = {**{k: v for k, v in defaults.items() if k not in known}, **known}
    # Rule: an implied value is looked up, never believed; a wrong one must not name a dataset.
    is_claimed = any(name in known for name in group.implied)
    if not constraints and not is_claimed and not group.missing_from(known):
        return known
    wanted = registry.universe.conform({*group.required, *known})
    query = Query(registry).where(
        {name: v for name, v in known.items() if name in registry.universe}
    )
    bind = {f"value{i}": value for i, value in enumerate(constraints.values())}
    if constraints:
        text = " AND ".join(f"{name} = :value{i}" for i, name in enumerate(constraints))
        query = query.where(text, bind=bind)
    if not known and not constraints:
        raise DataIdError(
            f"a data ID of {group} needs values for {', '.join(group.required)}; none were given"
        )
    missing = [name for name in group.required if name not in known]
    determined = registry.universe.conform({*known, *(_owner(registry, n) for n in constraints)})
    if any(name not in determined for name in missing):
        raise DataIdError(
            f"a data ID of {group} needs values for {', '.join(group.required)}; "
            f"{', '.join(n for n in missing if n not in determined)} not given (got {dict(given)})"
        )
    found = query.limit(2).data_ids(wanted)
    if len(found) != 1:
        count = "no data ID fits" if not found else "more than one data ID fits"
        raise DataIdError(f"{count} {dict(given)}; give values for {', '.join(group.required)}")
    return {name: values[0] for name, values in found.columns.items()}


def _owner(registry: Registry, name: str) -> str:
    """Return a dimension whose value a constrained field determines."""
    from butler_core.queries.names import meaning_of

    meaning = meaning_of(tree.Name(tuple(name.split("."))), registry.universe)
    assert meaning.element is not None
    return meaning.element.name


def _sort_out(
    registry: Registry, group: DimensionGroup, given: Mapping[str, Any]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Tell plain dimension values from constraints on record fields."""
    known: dict[str, Any] = {}
    constraints: dict[str, Any] = {}
    faults: list[str] = []
    for name, value in given.items():
        if value is None:
            continue
        if name not in registry.universe:
            constraints[_qualified(group, name)] = value
            continue
        element = registry.universe[name]
        is_number = element.key is not None and element.key.type == "int"
        if is_number and isinstance(value, str) and not INTEGER.fullmatch(value):
            if not element.alternate_keys:
                raise DataIdError(f"{name} must be an integer, not {value!r}")
            constraints[f"{name}.{element.alternate_keys[0]}"] = value
        else:
            known[name] = typed_value(element, value, faults)
    if faults:
        raise DataIdError("; ".join(faults))
    return known, constraints


def _qualified(group: DimensionGroup, name: str) -> str:
    """Return ``seq_num`` as ``exposure.seq_num``: the field of the group's own element."""
    if "." in name:
        return name
    owners = [e.name for e in group.elements if name in e.fields and name != e.name]
    if not owners:
        raise DataIdError(f"{name!r} is neither a dimension nor a field of one of {group}")
    return f"{owners[-1]}.{name}"
