"""Quantum graphs: building them in columns, and the file they live in."""

from __future__ import annotations

from importlib import import_module
from typing import Any

_HOMES = {
    "BuildRequest": "request",
    "GraphQuantum": "graph_quantum",
    "QuantumGraph": "graph",
    "build_quantum_graph": "build",
    "to_networkx": "networkx_view",
}

__all__ = ["BuildRequest", "GraphQuantum", "QuantumGraph", "build_quantum_graph", "to_networkx"]


def __getattr__(name: str) -> Any:
    """Import a public name when it is first asked for."""
    if name in _HOMES:
        return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
