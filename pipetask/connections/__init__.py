"""What a task reads and writes, declared once as a class.

``kinds`` holds the five kinds of connection, ``declaration`` the checks made
when a connections class is written, ``task_connections`` the class itself.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pipetask.connections import kinds as connectionTypes  # noqa: N812 - Rubin's spelling
    from pipetask.connections.kinds import (
        Connection,
        DimensionedConnection,
        InitInput,
        InitOutput,
        Input,
        InputConnection,
        Output,
        PrerequisiteInput,
    )
    from pipetask.connections.names import ConnectionNames
    from pipetask.connections.task_connections import PipelineTaskConnections, iter_connections

__all__ = [
    "Connection",
    "ConnectionNames",
    "DimensionedConnection",
    "InitInput",
    "InitOutput",
    "Input",
    "InputConnection",
    "Output",
    "PipelineTaskConnections",
    "PrerequisiteInput",
    "connectionTypes",
    "iter_connections",
]

_MODULE_BY_NAME = {
    "ConnectionNames": "names",
    "PipelineTaskConnections": "task_connections",
    "iter_connections": "task_connections",
}


def __getattr__(name: str) -> Any:
    """Import a public name when it is first asked for."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module = import_module(f"{__name__}.{_MODULE_BY_NAME.get(name, 'kinds')}")
    return module if name == "connectionTypes" else getattr(module, name)
