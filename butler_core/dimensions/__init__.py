"""Dimensions: the labels that data have, the groups they form, and data IDs."""

from __future__ import annotations

from importlib import import_module
from typing import Any

_HOMES = {
    "DataCoordinate": "data_coordinate",
    "DimensionElement": "dimension",
    "DimensionGroup": "group",
    "DimensionRecord": "record",
    "DimensionUniverse": "universe",
}

__all__ = [
    "DataCoordinate",
    "DimensionElement",
    "DimensionGroup",
    "DimensionRecord",
    "DimensionUniverse",
]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
