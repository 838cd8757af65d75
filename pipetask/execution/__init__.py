"""Runs quanta: what comes next, where it runs, and how its outputs become datasets."""

from __future__ import annotations

from importlib import import_module
from typing import Any

_HOMES = {
    "RunOptions": "run_options",
    "RunSummary": "summary",
    "Schedule": "schedule",
    "run_graph": "run",
}

__all__ = ["RunOptions", "RunSummary", "Schedule", "run_graph"]


def __getattr__(name: str) -> Any:
    """Import a public name when it is first asked for."""
    if name in _HOMES:
        return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
