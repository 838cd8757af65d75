"""Pipelines, quantum graphs and their execution."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pipetask.config import Config, PipelineTaskConfig
    from pipetask.connections import (
        InitInput,
        InitOutput,
        Input,
        Output,
        PipelineTaskConnections,
        PrerequisiteInput,
        connectionTypes,
    )
    from pipetask.errors import NoWorkFound
    from pipetask.pipeline import Pipeline
    from pipetask.task import PipelineTask, Struct, task

#: Which package gives each public name.
_PACKAGE_BY_NAME = {
    "Config": "config",
    "InitInput": "connections",
    "InitOutput": "connections",
    "Input": "connections",
    "NoWorkFound": "errors",
    "Output": "connections",
    "Pipeline": "pipeline",
    "PipelineTask": "task",
    "PipelineTaskConfig": "config",
    "PipelineTaskConnections": "connections",
    "PrerequisiteInput": "connections",
    "Struct": "task",
    "connectionTypes": "connections",
    "task": "task",
}

__all__ = [
    "Config",
    "InitInput",
    "InitOutput",
    "Input",
    "NoWorkFound",
    "Output",
    "Pipeline",
    "PipelineTask",
    "PipelineTaskConfig",
    "PipelineTaskConnections",
    "PrerequisiteInput",
    "Struct",
    "connectionTypes",
    "task",
]


def __getattr__(name: str) -> Any:
    """Import a public name when it is first asked for."""
    if name not in _PACKAGE_BY_NAME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_PACKAGE_BY_NAME[name]}"), name)
