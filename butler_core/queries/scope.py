"""The tables of one query, joined on the dimensions they share."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from typing import Any

import sqlalchemy as sa

from butler_core.datasets.collection import Collection
from butler_core.datasets.dataset_type import DatasetType
from butler_core.dimensions.dimension import DimensionElement
from butler_core.dimensions.group import DimensionGroup
from butler_core.errors import QueryError
from butler_core.queries import expression_tree as tree
from butler_core.queries.names import Meaning, meaning_of
from butler_core.queries.terms import Term
from butler_core.registry.registry import Registry

_KIND_OF_TYPE = {"int": "int", "float": "float", "text": "text", "bool": "bool"}


class JoinedTables:
    """What is joined so far, and where each dimension's value comes from.

    Lends temporary tables for the regions it must compare outside the
    database; ``stack`` takes them away.
    """

    def __init__(
        self,
        registry: Registry,
        stack: ExitStack,
        *,
        element: DimensionElement | None = None,
        group: DimensionGroup | None = None,
    ) -> None:
        self._registry = registry
        self._stack = stack
        self._element = element
        self._group = group
        self.source: Any = None
        #: SQL column that gives each dimension's value.
        self.values: dict[str, Any] = {}
        self.elements: dict[str, Any] = {}
        self.datasets: dict[str, Any] = {}
        self._collections: dict[str, dict[int, str]] = {}

    # ---------------------------------------------------------------- joining
    def join(self, table: Any, columns: Mapping[str, Any]) -> None:
        """Join a table on the dimensions whose values are known already.

        Parameters
        ----------
        columns
            The table's column for each dimension it has.
        """
        shared = [columns[name] == self.values[name] for name in columns if name in self.values]
        if self.source is None:
            self.source = table
        else:
            self.source = self.source.join(table, sa.and_(*shared) if shared else sa.true())
        for name, column in columns.items():
            self.values.setdefault(name, column)

    def join_element(self, element: DimensionElement) -> None:
        """Join an element's record table, or the values that the one it is a view of has."""
        if element.name in self.elements:
            return
        if element.view_of is not None:
            self._join_view(element, self._registry.schema.elements[element.view_of])
            return
        table = self._registry.schema.elements[element.name].alias()
        self.elements[element.name] = table
        names = (*element.required, *element.implied)
        self.join(table, {name: table.c[element.column_of(name)] for name in names})

    def _join_view(self, element: DimensionElement, stored: sa.Table) -> None:
        column = stored.c[element.name]
        view = sa.select(column).where(column.is_not(None)).distinct().subquery()
        self.elements[element.name] = view
        self.join(view, {element.name: view.c[element.name]})

    def join_dataset(
        self, dataset_type: DatasetType, search: Any, collections: Sequence[Collection]
    ) -> None:
        """Join a dataset search; see `butler_core.registry.dataset_search`."""
        table = search.subquery()
        # Of two searches for one type, the first is the one whose datasets are returned.
        self.datasets.setdefault(dataset_type.name, table)
        names = {rank: collection.name for rank, collection in enumerate(collections)}
        self._collections.setdefault(dataset_type.name, names)
        self.join(table, {name: table.c[name] for name in dataset_type.dimensions.required})

    # ---------------------------------------------------------------- meaning
    def meaning(self, name: tree.Name) -> Meaning:
        """Return what a name stands for in this query."""
        return meaning_of(
            name,
            self._registry.universe,
            dataset_types=self.datasets,
            element=self._element,
            group=self._group,
        )

    def column(self, name: tree.Name) -> Term:
        """Return the column of a name."""
        meaning = self.meaning(name)
        element = meaning.element
        if element is None:
            return self._dataset_column(meaning)
        if meaning.kind == "dimension":
            assert element.key is not None
            return Term(_KIND_OF_TYPE[element.key.type], self.values[element.name])
        if meaning.kind == "region":
            return Term("regions", element)
        table = self.elements[element.name]
        if meaning.kind == "timespan":
            return Term("timespan", (table.c.begin_ns, table.c.end_ns))
        if meaning.kind in ("begin", "end"):
            return Term("time", table.c[f"{meaning.kind}_ns"])
        kind = _KIND_OF_TYPE.get(element.fields[meaning.field].type)
        if kind is None:
            raise QueryError(f"{str(name)!r} holds bytes, which cannot be compared")
        return Term(kind, table.c[meaning.field])

    def _dataset_column(self, meaning: Meaning) -> Term:
        table = self.datasets[meaning.dataset_type]
        match meaning.field:
            case "dataset_id":
                return Term("id", table.c.id)
            case "collection":
                names = self._collections[meaning.dataset_type]
                return Term("text", sa.case(names, value=table.c.rank) if names else sa.null())
            case "ingest_date":
                return Term("time", table.c.ingest_ns)
            case "timespan":
                return Term("timespan", (table.c.begin_ns, table.c.end_ns))
            case "timespan.begin" | "timespan.end":
                return Term("time", table.c[f"{meaning.field.partition('.')[2]}_ns"])
        collection = self._registry.schema.collection
        name = (
            sa.select(collection.c.name)
            .where(collection.c.collection_id == table.c.run_id)
            .scalar_subquery()
        )
        return Term("text", name)

    def validity(
        self, dataset_type: str, elements: Iterable[DimensionElement]
    ) -> list[sa.ColumnElement[bool]]:
        """Return the conditions that a dataset is valid at the times of some elements."""
        table = self.datasets[dataset_type]
        return [
            sa.and_(
                table.c.begin_ns < self.elements[element.name].c.end_ns,
                self.elements[element.name].c.begin_ns < table.c.end_ns,
            )
            for element in elements
        ]

    # ---------------------------------------------------------------- regions
    def stored_region(self, element: DimensionElement) -> sa.ColumnElement[Any]:
        """Return the column of an element's encoded regions."""
        if element.skypix is not None:
            raise QueryError(f"the regions of {element.name!r} are nowhere missing")
        column: sa.ColumnElement[Any] = self.elements[element.name].c.region
        return column

    def overlap(self, element: DimensionElement, region: Any) -> sa.ColumnElement[bool]:
        """Return the condition that an element's region overlaps a constant one.

        The keys of the records that do are lent to the query. Where a region is
        missing, the condition is neither true nor false.
        """
        if element.skypix is not None:
            return self._pixel_overlap(element, region)
        found = self.overlapping_keys(element, region)
        ours = self.elements[element.name]
        lent = self._stack.enter_context(
            self._registry.database.staged(
                found, dict(self._registry.schema.elements[element.name].c)
            )
        )
        match = [lent.c[key] == ours.c[key] for key in element.key_columns]
        among = sa.exists(sa.select(sa.literal(1)).select_from(lent).where(*match))
        return sa.or_(among, sa.and_(ours.c.region.is_(None), sa.null()))

    def _pixel_overlap(self, element: DimensionElement, region: Any) -> sa.ColumnElement[bool]:
        """Return the condition that a pixel is one of those around a constant region."""
        from butler_core import region as regions

        ranges = regions.skypix_pixelization(element.name).envelope(region).ranges()
        like = sa.column("pixel", sa.BigInteger)
        lent = self._stack.enter_context(
            self._registry.database.staged(
                {"begin": [begin for begin, _ in ranges], "end": [end for _, end in ranges]},
                {"begin": like, "end": like},
            )
        )
        pixel = self.values[element.name]
        inside = sa.and_(lent.c.begin <= pixel, pixel < lent.c.end)
        return sa.exists(sa.select(sa.literal(1)).select_from(lent).where(inside))

    def overlapping_keys(self, element: DimensionElement, region: Any) -> dict[str, list[Any]]:
        """Return the keys of an element's records whose regions overlap a constant one.

        The candidates come from the stored pixels; their exact regions are
        compared here.
        """
        from butler_core import region as regions

        registry = self._registry
        overlap = registry.schema.overlaps[element.name]
        table = registry.schema.elements[element.name]
        keys = element.key_columns
        level = int(registry.universe.common_skypix.removeprefix("htm"))
        pixels = regions.skypix_envelope(region, "htm", level)
        database = registry.database
        with database.staged({"pixel": pixels.tolist()}, {"pixel": overlap.c.pixel}) as staged:
            same = sa.and_(*(overlap.c[key] == table.c[key] for key in keys))
            candidates = database.fetch_columns(
                sa.select(*(table.c[key] for key in keys), table.c.region)
                .distinct()
                .join_from(staged, overlap, staged.c.pixel == overlap.c.pixel)
                .join(table, same)
            )
        count = len(candidates["region"])
        keep = regions.overlapping_pairs(
            candidates["region"], [regions.encode(region)], list(range(count)), [0] * count
        )
        return {key: _kept(candidates[key], keep) for key in keys}


def _kept(values: Sequence[Any], keep: Any) -> list[Any]:
    return [value for value, ok in zip(values, keep.tolist(), strict=True) if ok]
