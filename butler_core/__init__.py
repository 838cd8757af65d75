"""The registry and datastore: what exists, and the bytes of it.

``from butler_core import Butler`` works, and costs nothing until it is used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from butler_core.butler.butler import Butler
    from butler_core.datasets.collection import CollectionType
    from butler_core.datasets.dataset_ref import DatasetRef
    from butler_core.datasets.dataset_type import DatasetType
    from butler_core.dimensions.data_coordinate import DataCoordinate
    from butler_core.dimensions.universe import DimensionUniverse
    from butler_core.repository.ingest import FileDataset
    from butler_core.timespan import Timespan

_HOMES = {
    "Butler": "butler.butler",
    "CollectionType": "datasets.collection",
    "DataCoordinate": "dimensions.data_coordinate",
    "DatasetRef": "datasets.dataset_ref",
    "DatasetType": "datasets.dataset_type",
    "DimensionUniverse": "dimensions.universe",
    "FileDataset": "repository.ingest",
    "Timespan": "timespan",
}

__all__ = [
    "Butler",
    "CollectionType",
    "DataCoordinate",
    "DatasetRef",
    "DatasetType",
    "DimensionUniverse",
    "FileDataset",
    "Timespan",
]


def __getattr__(name: str) -> Any:
    """Import a public name's module at its first use."""
    if name in _HOMES:
        return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
