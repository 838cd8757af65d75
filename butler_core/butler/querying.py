"""The butler's questions: what data IDs, datasets and records there are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from butler_core.butler.collections import ButlerCollections
from butler_core.datasets.collection import as_names
from butler_core.datasets.dataset_type import DatasetType
from butler_core.dimensions.data_coordinate import DataCoordinate
from butler_core.dimensions.group import DimensionGroup
from butler_core.dimensions.universe import DimensionUniverse
from butler_core.queries.query import Query
from butler_core.queries.results import DataIdResult, DatasetResult, RecordResult
from butler_core.repository.repository import Repository


class ButlerQueries:
    """Asks a repository's registry, with default collections and a default data ID."""

    repository: Repository
    collections: ButlerCollections
    _defaults: dict[str, Any]

    @property
    def dimensions(self) -> DimensionUniverse:
        """The repository's dimension universe."""
        return self.repository.registry.universe

    def query(self) -> Query:
        """Return an empty query to constrain and ask."""
        return Query(
            self.repository.registry,
            default_collections=self.collections.defaults,
            default_data_id=self._defaults,
        )

    def query_datasets(
        self,
        dataset_type: DatasetType | str,
        collections: str | Iterable[str] | None = None,
        *,
        find_first: bool = True,
        data_id: Mapping[str, Any] | None = None,
        where: str = "",
        bind: Mapping[str, Any] | None = None,
        order_by: str | Iterable[str] | None = None,
        limit: int | None = None,
        offset: int = 0,
        **kwargs: Any,
    ) -> DatasetResult:
        """Return the datasets of one type in some collections.

        Parameters
        ----------
        find_first
            Whether to keep, of each data ID, only what the first collection
            that has it holds.
        """
        query = self._constrained(data_id, where, bind, order_by, limit, offset, kwargs)
        return query.datasets(name_of(dataset_type), collections, find_first=find_first)

    def query_data_ids(
        self,
        dimensions: str | Iterable[str] | DimensionGroup,
        *,
        datasets: str | Iterable[str] = (),
        collections: str | Iterable[str] | None = None,
        data_id: Mapping[str, Any] | None = None,
        where: str = "",
        bind: Mapping[str, Any] | None = None,
        order_by: str | Iterable[str] | None = None,
        limit: int | None = None,
        offset: int = 0,
        **kwargs: Any,
    ) -> DataIdResult:
        """Return data IDs over some dimensions, those with datasets of some types if given."""
        query = self._constrained(data_id, where, bind, order_by, limit, offset, kwargs)
        for name in as_names(datasets):
            query = query.join_dataset_search(name, collections)
        return query.data_ids(dimensions)

    def query_dimension_records(
        self,
        element: str,
        *,
        datasets: str | Iterable[str] = (),
        collections: str | Iterable[str] | None = None,
        data_id: Mapping[str, Any] | None = None,
        where: str = "",
        bind: Mapping[str, Any] | None = None,
        order_by: str | Iterable[str] | None = None,
        limit: int | None = None,
        offset: int = 0,
        **kwargs: Any,
    ) -> RecordResult:
        """Return the records of one dimension element."""
        query = self._constrained(data_id, where, bind, order_by, limit, offset, kwargs)
        for name in as_names(datasets):
            query = query.join_dataset_search(name, collections)
        return query.dimension_records(element)

    def _constrained(
        self,
        data_id: Mapping[str, Any] | None,
        where: str,
        bind: Mapping[str, Any] | None,
        order_by: str | Iterable[str] | None,
        limit: int | None,
        offset: int,
        values: Mapping[str, Any],
    ) -> Query:
        query = self.query().where(where, bind=bind, **{**values_of(data_id), **values})
        return query.order_by(*as_names(order_by)).limit(limit, offset)


def name_of(dataset_type: DatasetType | str) -> str:
    """Return a dataset type's name."""
    return dataset_type if isinstance(dataset_type, str) else dataset_type.name


def given_values(data_id: Mapping[str, Any] | None, more: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a data ID with further values; the data ID itself if there are none."""
    if isinstance(data_id, DataCoordinate) and not more:
        return data_id
    return {**values_of(data_id), **more}


def values_of(data_id: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return all values of a data ID that are known, as a new dict."""
    if data_id is None:
        return {}
    known = getattr(data_id, "mapping", data_id)
    return dict(known)
