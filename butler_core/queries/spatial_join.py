"""Joins two kinds of region: by shared pixels in the database, then exactly here."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

import sqlalchemy as sa

from butler_core.dimensions.dimension import DimensionElement, SkyPix
from butler_core.queries.scope import JoinedTables
from butler_core.registry.database import Columns
from butler_core.registry.registry import Registry

#: Given the tables joined and the columns wanted, returns the query with all other conditions.
Constrain = Callable[[JoinedTables, list[Any]], sa.Select[Any]]


class SpatialJoiner:
    """Joins pairs of spatial elements to the tables of a query.

    Parameters
    ----------
    constrain
        Applies the query's other conditions to a list of columns, so that only
        pairs that can matter are compared.
    stack
        Takes away the temporary tables that are lent.
    """

    def __init__(self, registry: Registry, constrain: Constrain, stack: ExitStack) -> None:
        self._registry = registry
        self._constrain = constrain
        self._stack = stack

    def is_stored(self, element: DimensionElement) -> bool:
        """Return whether the pixels of a pixelization are those that the registry stores."""
        return element.name == self._registry.universe.common_skypix

    def join(self, tables: JoinedTables, first: DimensionElement, second: DimensionElement) -> None:
        """Relate two elements whose regions overlap; the second may be a pixelization."""
        if second.skypix is None:
            self._join_regions(tables, first, second)
        elif self.is_stored(second):
            overlap = self._registry.schema.overlaps[first.name].alias()
            tables.join(overlap, _key_columns(overlap, first) | {second.name: overlap.c.pixel})
        else:
            self._join_pixels(tables, first, second, second.skypix)

    def _join_regions(
        self, tables: JoinedTables, first: DimensionElement, second: DimensionElement
    ) -> None:
        from butler_core import region

        ours = self._registry.schema.overlaps[first.name].alias()
        theirs = self._registry.schema.overlaps[second.name].alias()
        both = JoinedTables.__new__(JoinedTables)
        both.__dict__.update(tables.__dict__, values=dict(tables.values))
        both.join(ours, _key_columns(ours, first))
        both.source = both.source.join(theirs, sa.and_(
            ours.c.pixel == theirs.c.pixel,
            *(column == tables.values[name] for name, column in _key_columns(theirs, second).items()
              if name in tables.values),
        ))  # fmt: skip
        keys = [tables.values[name].label(f"a_{name}") for name in first.required]
        keys += [tables.values[name].label(f"b_{name}") for name in second.required]
        pairs = self._registry.database.fetch_columns(self._constrain(both, keys).distinct())
        a_regions, a_index = self._regions(first, pairs, "a_")
        b_regions, b_index = self._regions(second, pairs, "b_")
        keep = region.overlapping_pairs(a_regions, b_regions, a_index, b_index).tolist()
        kept = {
            name: [value for value, ok in zip(values, keep, strict=True) if ok]
            for name, values in pairs.items()
        }
        like = {key.name: tables.values[key.name[2:]] for key in keys}
        lent = self._stack.enter_context(self._registry.database.staged(kept, like))
        columns = {name: lent.c[f"b_{name}"] for name in second.required}
        tables.join(lent, columns | {name: lent.c[f"a_{name}"] for name in first.required})

    def _regions(
        self, element: DimensionElement, pairs: Columns, prefix: str
    ) -> tuple[list[Any], list[int]]:
        """Return an element's distinct regions in some pairs, and each pair's place in them."""
        rows = list(zip(*(pairs[prefix + name] for name in element.required), strict=True))
        place = {row: i for i, row in enumerate(dict.fromkeys(rows))}
        table = self._registry.schema.elements[element.name]
        keys = {c: [row[i] for row in place] for i, c in enumerate(element.key_columns)}
        with self._registry.database.staged(keys, dict(table.c)) as staged:
            same = sa.and_(*(table.c[key] == staged.c[key] for key in keys))
            select = sa.select(*(table.c[key] for key in keys), table.c.region).join_from(
                staged, table, same
            )
            stored = {
                tuple(row[:-1]): row[-1] for row in self._registry.database.fetch_rows(select)
            }
        return [stored[row] for row in place], [place[row] for row in rows]

    def _join_pixels(
        self,
        tables: JoinedTables,
        first: DimensionElement,
        second: DimensionElement,
        skypix: SkyPix,
    ) -> None:
        """Relate an element to pixels of another size or system than the stored ones."""
        from butler_core import region

        keys = [tables.values[name].label(f"a_{name}") for name in first.required]
        found = self._registry.database.fetch_columns(self._constrain(tables, keys).distinct())
        encoded, index = self._regions(first, found, "a_")
        pixels = [
            []  # nowhere, where it is not known
            if one is None
            else region.skypix_envelope(region.decode(one), skypix.system, skypix.level).tolist()
            for one in encoded
        ]
        rows: Columns = {name: [] for name in (*found, "pixel")}
        for row, place in enumerate(index):
            for name, values in found.items():
                rows[name] += [values[row]] * len(pixels[place])
            rows["pixel"] += pixels[place]
        like: dict[str, Any] = {key.name: tables.values[key.name[2:]] for key in keys}
        like["pixel"] = sa.column("pixel", sa.BigInteger)
        lent = self._stack.enter_context(self._registry.database.staged(rows, like))
        columns = {name: lent.c[f"a_{name}"] for name in first.required}
        tables.join(lent, columns | {second.name: lent.c.pixel})


def _key_columns(table: Any, element: DimensionElement) -> dict[str, Any]:
    return {name: table.c[element.column_of(name)] for name in element.required}
