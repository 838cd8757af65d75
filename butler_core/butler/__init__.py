"""The butler: one object to find, read, write and organise the datasets of a repository."""

from __future__ import annotations

from importlib import import_module
from typing import Any

_HOMES = {
    "Butler": "butler",
    "ButlerCollections": "collections",
    "DeferredDatasetHandle": "deferred",
}

__all__ = ["Butler", "ButlerCollections", "DeferredDatasetHandle"]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
