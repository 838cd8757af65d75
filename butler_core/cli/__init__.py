"""The ``butler`` program, and the framework that ``pipetask`` is made of too.

Nothing here is imported before it is used, so that ``butler --help`` costs no more than
the interpreter and click.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

_HOMES = {"CommandEntry": "program", "Program": "program", "main": "butler_program"}

__all__ = ["CommandEntry", "Program", "main"]


def __getattr__(name: str) -> Any:
    """Import a public name's module at its first use."""
    if name in _HOMES:
        return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
