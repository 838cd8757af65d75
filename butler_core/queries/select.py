"""From what a query asks to one SQL statement with bound values only."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any, Literal

import sqlalchemy as sa

from butler_core.datasets.collection import Collection, CollectionType
from butler_core.dimensions.dimension import DimensionElement
from butler_core.dimensions.group import DimensionGroup
from butler_core.errors import DataIdError, UnknownNameError
from butler_core.queries import expression_tree as tree
from butler_core.queries.conditions import ConditionWriter
from butler_core.queries.expression import names_in
from butler_core.queries.join_plan import plan_joins
from butler_core.queries.names import meaning_of
from butler_core.queries.scope import JoinedTables
from butler_core.queries.spatial_join import SpatialJoiner
from butler_core.registry.dataset_search import search_datasets
from butler_core.registry.dataset_types import RegisteredType
from butler_core.registry.registry import Registry


@dataclass(frozen=True, slots=True)
class DatasetJoin:
    """Datasets that a query's rows must have, or that it returns."""

    registered: RegisteredType
    #: Without chains, in the order searched.
    collections: tuple[Collection, ...]
    find_first: bool = True


@dataclass(frozen=True, slots=True)
class QueryRequest:
    """All that a query asks; immutable."""

    #: Dimensions of the rows.
    group: DimensionGroup
    #: What the rows are: data IDs, an element's records, or the first dataset join's datasets.
    returns: Literal["data_ids", "records", "datasets"] = "data_ids"
    #: The element whose records are returned.
    element: DimensionElement | None = None
    where: tree.Node = tree.TRUE
    bind: Mapping[str, Any] = field(default_factory=dict)
    data_id: Mapping[str, Any] = field(default_factory=dict)
    datasets: tuple[DatasetJoin, ...] = ()
    order_by: tuple[tuple[tree.Name, bool], ...] = ()
    limit: int | None = None
    offset: int = 0
    #: Further columns wanted: name in the result and name in expressions.
    fields: tuple[tuple[str, tree.Name], ...] = ()
    #: Whether rows have implied values too.
    with_implied: bool = True


@contextmanager
def prepared(registry: Registry, request: QueryRequest) -> Iterator[sa.Select[Any]]:
    """Lend the statement that answers a request; temporary tables live as long as the context."""
    with ExitStack() as stack:
        yield _Writer(registry, request, stack).write()


class _Writer:
    def __init__(self, registry: Registry, request: QueryRequest, stack: ExitStack) -> None:
        self._registry = registry
        self._request = request
        self._stack = stack

    def write(self) -> sa.Select[Any]:
        request = self._request
        group, fields_of = self._dimensions()
        plan = plan_joins(
            group,
            datasets=[join.registered.dataset_type.dimensions for join in request.datasets],
            fields_of=fields_of,
            values=self._values_used(group),
        )
        tables = JoinedTables(self._registry, self._stack, request.element)
        for join in request.datasets:
            dataset_type = join.registered.dataset_type
            search = search_datasets(
                join.registered, join.collections, find_first=join.find_first
            )
            tables.join_dataset(dataset_type.name, dataset_type.dimensions.required, search)
        for element in plan.elements:
            tables.join_element(element)
        self._condition = ConditionWriter(tables, request.bind).condition(request.where)
        joiner = SpatialJoiner(self._registry, self._constrained, self._stack)
        for first, second in plan.spatial:
            joiner.join(tables, first, second)
        return self._finished(tables, group)

    # ------------------------------------------------------------ what is used
    def _names(self) -> list[tree.Name]:
        request = self._request
        found = [name for name in names_in(request.where) if str(name) not in request.bind]
        return [*found, *(name for name, _ in request.order_by), *(name for _, name in request.fields)]

    def _dimensions(self) -> tuple[DimensionGroup, set[str]]:
        """Return all dimensions the query touches, and the elements whose records it looks at."""
        request = self._request
        names = {*request.group.names, *self._known_data_id()}
        fields_of = {request.element.name} if request.returns == "records" and request.element else set()
        if request.element is not None and request.element.view_of:
            fields_of = {request.element.view_of}
            names |= set(self._registry.universe[request.element.view_of].required)
        dataset_types = {join.registered.dataset_type.name for join in request.datasets}
        for join in request.datasets:
            names |= set(join.registered.dataset_type.dimensions.names)
        for name in self._names():
            meaning = meaning_of(
                name, self._registry.universe, dataset_types=dataset_types, element=request.element
            )
            if meaning.element is not None:
                names |= {meaning.element.name} if meaning.element.is_dimension else set()
                names |= set(meaning.element.required)
                if meaning.kind != "dimension":
                    fields_of.add(meaning.element.name)
        return self._registry.universe.conform(names), fields_of

    def _known_data_id(self) -> set[str]:
        unknown = [n for n in self._request.data_id if n not in self._registry.universe]
        if unknown:
            raise DataIdError(f"{', '.join(map(repr, unknown))} in a data ID: no such dimension")
        return set(self._request.data_id)

    def _values_used(self, group: DimensionGroup) -> set[str]:
        request = self._request
        used = set(request.group.names if request.with_implied else request.group.required)
        used |= set(request.data_id)
        for name in self._names():
            if name.parts[0] in group:
                used.add(name.parts[0])
        return used

    # --------------------------------------------------------------- statement
    def _constrained(self, tables: JoinedTables, columns: list[Any]) -> sa.Select[Any]:
        select = sa.select(*columns).select_from(tables.source).where(self._condition)
        for name, value in self._request.data_id.items():
            select = select.where(tables.values[name] == value)
        return select

    def _finished(self, tables: JoinedTables, group: DimensionGroup) -> sa.Select[Any]:
        request = self._request
        if tables.source is None:  # no dimension and no dataset: one empty row
            return sa.select(sa.literal(1).label("_"))
        columns, is_unique = self._columns(tables, group)
        columns += [
            tables.column(name).value.label(label) for label, name in request.fields
        ]
        select = self._constrained(tables, columns)
        if not is_unique:
            select = select.distinct()
        select = select.order_by(*self._order(tables))
        if request.limit is not None:
            select = select.limit(request.limit)
        return select.offset(request.offset) if request.offset else select

    def _columns(
        self, tables: JoinedTables, group: DimensionGroup
    ) -> tuple[list[Any], bool]:
        """Return the columns of a row, and whether rows cannot come twice."""
        request = self._request
        own = all(name in request.group for name in tables.values)
        single = own and group == request.group and not self._may_repeat()
        if request.returns == "records" and request.element is not None:
            if request.element.view_of:
                key = tables.values[request.element.name]
                return [key.label(request.element.key_columns[0])], False
            return list(tables.elements[request.element.name].c), single
        names = request.group.names if request.with_implied else request.group.required
        columns = [tables.values[name].label(name) for name in names]
        if request.returns == "datasets":
            join = request.datasets[0]
            table = tables.datasets[join.registered.dataset_type.name]
            columns += [table.c.dataset_key, table.c.id, table.c.run_id]
            return columns, single
        return columns or [sa.literal(1).label("_")], single and bool(columns)

    def _may_repeat(self) -> bool:
        """Return whether a row may come twice because of what a dataset search gives."""
        joins = self._request.datasets
        if self._request.returns == "datasets":
            joins = joins[1:] if self._gives_each_once(joins[0]) else joins
        return any(not self._gives_each_once(join) for join in joins)

    @staticmethod
    def _gives_each_once(join: DatasetJoin) -> bool:
        if any(c.type is CollectionType.CALIBRATION for c in join.collections):
            return False
        return join.find_first or len(join.collections) <= 1

    def _order(self, tables: JoinedTables) -> Sequence[Any]:
        ordered = []
        for name, descending in self._request.order_by:
            term = tables.column(name)
            if isinstance(term.value, tuple) or term.kind == "regions":
                raise UnknownNameError(f"{str(name)!r} has no order; use its .begin or .end")
            ordered.append(term.value.desc() if descending else term.value)
        return ordered
