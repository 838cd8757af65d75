"""A simulated night of LATISS: raw files, the truth behind them, a reference catalogue.

``python -m pipelines.simulated_night DIR`` writes it. No part of it is real
sky: every header says so (``EMUIMAGE`` and the ``SIMULATE`` cards).
"""

from __future__ import annotations

import importlib

_PLACES = {
    "NightSettings": "night_plan",
    "PlannedExposure": "night_plan",
    "plan_night": "night_plan",
    "NightReport": "night",
    "write_night": "night",
}

__all__ = ["NightReport", "NightSettings", "PlannedExposure", "plan_night", "write_night"]


def __getattr__(name: str) -> object:
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_PLACES[name]}"), name)
