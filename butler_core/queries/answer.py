"""The answer to a request: asked when it is wanted, as columns, whole or page by page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, Protocol

import sqlalchemy as sa

from butler_core.datasets.collection import CollectionType
from butler_core.errors import QueryError
from butler_core.garbage import collection_paused
from butler_core.queries.expansion import implied_columns, lone_values
from butler_core.queries.request_shape import is_listing, is_pinned, shape_of
from butler_core.queries.select import QueryRequest, prepared, self_contained
from butler_core.registry.prepared_statement import PreparedStatement
from butler_core.registry.registry import Registry
from butler_core.registry.row_spool import Rows, RowSpool

Columns = Mapping[str, list[Any]]


class Answer(Protocol):
    """Rows by column, to be had in several ways."""

    def columns(self) -> Columns:
        """Return all rows, one list per column."""
        ...

    def pages(self) -> Iterator[Columns]:
        """Give all rows, some at a time, in bounded memory."""
        ...

    def count(self) -> int:
        """Return how many rows there are, without fetching them."""
        ...

    def any(self) -> bool:
        """Return whether there is a row, without fetching more than one."""
        ...


class KnownAnswer:
    """Columns that are there already."""

    def __init__(self, columns: Columns) -> None:
        self._columns = columns

    def columns(self) -> Columns:
        """Return the columns."""
        return self._columns

    def pages(self) -> Iterator[Columns]:
        """Give the columns as one page."""
        yield self._columns

    def count(self) -> int:
        """Return how many rows there are."""
        return len(next(iter(self._columns.values()), ()))

    def any(self) -> bool:
        """Return whether there is a row."""
        return self.count() > 0


class QueryAnswer:
    """What a registry answers; asked anew each time, as far as it needs no temporary tables.

    Raises
    ------
    QueryError
        If the request cannot be answered.
    """

    def __init__(self, registry: Registry, request: QueryRequest) -> None:
        self._registry = registry
        self._request = request
        self._values: dict[str, Any] = {}
        #: Rows that were fetched already, and the names of their columns.
        self._spool: RowSpool | None = None
        self._names: list[str] = []
        self._statement = self._prepared()
        if self._statement is None:
            self._fetch()

    def _prepared(self) -> PreparedStatement | None:
        """Return the statement for requests of this shape, if it needs no temporary tables."""
        shape = shape_of(self._request)
        self._values = shape.values
        if shape.key is None:
            return None
        return self._registry.prepared.get(shape.key, lambda: self._written(shape.request))

    def _written(self, shaped: QueryRequest) -> sa.Select[Any] | None:
        try:
            return self_contained(self._registry, shaped)
        except QueryError:
            self_contained(self._registry, self._request)  # in this message, numbers are numbers
            return None

    def _fetch(self) -> None:
        """Fetch all rows: temporary tables must be gone before the caller goes on."""
        with prepared(self._registry, self._request) as select:
            self._spool = self._registry.database.spool(select)
            self._names = [column.name for column in select.selected_columns]

    def columns(self) -> Columns:
        """Return all rows, one list per column; of datasets with the names of their runs."""
        if self._statement is None:
            rows = [row for page in self._spooled() for row in page]
            return self._with_runs(self._as_columns(rows), {})
        if is_listing(self._request):
            return self._with_runs(self._listed(), {})
        columns = self._registry.database.fetch_prepared_columns(self._statement, self._values)
        return self._with_runs(columns, {})

    def _listed(self) -> dict[str, list[Any]]:
        """Return all datasets of a search, whose implied values are looked up apart.

        Most of them have theirs in common with many others.
        """
        group = self._request.group
        constants = lone_values(self._registry, group)
        columns = self._lean(constants)
        if lone_values(self._registry, group) != constants:  # a second one has come meanwhile
            columns = self._lean({})
        with collection_paused():
            return columns | implied_columns(self._registry, group, columns)

    def _lean(self, constants: Mapping[str, str]) -> dict[str, list[Any]]:
        """Return all datasets without implied values; constants are filled in."""
        request = replace(self._request, with_implied=False, constants=frozenset(constants))
        lean = shape_of(request)
        statement = self._registry.prepared.get(
            lean.key, lambda: self_contained(self._registry, lean.request)
        )
        assert lean.key is not None  # as in the other form
        assert statement is not None
        columns = self._registry.database.fetch_prepared_columns(statement, lean.values)
        count = len(columns["dataset_key"])
        return {name: [value] * count for name, value in constants.items()} | columns

    def pages(self) -> Iterator[Columns]:
        """Give all rows, some at a time, in bounded memory; the first few soon."""
        if self._statement is not None and is_pinned(self._request):
            yield self.columns()
            return
        runs: dict[int, str] = {}
        for rows in self._pages():
            if rows:
                yield self._with_runs(self._as_columns(rows), runs)

    def _pages(self) -> Iterator[Rows]:
        if self._statement is None:
            return self._spooled()
        urgent = replace(self._request, is_first_row_urgent=True)
        select = self_contained(self._registry, urgent)
        assert select is not None  # as in the other form
        self._names = [column.name for column in select.selected_columns]
        return self._registry.database.fetch_pages(select)

    def _spooled(self) -> Iterator[Rows]:
        assert self._spool is not None
        return self._spool.pages()

    def _as_columns(self, rows: Rows) -> dict[str, list[Any]]:
        if not rows:
            return {name: [] for name in self._names}
        return dict(zip(self._names, map(list, zip(*rows, strict=True)), strict=True))

    def count(self) -> int:
        """Return how many rows there are, without fetching them."""
        if self._spool is not None:
            return self._spool.n_rows
        select = self_contained(self._registry, self._request)
        assert select is not None  # as when it was prepared
        inner = select.order_by(None).subquery() if self._is_whole else select.subquery()
        counted = sa.select(sa.func.count()).select_from(inner)
        return int(self._registry.database.fetch_scalar(counted))

    def any(self) -> bool:
        """Return whether there is a row, without fetching more than one."""
        if self._spool is not None:
            return self._spool.n_rows > 0
        select = self_contained(
            self._registry, replace(self._request, order_by=(), is_first_row_urgent=True)
        )
        assert select is not None  # as when it was prepared
        one = sa.select(sa.literal(1)).select_from(select.subquery()).limit(1)
        return self._registry.database.fetch_scalar(one) is not None

    @property
    def _is_whole(self) -> bool:
        return self._request.limit is None and not self._request.offset

    def _with_runs(self, columns: dict[str, list[Any]], runs: dict[int, str]) -> Columns:
        """Add the names of datasets' runs; ``runs`` remembers those known."""
        keys = columns.get("run_id")
        if keys is None:
            return columns
        if not runs:
            found = self._request.datasets[0].collections
            runs.update((c.key, c.name) for c in found if c.type is CollectionType.RUN)
        if unknown := set(keys) - set(runs):
            table = self._registry.schema.collection
            select = sa.select(table.c.collection_id, table.c.name).where(
                table.c.collection_id.in_(unknown)
            )
            runs.update(self._registry.database.fetch_rows(select))
        columns["run"] = list(map(runs.__getitem__, keys))
        return columns
