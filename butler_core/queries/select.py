"""From what a query asks to one SQL statement with bound values only."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any, Literal

import sqlalchemy as sa

from butler_core.datasets.collection import Collection, CollectionType
from butler_core.dimensions.dimension import DimensionElement
from butler_core.dimensions.group import DimensionGroup
from butler_core.errors import UnknownNameError
from butler_core.queries import expression_tree as tree
from butler_core.queries.conditions import ConditionWriter
from butler_core.queries.expression import names_in
from butler_core.queries.join_plan import plan_joins
from butler_core.queries.names import Meaning, meaning_of
from butler_core.queries.row_order import OrderTerm, in_order, once_in_order
from butler_core.queries.scope import JoinedTables
from butler_core.queries.spatial_join import SpatialJoiner
from butler_core.queries.terms import Parameter
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
    #: Values of governor dimensions that hold where nothing else says anything of them.
    defaults: Mapping[str, Any] = field(default_factory=dict)
    datasets: tuple[DatasetJoin, ...] = ()
    order_by: tuple[tuple[tree.Name, bool], ...] = ()
    limit: int | None = None
    offset: int = 0
    #: Further columns wanted: name in the result and name in expressions.
    fields: tuple[tuple[str, tree.Name], ...] = ()
    #: Whether rows have implied values too.
    with_implied: bool = True
    #: Dimensions that have one value in all of the registry; rows do without them.
    constants: frozenset[str] = frozenset()
    #: Whether the first rows are to come soon, even if all of them then take longer.
    is_first_row_urgent: bool = False


@contextmanager
def prepared(registry: Registry, request: QueryRequest) -> Iterator[sa.Select[Any]]:
    """Lend the statement that answers a request; temporary tables live as long as the context."""
    with ExitStack() as stack:
        yield _Writer(registry, request, stack).write()


def self_contained(registry: Registry, request: QueryRequest) -> sa.Select[Any] | None:
    """Return the statement that answers a request; None if it needs temporary tables.

    Raises
    ------
    QueryError
        If the request cannot be answered.
    """
    with _CountingStack() as stack:
        select = _Writer(registry, request, stack).write()
        return None if stack.n_entered else select


class _CountingStack(ExitStack):
    """Knows whether anything was lent."""

    n_entered = 0

    def enter_context(self, cm: Any) -> Any:
        self.n_entered += 1
        return super().enter_context(cm)


@dataclass(frozen=True, slots=True)
class _Touched:
    """What a query looks at."""

    #: All dimensions of its result and of what constrains it.
    group: DimensionGroup
    #: Names of the elements of whose records it uses more than keys.
    fields_of: set[str]
    #: Names of the dimensions whose values it uses.
    values: set[str]


class _Writer:
    def __init__(self, registry: Registry, request: QueryRequest, stack: ExitStack) -> None:
        self._registry = registry
        self._request = request
        self._stack = stack
        #: Pairs of elements whose regions must overlap.
        self._overlaps: list[tuple[DimensionElement, DimensionElement]] = []
        #: The other parts of the condition, and each as SQL once it was written.
        self._parts = [part for part in _conjuncts(request.where) if not self._relates(part)]
        self._written: dict[int, sa.ColumnElement[bool]] = {}
        #: Dataset types of whose own fields the condition says something.
        self._chosen = {meaning.dataset_type for meaning in self._meanings(names_in(request.where))}
        #: Elements for whose time calibrations must be valid.
        self._times: tuple[DimensionElement, ...] = ()

    def write(self) -> sa.Select[Any]:
        request = self._request
        touched = self._touched()
        plan = plan_joins(
            touched.group,
            datasets=[join.registered.dataset_type.dimensions for join in request.datasets],
            fields_of=touched.fields_of,
            values=touched.values,
            overlaps=self._overlaps,
        )
        self._data_id = self._with_defaults(touched.group)
        tables = JoinedTables(
            self._registry, self._stack, element=request.element, group=request.group
        )
        for join in request.datasets:
            dataset_type = join.registered.dataset_type
            first_only = join.find_first and not self._takes_first_last(join)
            search = search_datasets(
                join.registered,
                join.collections,
                find_first=first_only,
                is_first_row_urgent=request.is_first_row_urgent,
                constants=request.constants,
                dialect=self._registry.database.dialect.name,
            )
            tables.join_dataset(dataset_type, search, join.collections)
        for element in plan.elements:
            tables.join_element(element)
        self._valid = [
            condition
            for join in request.datasets
            if self._is_timed(join)
            for condition in tables.validity(join.registered.dataset_type.name, self._times)
        ]
        joiner = SpatialJoiner(self._registry, self._constrained, self._stack)
        for first, second in sorted(plan.spatial, key=lambda pair: not joiner.is_stored(pair[1])):
            joiner.join(tables, first, second)
        return self._finished(tables, touched.group)

    # ------------------------------------------------------------ what is used
    def _relates(self, part: tree.Node) -> bool:
        """Note two elements that a condition joins by their regions; return whether it does."""
        if not isinstance(part, tree.Overlaps):
            return False
        sides = [side for side in (part.left, part.right) if isinstance(side, tree.Name)]
        meanings = self._meanings(sides)
        elements = [m.element for m in meanings if m.kind == "region" and m.element is not None]
        if len(elements) < 2 or elements[0] is elements[1]:
            return False
        first, second = sorted(elements, key=lambda element: element.skypix is not None)
        self._overlaps.append((first, second))
        return True

    def _is_timed(self, join: DatasetJoin) -> bool:
        """Return whether a join looks for what is valid at the time of each row."""
        return bool(self._times) and any(
            c.type is CollectionType.CALIBRATION for c in join.collections
        )

    def _takes_first_last(self, join: DatasetJoin) -> bool:
        """Return whether conditions choose among a join's datasets before the first is taken."""
        return self._is_timed(join) or join.registered.dataset_type.name in self._chosen

    def _names(self) -> list[tree.Name]:
        request = self._request
        return [
            *(name for name in names_in(request.where) if str(name) not in request.bind),
            *(name for name, _ in request.order_by),
            *(name for _, name in request.fields),
        ]

    def _meanings(self, names: Iterable[tree.Name]) -> list[Meaning]:
        """Return what the names stand for that are not bound."""
        return [self._meaning(name) for name in names if str(name) not in self._request.bind]

    def _meaning(self, name: tree.Name) -> Meaning:
        types = {join.registered.dataset_type.name for join in self._request.datasets}
        universe = self._registry.universe
        return meaning_of(
            name,
            universe,
            dataset_types=types,
            element=self._request.element,
            group=self._request.group,
        )

    def _touched(self) -> _Touched:
        request, universe = self._request, self._registry.universe
        names = {*request.group.names, *request.data_id}
        values = set(request.group.names if request.with_implied else request.group.required)
        values |= set(request.data_id)
        fields_of: set[str] = set()
        if request.element is not None:
            fields_of.add(request.element.name)
            names |= set(request.element.required)
        for join in request.datasets:
            names |= set(join.registered.dataset_type.dimensions.names)
        for meaning in map(self._meaning, self._names()):
            element = meaning.element
            if element is None:
                continue
            names |= {*element.required, *((element.name,) if element.is_dimension else ())}
            if meaning.kind == "dimension" or element.skypix is not None:
                values.add(element.name)
            else:
                fields_of.add(element.name)
        group = universe.conform(names)
        self._times = group.temporal
        if any(self._is_timed(join) for join in request.datasets):
            fields_of |= {element.name for element in self._times}
        return _Touched(group, fields_of, values)

    def _with_defaults(self, group: DimensionGroup) -> Mapping[str, Any]:
        """Add the default values of governor dimensions that nothing else says anything of."""
        named = {name.parts[0] for name in names_in(self._request.where)}
        defaults = {
            name: value
            for name, value in self._request.defaults.items()
            if name in group and name not in named
        }
        return {**defaults, **self._request.data_id}

    # --------------------------------------------------------------- statement
    def _constrained(self, tables: JoinedTables, columns: list[Any]) -> sa.Select[Any]:
        """Apply the conditions on what is joined so far."""
        writer = ConditionWriter(tables, self._request.bind)
        select = sa.select(*columns)
        if tables.source is not None:
            select = select.select_from(tables.source)
        for place, part in enumerate(self._parts):
            if place not in self._written and self._is_joined(part, tables):
                self._written[place] = writer.condition(part)
            if place in self._written:
                select = select.where(self._written[place])
        select = select.where(*self._valid)
        for name, value in self._data_id.items():
            if name in tables.values:
                given = value.sql if isinstance(value, Parameter) else value
                select = select.where(tables.values[name] == given)
        return select

    def _is_joined(self, part: tree.Node, tables: JoinedTables) -> bool:
        """Return whether all values that a condition uses are joined; pixels may come last."""
        return all(
            str(meaning.element) in tables.values
            for meaning in self._meanings(names_in(part))
            if meaning.kind == "dimension" or (meaning.element and meaning.element.skypix)
        )

    def _finished(self, tables: JoinedTables, group: DimensionGroup) -> sa.Select[Any]:
        request = self._request
        columns, is_unique = self._columns(tables, group)
        columns += [tables.column(name).value.label(label) for label, name in request.fields]
        if request.returns == "datasets" and self._takes_first_last(request.datasets[0]):
            select = self._first_for_each_row(tables, group, columns)
        else:
            rows, terms = self._constrained(tables, columns), self._terms(tables)
            select = in_order(rows, terms) if is_unique else once_in_order(rows, columns, terms)
        if request.limit is not None:
            select = select.limit(request.limit)
        return select.offset(request.offset) if request.offset else select

    def _first_for_each_row(
        self, tables: JoinedTables, group: DimensionGroup, columns: list[Any]
    ) -> sa.Select[Any]:
        """Keep, for each row of all dimensions, what the first collection has for it."""
        join = self._request.datasets[0]
        rank = tables.datasets[join.registered.dataset_type.name].c.rank
        rows = [tables.values[name] for name in group.required]
        place = sa.func.rank().over(partition_by=rows or None, order_by=rank).label("place_")
        terms = self._terms(tables)
        order = [term.label(f"order_{i}") for i, (term, _) in enumerate(terms)]
        inner = self._constrained(tables, [*columns, *order, place]).subquery()
        kept = [inner.c[column.name] for column in columns]
        select = sa.select(*kept)
        if join.find_first:
            select = select.where(inner.c.place_ == 1)
        placed = [
            (inner.c[term.name], falling) for term, (_, falling) in zip(order, terms, strict=True)
        ]
        return once_in_order(select, kept, placed)

    def _columns(self, tables: JoinedTables, group: DimensionGroup) -> tuple[list[Any], bool]:
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
        columns = [tables.values[n].label(n) for n in names if n not in request.constants]
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

    def _gives_each_once(self, join: DatasetJoin) -> bool:
        if any(c.type is CollectionType.CALIBRATION for c in join.collections):
            return False
        first_only = join.find_first and not self._takes_first_last(join)
        return first_only or len(join.collections) <= 1

    def _terms(self, tables: JoinedTables) -> list[OrderTerm]:
        """Return the columns to order by, each with whether the order falls."""
        found = []
        for name, descending in self._request.order_by:
            term = tables.column(name)
            if isinstance(term.value, tuple) or term.kind == "regions":
                raise UnknownNameError(f"{str(name)!r} has no order; use its .begin or .end")
            # Of truth values PostgreSQL knows no first.
            value = sa.cast(term.value, sa.Integer) if term.kind == "bool" else term.value
            found.append((value, descending))
        return found


def _conjuncts(node: tree.Node) -> list[tree.Node]:
    """Return the conditions that must all hold."""
    if not isinstance(node, tree.And):
        return [node]
    return [part for operand in node.operands for part in _conjuncts(operand)]
