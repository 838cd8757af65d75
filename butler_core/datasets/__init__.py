"""What a dataset is: its type, its identity, its storage class, and the collections it lives in."""

from __future__ import annotations

from importlib import import_module
from typing import Any

_HOMES = {
    "CollectionType": "collection",
    "DatasetId": "dataset_ref",
    "DatasetIdMode": "dataset_id",
    "DatasetRef": "dataset_ref",
    "DatasetType": "dataset_type",
    "StorageClass": "storage_class",
}

__all__ = [
    "CollectionType",
    "DatasetId",
    "DatasetIdMode",
    "DatasetRef",
    "DatasetType",
    "StorageClass",
]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
