"""Stage *join*, spatial part: which records' regions overlap which others'."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from butler_core.dimensions.dimension import DimensionElement
from butler_core.registry.registry import Registry
from pipetask.quantum_graph.ask import column_type, dimension_name
from pipetask.quantum_graph.workspace import Workspace, listed, quoted


def pair_regions(
    workspace: Workspace,
    registry: Registry,
    first: DimensionElement,
    second: DimensionElement,
    *,
    keys: str,
    table: str,
) -> int:
    """Make a table of the keys of records whose regions overlap.

    Parameters
    ----------
    first
        An element whose keys of interest are known.
    second
        Another one, or a pixelization.
    keys
        Table with the keys of the first.
    table
        Table to make; it has the required dimensions of both.

    Returns
    -------
    int
        Number of pairs.
    """
    with workspace.stage("pair", f"{first.name}, {second.name}", workspace.count(keys)) as outcome:
        if second.skypix is not None:
            outcome.n_out = _pair_pixels(workspace, registry, first, second, keys, table)
        else:
            outcome.n_out = _pair_records(workspace, registry, first, second, keys, table)
    return outcome.n_out


def _pair_pixels(
    workspace: Workspace,
    registry: Registry,
    first: DimensionElement,
    second: DimensionElement,
    keys: str,
    table: str,
) -> int:
    if second.name == registry.universe.common_skypix:
        _load_overlaps(workspace, registry, first, _keys_of(workspace, first, keys), "pixels_first")
        select = (
            f"SELECT {listed(first.required)}, pixel AS {quoted(second.name)} FROM pixels_first"  # noqa: S608 - quoted
        )
        return workspace.create(table, select)
    from butler_core import region

    assert second.skypix is not None
    known = _keys_of(workspace, first, keys)
    encoded = _regions(registry, first, known)
    rows, pixels = region.envelopes(encoded, system=second.skypix.system, level=second.skypix.level)
    columns: dict[str, Sequence[Any]] = {
        name: [values[i] for i in rows.tolist()] for name, values in known.items()
    }
    types = {name: column_type(first, first.column_of(name)) for name in first.required}
    return workspace.load(
        table, columns | {second.name: pixels.tolist()}, types | {second.name: "int"}
    )


def _pair_records(
    workspace: Workspace,
    registry: Registry,
    first: DimensionElement,
    second: DimensionElement,
    keys: str,
    table: str,
) -> int:
    known = _keys_of(workspace, first, keys)
    _load_overlaps(workspace, registry, first, known, "pixels_first")
    pixels = [row[0] for row in workspace.rows("SELECT DISTINCT pixel FROM pixels_first")]
    _load_overlaps(workspace, registry, second, {"pixel": pixels}, "pixels_second")
    shared = [name for name in first.required if name in second.required]
    ours = ", ".join(f"f.{quoted(n)} AS {quoted(n)}" for n in first.required)
    theirs = ", ".join(f"s.{quoted(n)} AS {quoted(n)}" for n in second.required if n not in shared)
    same = "".join(f" AND f.{quoted(n)} = s.{quoted(n)}" for n in shared)
    workspace.create(
        table,
        f"SELECT DISTINCT {ours}, {theirs} FROM pixels_first f "  # noqa: S608 - quoted
        f"JOIN pixels_second s ON f.pixel = s.pixel{same}",
    )
    return _refine(workspace, registry, first, second, table)


def _refine(
    workspace: Workspace,
    registry: Registry,
    first: DimensionElement,
    second: DimensionElement,
    table: str,
) -> int:
    """Drop the pairs whose exact regions are disjoint."""
    from butler_core import region

    for element, name in ((first, "keys_first"), (second, "keys_second")):
        workspace.create(
            name,
            f"SELECT row_number() OVER () - 1 AS place, * FROM "  # noqa: S608 - quoted
            f"(SELECT DISTINCT {listed(element.required)} FROM {quoted(table)})",
        )
    joined = workspace.columns(
        f"SELECT f.place AS f, s.place AS s FROM {quoted(table)} p "  # noqa: S608 - quoted
        f"JOIN keys_first f ON {_same('p', 'f', first.required)} "
        f"JOIN keys_second s ON {_same('p', 's', second.required)}"
    )
    regions_first = _regions(registry, first, _ordered_keys(workspace, first, "keys_first"))
    regions_second = _regions(registry, second, _ordered_keys(workspace, second, "keys_second"))
    keep = region.overlapping_pairs(regions_first, regions_second, joined["f"], joined["s"])
    kept = {"f": joined["f"][keep], "s": joined["s"][keep]}
    workspace.connection.register("_kept", kept)
    others = [name for name in second.required if name not in first.required]
    try:
        return workspace.create(
            table,
            f"SELECT {listed(first.required, 'a')}, {listed(others, 'b')} FROM _kept k "  # noqa: S608 - quoted
            "JOIN keys_first a ON a.place = k.f JOIN keys_second b ON b.place = k.s",
        )
    finally:
        workspace.connection.unregister("_kept")


def _same(one: str, other: str, names: Sequence[str]) -> str:
    return " AND ".join(f"{one}.{quoted(n)} = {other}.{quoted(n)}" for n in names)


def _keys_of(workspace: Workspace, element: DimensionElement, table: str) -> dict[str, list[Any]]:
    rows = workspace.rows(f"SELECT DISTINCT {listed(element.required)} FROM {quoted(table)}")  # noqa: S608 - quoted
    return _columns(element.required, rows)


def _ordered_keys(
    workspace: Workspace, element: DimensionElement, table: str
) -> dict[str, list[Any]]:
    rows = workspace.rows(
        f"SELECT {listed(element.required)} FROM {quoted(table)} ORDER BY place"  # noqa: S608 - quoted
    )
    return _columns(element.required, rows)


def _columns(names: Sequence[str], rows: list[tuple[Any, ...]]) -> dict[str, list[Any]]:
    values = [list(column) for column in zip(*rows, strict=True)] or [[] for _ in names]
    return dict(zip(names, values, strict=True))


def _load_overlaps(
    workspace: Workspace,
    registry: Registry,
    element: DimensionElement,
    keys: Mapping[str, Sequence[Any]],
    table: str,
) -> None:
    """Load the stored pixels of some records, or the records of some pixels."""
    overlap = registry.schema.overlaps[element.name]
    given = {"pixel" if n == "pixel" else element.column_of(n): v for n, v in keys.items()}
    with registry.database.staged(given, dict(overlap.c)) as staged:
        match = sa.and_(*(overlap.c[name] == staged.c[name] for name in given))
        columns = registry.database.fetch_columns(
            sa.select(overlap).join_from(staged, overlap, match)
        )
    named = {n if n == "pixel" else dimension_name(element, n): v for n, v in columns.items()}
    types = {n: column_type(element, element.column_of(n)) for n in element.required}
    workspace.load(table, named, types | {"pixel": "int"})


def _regions(
    registry: Registry, element: DimensionElement, keys: Mapping[str, Sequence[Any]]
) -> list[bytes]:
    """Return the encoded regions of records, in the order of their keys."""
    table = registry.schema.elements[element.name]
    given = {element.column_of(name): values for name, values in keys.items()}
    count = len(next(iter(given.values())))
    like: dict[str, sa.ColumnElement[Any]] = dict(table.c)
    like["place"] = sa.column("place", sa.BigInteger)
    with registry.database.staged({**given, "place": list(range(count))}, like) as staged:
        match = sa.and_(*(table.c[name] == staged.c[name] for name in given))
        select = sa.select(table.c.region).join_from(staged, table, match).order_by(staged.c.place)
        return [row[0] for row in registry.database.fetch_rows(select)]
