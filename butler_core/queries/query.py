"""Queries as immutable builders: constrain, join, then ask for columns."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from butler_core.datasets.collection import Collection
from butler_core.dimensions.data_coordinate import typed_value
from butler_core.dimensions.group import DimensionGroup
from butler_core.errors import DataIdError, NoCollectionsError, QueryError, near_misses
from butler_core.queries import expression_tree as tree
from butler_core.queries.answer import QueryAnswer
from butler_core.queries.expression import parse, parse_order_by
from butler_core.queries.results import DataIdResult, DatasetResult, RecordResult
from butler_core.queries.select import DatasetJoin, QueryRequest
from butler_core.registry.registry import Registry


class Query:
    """A question to a registry. Every method returns a new query, or an answer.

    Parameters
    ----------
    default_collections
        Searched where a method is given none.
    default_data_id
        Values used for governor dimensions that a query leaves open.
    """

    def __init__(
        self,
        registry: Registry,
        *,
        default_collections: Iterable[str] = (),
        default_data_id: Mapping[str, Any] | None = None,
        request: QueryRequest | None = None,
    ) -> None:
        self._registry = registry
        self._default_collections = tuple(default_collections)
        self._request = request or QueryRequest(
            registry.universe.empty, defaults=dict(default_data_id or {})
        )

    def _with(self, **changes: Any) -> Query:
        return Query(
            self._registry,
            default_collections=self._default_collections,
            request=replace(self._request, **changes),
        )

    # ------------------------------------------------------------ constraints
    def where(
        self,
        expression: str | Mapping[str, Any] = "",
        *,
        bind: Mapping[str, Any] | None = None,
        **values: Any,
    ) -> Query:
        """Keep rows for which an expression holds, and whose data ID has the values given.

        Raises
        ------
        ExpressionSyntaxError
            If the text does not follow the grammar.
        DataIdError
            If a value is of no dimension, or not of its type.
        """
        request = self._request
        if isinstance(expression, Mapping):
            values = {**expression, **values}
            expression = ""
        given = self._data_id_of(values)
        parts = [request.where, parse(expression)]
        if any(request.data_id.get(name, value) != value for name, value in given.items()):
            parts.append(tree.FALSE)  # no row has two values of one dimension
        operands = tuple(part for part in parts if part != tree.TRUE)
        return self._with(
            where=tree.And(operands) if len(operands) > 1 else next(iter(operands), tree.TRUE),
            bind=self._bound(bind or {}),
            data_id={**request.data_id, **given},
        )

    def _data_id_of(self, values: Mapping[str, Any]) -> dict[str, Any]:
        universe = self._registry.universe
        given = {name: value for name, value in values.items() if value is not None}
        unknown = [name for name in given if name not in universe]
        if unknown:
            hints = "".join(near_misses(name, (e.name for e in universe)) for name in unknown)
            raise DataIdError(
                f"{', '.join(map(repr, unknown))} in a data ID: no such dimension.{hints}"
            )
        faults: list[str] = []
        typed = {name: typed_value(universe[name], value, faults) for name, value in given.items()}
        if faults:
            raise DataIdError("; ".join(faults))
        return typed

    def _bound(self, bind: Mapping[str, Any]) -> dict[str, Any]:
        bound = dict(self._request.bind)
        for name, value in bind.items():
            if name in bound and bound[name] is not value and bound[name] != value:
                raise QueryError(
                    f"{name!r} is bound to {bound[name]!r} by an earlier where; choose another name"
                )
            bound[name] = value
        return bound

    def order_by(self, *terms: str) -> Query:
        """Order rows by names, each with a ``-`` before it for falling order."""
        return self._with(order_by=(*self._request.order_by, *parse_order_by(terms)))

    def limit(self, limit: int | None, offset: int = 0) -> Query:
        """Keep at most so many rows, after leaving out the first ones."""
        return self._with(limit=limit, offset=offset)

    def join_dataset_search(
        self,
        dataset_type: str,
        collections: str | Iterable[str] | None = None,
        *,
        find_first: bool = True,
    ) -> Query:
        """Keep rows for which a dataset of a type exists.

        Raises
        ------
        UnknownDatasetTypeError
            If the type is not registered.
        NoCollectionsError
            If no collections are given and there are no default ones.
        """
        join = self._dataset_join(dataset_type, collections, find_first=find_first)
        return self._with(datasets=(*self._request.datasets, join))

    def _dataset_join(
        self, name: str, collections: str | Iterable[str] | None, *, find_first: bool
    ) -> DatasetJoin:
        registered = self._registry.dataset_types.get(name)
        return DatasetJoin(registered, tuple(self._search_path(collections)), find_first)

    def _search_path(self, collections: str | Iterable[str] | None) -> list[Collection]:
        from butler_core.datasets.collection import as_names

        names = as_names(collections) if collections is not None else self._default_collections
        if not names:
            raise NoCollectionsError(
                "no collections to search: give some, or open the butler with default ones"
            )
        return self._registry.collections.flatten(names)

    # ---------------------------------------------------------------- answers
    def data_ids(self, dimensions: Iterable[str] | DimensionGroup | str) -> DataIdResult:
        """Return the data IDs over some dimensions for which all constraints hold."""
        group = self._group(dimensions)
        request = replace(self._request, group=group, returns="data_ids")
        return DataIdResult(group, QueryAnswer(self._registry, request))

    def datasets(
        self,
        dataset_type: str,
        collections: str | Iterable[str] | None = None,
        *,
        find_first: bool = True,
    ) -> DatasetResult:
        """Return the datasets of a type for which all constraints hold.

        Raises
        ------
        UnknownDatasetTypeError
            If the type is not registered.
        """
        join = self._dataset_join(dataset_type, collections, find_first=find_first)
        registered = join.registered.dataset_type
        request = replace(
            self._request,
            group=registered.dimensions,
            returns="datasets",
            datasets=(join, *self._request.datasets),
        )
        if "." in dataset_type:
            registered = self._component(registered, dataset_type)
        return DatasetResult(registered, QueryAnswer(self._registry, request))

    def _component(self, registered: Any, name: str) -> Any:
        from butler_core.datasets.storage_class import StorageClassRegistry

        component = name.partition(".")[2]
        whole = StorageClassRegistry.default().get(registered.storage_class)
        return registered.make_component(component, whole.component(component))

    def dimension_records(self, element: str) -> RecordResult:
        """Return the records of an element for which all constraints hold."""
        found = self._registry.universe[element]
        if found.skypix is not None:
            raise QueryError(f"there are no records of {element!r}: a pixelization has no table")
        group = self._registry.universe.conform(found.required)
        request = replace(self._request, group=group, returns="records", element=found)
        return RecordResult(found, QueryAnswer(self._registry, request))

    def count(self, dimensions: Iterable[str] | DimensionGroup | str) -> int:
        """Return how many data IDs there are, without fetching them."""
        group = self._group(dimensions)
        request = replace(self._request, group=group, returns="data_ids", with_implied=False)
        return QueryAnswer(self._registry, request).count()

    def any(self, dimensions: Iterable[str] | DimensionGroup | str) -> bool:
        """Return whether there is any data ID."""
        return bool(self.limit(1).count(dimensions))

    def _group(self, dimensions: Iterable[str] | DimensionGroup | str) -> DimensionGroup:
        if isinstance(dimensions, str):
            dimensions = [part for part in dimensions.replace(",", " ").split() if part]
        return self._registry.universe.conform(dimensions)
