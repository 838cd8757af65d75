"""The tasks of a pipeline and the dataset types between them, as a graph."""

from __future__ import annotations

from importlib import import_module
from typing import Any

_HOMES = {
    "PipelineGraph": "pipeline_graph",
    "ReadEdge": "nodes",
    "ResolvedPipelineGraph": "resolved",
    "TaskNode": "nodes",
    "WriteEdge": "nodes",
    "build_pipeline_graph": "build",
    "labels_between": "build",
    "resolve": "resolution",
}

__all__ = [
    "PipelineGraph",
    "ReadEdge",
    "ResolvedPipelineGraph",
    "TaskNode",
    "WriteEdge",
    "build_pipeline_graph",
    "labels_between",
    "resolve",
]


def __getattr__(name: str) -> Any:
    """Import a public name when it is first asked for."""
    if name in _HOMES:
        return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
