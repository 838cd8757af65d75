"""The answer to a request: asked when it is wanted, as columns, whole or page by page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, Protocol

import sqlalchemy as sa

from butler_core.datasets.collection import CollectionType
from butler_core.queries.select import QueryRequest, prepared, self_contained
from butler_core.registry.registry import Registry

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


class QueryAnswer:
    """What a registry answers; asked anew each time.

    Raises
    ------
    QueryError
        If the request cannot be answered.
    """

    def __init__(self, registry: Registry, request: QueryRequest) -> None:
        self._registry = registry
        self._request = request
        self._select = self_contained(registry, request)

    @contextmanager
    def _statement(self) -> Iterator[sa.Select[Any]]:
        if self._select is not None:
            yield self._select
            return
        with prepared(self._registry, self._request) as select:
            yield select

    def columns(self) -> Columns:
        """Return all rows, one list per column; of datasets with the names of their runs."""
        with self._statement() as select:
            columns = self._registry.database.fetch_columns(select)
        return self._with_runs(columns, {})

    def pages(self) -> Iterator[Columns]:
        """Give all rows, some at a time, in bounded memory; the first few soon."""
        runs: dict[int, str] = {}
        request = replace(self._request, is_first_row_urgent=True)
        database = self._registry.database
        select = self_contained(self._registry, request) if self._select is not None else None
        if select is not None:
            pages = database.fetch_pages(select)
        else:  # temporary tables must be gone before the caller goes on
            with prepared(self._registry, self._request) as select:
                pages = database.spool(select)
        names = [column.name for column in select.selected_columns]
        for rows in pages:
            if rows:
                lists = map(list, zip(*rows, strict=True))
                yield self._with_runs(dict(zip(names, lists, strict=True)), runs)

    def count(self) -> int:
        """Return how many rows there are, without fetching them."""
        with self._statement() as select:
            inner = select.order_by(None).subquery() if self._is_whole else select.subquery()
            counted = sa.select(sa.func.count()).select_from(inner)
            return int(self._registry.database.fetch_scalar(counted))

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
        columns["run"] = [runs[key] for key in keys]
        return columns
