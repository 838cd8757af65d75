"""A data repository: registry, datastore, configuration, and the steps that change them."""

from __future__ import annotations

from importlib import import_module
from typing import Any

_HOMES = {"FileDataset": "ingest", "Repository": "repository"}

__all__ = ["FileDataset", "Repository"]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
