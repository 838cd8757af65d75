"""The collections of an export, and which of its datasets they name."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from butler_core.datasets.collection import Collection, CollectionType
from butler_core.registry.registry import Registry
from butler_core.timespan import Timespan
from butler_core.transfer.export_datasets import ExportedDatasets, uuids

Section = dict[str, Any]


def exported_collections(
    registry: Registry, names: Sequence[str], runs: Iterable[str]
) -> list[Collection]:
    """Return collections, what chains among them name, and runs; children before chains.

    Parameters
    ----------
    names
        Names or patterns.
    """
    table = registry.collections
    queue = [*table.resolve(names), *table.find(runs).values()]
    found: dict[str, Collection] = {}
    while queue:
        collection = queue.pop()
        if collection.name not in found:
            found[collection.name] = collection
            queue += table.find(collection.children).values()
    ordered: dict[str, Collection] = {}
    for name in sorted(found, key=lambda n: (found[n].type is CollectionType.CHAINED, n)):
        _put_after_children(name, found, ordered)
    return list(ordered.values())


def _put_after_children(
    name: str, found: Mapping[str, Collection], ordered: dict[str, Collection]
) -> None:
    for child in found[name].children:
        if child not in ordered:
            _put_after_children(child, found, ordered)
    ordered.setdefault(name, found[name])


def collection_section(collection: Collection) -> Section:
    """Return a collection as an export file has it."""
    section: Section = {
        "type": "collection",
        "collection_type": collection.type.name,
        "name": collection.name,
    }
    if collection.doc:
        section["doc"] = collection.doc
    if collection.type is CollectionType.RUN:
        # Nobody has filled these in for years, but the peer's loader wants them.
        section |= {"host": None, "timespan_begin": None, "timespan_end": None}
    if collection.type is CollectionType.CHAINED:
        section["children"] = list(collection.children)
    return section


def association_sections(
    registry: Registry,
    collections: Iterable[Collection],
    datasets: Mapping[str, ExportedDatasets],
) -> Iterator[tuple[Section, int]]:
    """Yield the tags and validity ranges of datasets, each with how many there are."""
    for collection in collections:
        section: Section = {
            "type": "associations",
            "collection": collection.name,
            "collection_type": collection.type.name,
        }
        if collection.type is CollectionType.TAGGED:
            tagged = _tagged(registry, collection, datasets)
            if tagged:
                yield {**section, "dataset_ids": tagged}, len(tagged)
        elif collection.type is CollectionType.CALIBRATION:
            by_span = _by_validity(registry, collection, datasets)
            ranges = [
                {"timespan": Timespan(*span), "dataset_ids": ids}
                for span, ids in sorted(by_span.items())
            ]
            if ranges:
                count = sum(map(len, by_span.values()))
                yield {**section, "validity_ranges": ranges}, count


def _tagged(
    registry: Registry, collection: Collection, datasets: Mapping[str, ExportedDatasets]
) -> list[uuid.UUID]:
    tagged: list[uuid.UUID] = []
    for name, found in datasets.items():
        registered = registry.dataset_types.get(name)
        keys = set(registry.memberships.tagged(registered, collection))
        tagged += uuids(i for key, i in zip(found.keys, found.ids, strict=True) if key in keys)
    return tagged


def _by_validity(
    registry: Registry, collection: Collection, datasets: Mapping[str, ExportedDatasets]
) -> dict[tuple[int, int], list[uuid.UUID]]:
    """Return datasets by both ends of their validity [TAI ns]."""
    by_span: dict[tuple[int, int], list[uuid.UUID]] = {}
    for name, found in datasets.items():
        ranges = registry.memberships.ranges(registry.dataset_types.get(name), collection)
        ids = dict(zip(found.keys, found.ids, strict=True))
        rows = zip(ranges["dataset_key"], ranges["begin_ns"], ranges["end_ns"], strict=True)
        for key, begin_ns, end_ns in rows:
            if key in ids:
                by_span.setdefault((begin_ns, end_ns), []).append(uuid.UUID(bytes=ids[key]))
    return by_span
