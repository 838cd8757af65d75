"""Finds one dataset by type, data ID and collections."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from butler_core.datasets.collection import Collection, CollectionType
from butler_core.datasets.dataset_ref import DatasetRef
from butler_core.dimensions.data_coordinate import DataCoordinate
from butler_core.errors import AmbiguousDatasetError
from butler_core.registry.dataset_lookup import FoundDataset
from butler_core.registry.dataset_types import RegisteredType
from butler_core.registry.registry import Registry
from butler_core.repository.expansion import complete_data_id, timespan_of
from butler_core.timespan import Timespan


def find_dataset(
    registry: Registry,
    registered: RegisteredType,
    collections: Sequence[Collection],
    given: Mapping[str, Any],
    *,
    defaults: Mapping[str, Any],
    timespan: Timespan | None = None,
) -> tuple[DatasetRef, FoundDataset] | None:
    """Return the first dataset found, and where it is, or None.

    Parameters
    ----------
    collections
        Without chains, in the order to search.
    given
        What the user gave of the data ID; see `complete_data_id`. Values that
        the dataset type does not have may say for which time a calibration is
        wanted.
    timespan
        The time for which a calibration is wanted.

    Raises
    ------
    AmbiguousDatasetError
        If several calibrations are valid.
    """
    group = registered.dataset_type.dimensions
    known = complete_data_id(registry, group, given, defaults)
    data_id = DataCoordinate.standardize({n: known[n] for n in group if n in known}, group=group)
    rows = registry.lookup.find(registered, collections, data_id.required)
    if any(c.type is CollectionType.CALIBRATION for c in collections):
        rows = _valid(registry, rows, timespan, known)
    if not rows:
        return None
    best = [row for row in rows if row.rank == rows[0].rank]
    if len({row.key for row in best}) > 1:
        raise AmbiguousDatasetError(
            f"{len(best)} {registered.dataset_type.name!r} datasets of {data_id} are certified in "
            f"{collections[best[0].rank].name!r}; say for which time: "
            "give an exposure, or timespan="
        )
    row = best[0]
    run = _run_name(registry, row.run_id, collections)
    return DatasetRef(registered.dataset_type, data_id, run, uuid.UUID(bytes=row.id)), row


def _valid(
    registry: Registry,
    rows: list[FoundDataset],
    timespan: Timespan | None,
    known: Mapping[str, Any],
) -> list[FoundDataset]:
    if timespan is None:
        timespan = timespan_of(registry, known)
    if timespan is None:
        return rows
    return [
        row for row in rows if row.begin_ns < timespan.end_ns and timespan.begin_ns < row.end_ns
    ]


def _run_name(registry: Registry, key: int, collections: Sequence[Collection]) -> str:
    for collection in collections:
        if collection.key == key:
            return collection.name
    import sqlalchemy as sa

    table = registry.schema.collection
    return str(
        registry.database.fetch_scalar(sa.select(table.c.name).where(table.c.collection_id == key))
    )
