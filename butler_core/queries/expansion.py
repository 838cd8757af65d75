"""What follows from data IDs: implied values and record fields, in bulk."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from typing import Any

import sqlalchemy as sa

from butler_core.dimensions.group import DimensionGroup
from butler_core.errors import MissingRecordError
from butler_core.queries import expression_tree as tree
from butler_core.queries.join_plan import plan_joins
from butler_core.queries.scope import JoinedTables
from butler_core.queries.select import QueryRequest, self_contained
from butler_core.queries.terms import Parameter
from butler_core.registry.database import Columns
from butler_core.registry.registry import Registry


def expand_columns(
    registry: Registry,
    group: DimensionGroup,
    columns: Mapping[str, Sequence[Any]],
    fields: Sequence[str] = (),
) -> Columns:
    """Return what follows from many data IDs, in their order.

    Parameters
    ----------
    columns
        Values of the group's required dimensions.
    fields
        Dimensions, implied ones included, and record fields
        (``exposure.obs_id``) that are wanted; all dimensions if empty.

    Raises
    ------
    MissingRecordError
        If there is no dimension record for one of the data IDs.
    """
    wanted = list(fields) or list(group.names)
    direct = [name for name in wanted if name in group.required]
    if len(direct) == len(wanted):
        return {name: list(columns[name]) for name in wanted}
    count = len(next(iter(columns.values())))
    if count == 1 and (known := _expand_one(registry, group, columns, wanted)) is not None:
        return known
    owners = {name.partition(".")[0] for name in wanted if "." in name}
    with ExitStack() as stack:
        keys = {name: columns[name] for name in group.required}
        like = {name: _key_column(registry, group, name) for name in keys}
        like["row"] = sa.column("row", sa.BigInteger)
        staged = stack.enter_context(
            registry.database.staged({**keys, "row": list(range(count))}, like)
        )
        tables = JoinedTables(registry, stack)
        tables.join(staged, {name: staged.c[name] for name in keys})
        for element in plan_joins(
            group, datasets=[group], fields_of=owners, values=wanted
        ).elements:
            if element.always_join and element.name not in owners:
                continue
            tables.join_element(element)
        values = [tables.column(tree.Name(tuple(name.split(".")))).value for name in wanted]
        select = sa.select(
            staged.c.row, *(value.label(f"f{i}") for i, value in enumerate(values))
        ).select_from(tables.source)
        rows = registry.database.fetch_rows(select.order_by(staged.c.row))
    if len(rows) < count:
        _raise_missing(registry, group, keys, {row[0] for row in rows})
    lists = [list(column) for column in zip(*rows, strict=True)][1:] or [[] for _ in wanted]
    return dict(zip(wanted, lists, strict=True))


def _expand_one(
    registry: Registry,
    group: DimensionGroup,
    columns: Mapping[str, Sequence[Any]],
    wanted: Sequence[str],
) -> Columns | None:
    """Return what follows from one data ID by a statement that is compiled once; None if absent."""

    def write() -> Any:
        kinds = {name: _kind(group, name) for name in group.required}
        request = QueryRequest(
            group,
            data_id={name: Parameter(kind, name) for name, kind in kinds.items()},
            fields=tuple((n, tree.Name(tuple(n.split(".")))) for n in wanted if "." in n),
        )
        return self_contained(registry, request)

    statement = registry.prepared.get(("expand", group, tuple(wanted)), write)
    if statement is None:
        return None
    given = {name: columns[name][0] for name in group.required}
    rows = registry.database.fetch_prepared(statement, given)
    if len(rows) != 1:
        return None
    found = dict(zip(statement.names, rows[0], strict=True))
    return {name: [found[name]] for name in wanted}


def _kind(group: DimensionGroup, name: str) -> str:
    key = group.universe[name].key
    assert key is not None
    return "int" if key.type == "int" else "text"


def _key_column(registry: Registry, group: DimensionGroup, name: str) -> Any:
    element = group.universe[name]
    if element.has_table:
        return registry.schema.elements[name].c[element.key_columns[-1]]
    assert element.key is not None
    return sa.column(name, sa.BigInteger if element.key.type == "int" else sa.String)


def _raise_missing(
    registry: Registry, group: DimensionGroup, keys: Mapping[str, Sequence[Any]], found: set[int]
) -> None:
    row = next(i for i in range(len(next(iter(keys.values())))) if i not in found)
    values = {name: keys[name][row] for name in group.required}
    for name in group.required:
        element = group.universe[name]
        if element.has_table:
            key = {element.column_of(part): values[part] for part in element.required}
            if not registry.records.fetch(name, key)[element.key_columns[0]]:
                shown = {part: values[part] for part in element.required}
                raise MissingRecordError(f"there is no dimension record of {name} {shown}")
    raise MissingRecordError(f"the dimension records of {values} do not fit together")


def implied_columns(
    registry: Registry, group: DimensionGroup, columns: Mapping[str, Sequence[Any]]
) -> Columns:
    """Return the implied values of data IDs of which many share them, in their order.

    Each combination of the dimensions that imply something is looked up once.

    Parameters
    ----------
    columns
        Values of the group's required dimensions.
    """
    source = implying_part(group)
    count = len(columns[source.required[0]])
    if not count:
        return {name: [] for name in group.implied}
    distinct = {name: set(columns[name]) for name in source.required}
    constant = {name: next(iter(values)) for name, values in distinct.items() if len(values) == 1}
    varying = [columns[name] for name in source.required if name not in constant]
    keys = varying[0] if len(varying) == 1 else list(zip(*varying, strict=True)) or [()] * count
    unique = list(dict.fromkeys(keys))
    rows = [(key,) for key in unique] if len(varying) == 1 else unique
    given = {name: [value] * len(unique) for name, value in constant.items()}
    names = [name for name in source.required if name not in constant]
    given |= dict(zip(names, map(list, zip(*rows, strict=True)), strict=True))
    found = expand_columns(registry, source, given, group.implied)
    place = {key: i for i, key in enumerate(unique)}
    places = list(map(place.__getitem__, keys))
    return {name: list(map(found[name].__getitem__, places)) for name in group.implied}


def implying_part(group: DimensionGroup) -> DimensionGroup:
    """Return the smallest group whose values imply all that a group's do."""
    part = group
    for name in reversed(group.required):
        if name not in part.required:
            continue
        rest = group.universe.conform([n for n in part.required if n != name])
        if set(group.implied) <= set(rest.names) and name not in rest:
            part = rest
    return part


def lone_values(registry: Registry, group: DimensionGroup) -> dict[str, str]:
    """Return, of a group's governor dimensions, those with one record, and its name.

    All data IDs have these values.
    """
    found = {}
    for name in group.governors:
        table = registry.schema.elements[name]
        key = registry.universe[name].key_columns[-1]

        def write(column: Any = table.c[key]) -> Any:
            return sa.select(column).limit(2)

        statement = registry.prepared.get(("lone value", name), write)
        assert statement is not None
        rows = registry.database.fetch_prepared(statement, {})
        if len(rows) == 1:
            found[name] = rows[0][0]
    return found
