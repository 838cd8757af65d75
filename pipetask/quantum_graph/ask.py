"""Stage *ask*: columns out of the registry, one query per dataset type or element."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from typing import Any

import sqlalchemy as sa

from butler_core.datasets.collection import Collection
from butler_core.datasets.dataset_type import DatasetType
from butler_core.dimensions.dimension import DimensionElement
from butler_core.queries.select import DatasetJoin, QueryRequest, prepared
from butler_core.registry.database import Columns
from butler_core.registry.dataset_search import search_datasets
from butler_core.registry.dataset_types import RegisteredType
from butler_core.registry.registry import Registry
from pipetask.quantum_graph.where import Condition
from pipetask.quantum_graph.workspace import Workspace


def ask_datasets(
    workspace: Workspace,
    registry: Registry,
    dataset_type: DatasetType,
    collections: Sequence[Collection],
    condition: Condition,
    table: str,
) -> int:
    """Load the datasets of a type that fulfil what of a condition concerns it.

    The table has the required dimensions, ``id`` and ``run``; of each data ID
    the first dataset found. Returns the number of rows.
    """
    registered = registry.dataset_types.find(dataset_type.name)
    group = dataset_type.dimensions
    held = registry.datasets.holds(registered, collections) if registered is not None else set()
    n_in = _n_held(registry, registered, collections) if registered is not None else 0
    with workspace.stage("ask", dataset_type.name, n_in) as outcome, ExitStack() as stack:
        pages: Iterable[Columns] = ()
        if registered is not None:
            request = QueryRequest(
                group,
                returns="datasets",
                where=condition.within(group),
                bind=condition.bind,
                data_id=condition.data_id_within(group),
                datasets=(
                    DatasetJoin(registered, tuple(c for c in collections if c.name in held)),
                ),
                with_implied=False,
            )
            pages = _pages(registry, stack.enter_context(prepared(registry, request)))
        outcome.n_out = workspace.load_pages(table, pages, _types(dataset_type))
    return outcome.n_out


def ask_prerequisites(
    workspace: Workspace,
    registry: Registry,
    dataset_type: DatasetType,
    collections: Sequence[Collection],
    table: str,
) -> int:
    """Load all datasets of a type, with rank of their collection and validity."""
    registered = registry.dataset_types.find(dataset_type.name)
    types = _types(dataset_type) | {"rank": "int", "begin_ns": "int", "end_ns": "int"}
    n_in = _n_held(registry, registered, collections) if registered is not None else 0
    with workspace.stage("ask", dataset_type.name, n_in) as outcome:
        pages: Iterable[Columns] = ()
        if registered is not None:
            held = registry.datasets.holds(registered, collections)
            holders = [c for c in collections if c.name in held]
            found = search_datasets(registered, holders, find_first=False).subquery()
            wanted = [found.c["run_id" if name == "run" else name] for name in types]
            pages = _pages(registry, sa.select(*wanted))
        outcome.n_out = workspace.load_pages(table, pages, types)
    return outcome.n_out


def _n_held(
    registry: Registry, registered: RegisteredType, collections: Sequence[Collection]
) -> int:
    """Return how many datasets of a type some collections hold or name."""
    found = search_datasets(registered, collections, find_first=False).subquery()
    select = sa.select(sa.func.count()).select_from(found)
    return int(registry.database.fetch_scalar(select))


def _pages(registry: Registry, select: sa.Select[Any]) -> Iterator[Columns]:
    """Give the columns of a query for datasets, with names of runs."""
    names = [column.name for column in select.selected_columns]
    runs: dict[int, str] = {}
    for rows in registry.database.stream_pages(select):
        columns: Columns = dict(zip(names, map(list, zip(*rows, strict=True)), strict=True))
        keys = columns.pop("run_id")
        if unknown := set(keys) - set(runs):
            runs |= _run_names(registry, unknown)
        columns["run"] = [runs[key] for key in keys]
        yield columns


def _types(dataset_type: DatasetType) -> dict[str, str]:
    names = dataset_type.dimensions.required
    return {name: _key_type(dataset_type, name) for name in names} | {"id": "id", "run": "text"}


def _run_names(registry: Registry, keys: set[int]) -> dict[int, str]:
    if not keys:
        return {}
    c = registry.schema.collection.c
    return dict(
        registry.database.fetch_rows(
            sa.select(c.collection_id, c.name).where(c.collection_id.in_(keys))
        )
    )


def _key_type(dataset_type: DatasetType, name: str) -> str:
    key = dataset_type.dimensions.universe[name].key
    assert key is not None
    return key.type


def ask_element(
    workspace: Workspace,
    registry: Registry,
    element: DimensionElement,
    condition: Condition,
    table: str,
) -> int:
    """Load an element's records that fulfil what of a condition concerns them.

    Columns are named by dimension (``exposure``, not ``id``); fields by their
    own names; ``begin_ns`` and ``end_ns`` where there is a timespan. Regions
    are left out.
    """
    group = registry.universe.conform(element.required)
    request = QueryRequest(
        group,
        returns="records",
        element=element,
        where=condition.within(group),
        bind=condition.bind,
        data_id=condition.data_id_within(group),
    )
    n_in = registry.records.count(element.name)
    with workspace.stage("ask", element.name, n_in) as outcome, ExitStack() as stack:
        select = stack.enter_context(prepared(registry, request))
        kept = [column for column in select.selected_columns if column.name != "region"]
        columns = registry.database.fetch_columns(select.with_only_columns(*kept))
        outcome.n_out = workspace.load(
            table,
            {dimension_name(element, name): values for name, values in columns.items()},
            {dimension_name(element, n): column_type(element, n) for n in columns},
        )
    return outcome.n_out


def dimension_name(element: DimensionElement, column: str) -> str:
    """Return a table column's name in a workspace: the dimension's for the own key."""
    if element.key is not None and column == element.key.name:
        return element.name
    return column


def column_type(element: DimensionElement, column: str) -> str:
    """Return the type of a column of an element's table."""
    if column in ("begin_ns", "end_ns"):
        return "int"
    return element.fields[column].type
