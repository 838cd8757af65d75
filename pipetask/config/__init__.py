"""What a task can be told: typed, documented values that remember their origin.

``fields`` holds `Config`, the model of any part of a configuration;
``task_config`` the one each task has, with the names of its connections.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pipetask.config.fields import Config
    from pipetask.config.history import HistoryEntry
    from pipetask.config.literal import parse_text
    from pipetask.config.plain import FieldDifference
    from pipetask.config.python_source import run_python
    from pipetask.config.task_config import ConnectionsConfig, PipelineTaskConfig

_MODULE_BY_NAME = {
    "Config": "fields",
    "ConnectionsConfig": "task_config",
    "FieldDifference": "plain",
    "HistoryEntry": "history",
    "PipelineTaskConfig": "task_config",
    "parse_text": "literal",
    "run_python": "python_source",
}

__all__ = [
    "Config",
    "ConnectionsConfig",
    "FieldDifference",
    "HistoryEntry",
    "PipelineTaskConfig",
    "parse_text",
    "run_python",
]


def __getattr__(name: str) -> Any:
    """Import a public name when it is first asked for."""
    if name not in _MODULE_BY_NAME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULE_BY_NAME[name]}"), name)
