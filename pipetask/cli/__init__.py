"""The ``pipetask`` program."""

from __future__ import annotations

from importlib import import_module
from typing import Any

__all__ = ["main"]


def __getattr__(name: str) -> Any:
    """Import the program when it is first asked for."""
    if name == "main":
        return import_module(f"{__name__}.pipetask_program").main
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
