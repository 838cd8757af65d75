"""Finds datasets of several types and lays them out as tables, one for each type.

Asks the repository and makes columns; prints nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from butler_core.cli.opening import collection_names, require_named, rows_to_fetch
from butler_core.cli.row_order import column_order, default_order
from butler_core.cli.table_text import Sheet
from butler_core.datasets.collection import is_glob

if TYPE_CHECKING:
    from butler_core.butler.butler import Butler
    from butler_core.datasets.dataset_type import DatasetType
    from butler_core.queries.results import DatasetResult


@dataclass(frozen=True, slots=True)
class DatasetSearch:
    """What a command searches datasets by."""

    #: Names or patterns of dataset types; all if empty.
    types: Sequence[str] = ()
    #: Names or patterns of collections; all if empty.
    collections: Sequence[str] = ()
    where: str = ""
    find_first: bool = False
    order_by: Sequence[str] = ()
    #: Most rows in all; 0 for no limit, negative for one that warns.
    limit: int = 0


class FoundDatasets:
    """The datasets that a search finds; iterates once, type by type."""

    def __init__(self, butler: Butler, search: DatasetSearch) -> None:
        if search.find_first:
            require_named(search.collections, "--find-first")
        if search.where.strip():
            from butler_core.queries.expression import parse

            parse(search.where)  # also where there is nothing to search
        self._butler = butler
        self.search = search
        registry = butler.repository.registry
        self.collections = collection_names(butler, search.collections)
        self.types: list[DatasetType] = [
            registered.dataset_type
            for registered in registry.dataset_types.resolve(tuple(search.types) or ("*",))
        ]
        #: Whether a limit left something out.
        self.is_cut = False

    def __iter__(self) -> Iterator[DatasetResult]:
        if not self.collections:
            return
        remaining = rows_to_fetch(self.search.limit)
        is_pattern = any(is_glob(name) for name in self.search.types or ("*",))
        for dataset_type in self._types_held() if is_pattern else self.types:
            found = self._find(dataset_type, remaining)
            if remaining is not None:
                remaining -= len(found)
                if remaining == 0 and self.search.limit < 0:
                    self.is_cut = True
                    found = _without_last(found)
            if found:
                yield found
            if remaining == 0:
                return

    def _types_held(self) -> list[DatasetType]:
        """Return the types of which any collection searched holds a dataset."""
        from butler_core.queries.holdings import dataset_types_by_collection

        registry = self._butler.repository.registry
        holdings = dataset_types_by_collection(registry)
        searched = registry.collections.flatten(self.collections)
        held = {name for collection in searched for name in holdings[collection.name]}
        return [dataset_type for dataset_type in self.types if dataset_type.name in held]

    def _find(self, dataset_type: DatasetType, limit: int | None) -> DatasetResult:
        search = self.search
        return self._butler.query_datasets(
            dataset_type,
            self.collections,
            find_first=search.find_first,
            where=search.where,
            order_by=search.order_by or default_order(dataset_type.dimensions),
            limit=limit,
        )

    def headers(self, *, with_uri: bool) -> list[str]:
        """Return the headers that the sheets of these types may have."""
        groups = [column_order(dataset_type.dimensions) for dataset_type in self.types]
        names = dict.fromkeys(name for group in groups for name in group)
        return ["type", "run", "id", *names, *(["URI"] if with_uri else [])]

    def sheet(self, found: DatasetResult, *, with_uri: bool = False) -> Sheet:
        """Lay datasets of one type out, by run if no order was asked for."""
        shown = found.to_columns()
        count = len(found)
        columns: dict[str, list[Any]] = {
            "type": [found.dataset_type.name] * count,
            "run": shown["run"],
            "id": shown["id"],
            **{name: shown[name] for name in column_order(found.dataset_type.dimensions)},
        }
        if with_uri:
            columns["URI"] = self._uris(found)
        if not self.search.order_by:
            places = sorted(range(count), key=lambda i: columns["run"][i])
            columns = {name: [values[i] for i in places] for name, values in columns.items()}
        return Sheet(columns)

    def _uris(self, found: DatasetResult) -> list[str]:
        repository = self._butler.repository
        keys = found.columns["dataset_key"]
        records = repository.registry.files.find(keys)
        return [repository.datastore.uri(records[key]) if key in records else "" for key in keys]

    def why_empty(self) -> list[str]:
        """Return sentences that say why nothing was found."""
        from butler_core.queries.explain import EmptyQuestion, explain_empty

        registry = self._butler.repository.registry
        if not self.types:
            return [f"no dataset type matches {', '.join(map(repr, self.search.types or ('*',)))}"]
        if not self.collections:
            return [
                f"no collection matches {', '.join(map(repr, self.search.collections or ('*',)))}"
            ]
        held = self._types_held()
        if not held and len(self.types) > 1:
            return [
                f"none of the {len(self.types)} dataset types has any in the collections searched"
            ]
        sentences: dict[str, None] = {}
        for dataset_type in (held or self.types)[:3]:
            question = EmptyQuestion(
                dimensions=dataset_type.dimensions.names,
                where=self.search.where,
                datasets=[(dataset_type.name, self.search.collections or self.collections)],
            )
            for sentence in explain_empty(registry, question):
                sentences[f"{dataset_type.name}: {sentence}" if len(held) > 1 else sentence] = None
        return list(sentences)


def _without_last(found: DatasetResult) -> DatasetResult:
    from butler_core.queries.answer import KnownAnswer

    columns = {name: values[:-1] for name, values in found.columns.items()}
    return type(found)(found.dataset_type, KnownAnswer(columns))
