"""Visits: exposures grouped by the instrument's visit systems, with regions on the sky.

Reads exposure records, no file.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

_HOMES = {
    "VisitReport": "request",
    "VisitRequest": "request",
    "VisitSystem": "request",
    "define_visits": "define",
}

__all__ = ["VisitReport", "VisitRequest", "VisitSystem", "define_visits"]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
