"""Tasks: what they are, what they return, and how a quantum runs one.

``pipeline_task`` holds the class, ``function_task`` the decorator that makes
one of a function, ``context`` what the execution gives a task to read and
write with.

The decorator and this package are both called ``task``. Importing a submodule
rebinds the name in its parent, so ``from pipetask import task`` may give either;
the package can therefore be called as the decorator itself.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pipetask.task.context import QuantumContext
    from pipetask.task.function_task import task
    from pipetask.task.metadata import TaskMetadata
    from pipetask.task.pipeline_task import PipelineTask
    from pipetask.task.struct import Struct

_MODULE_BY_NAME = {
    "PipelineTask": "pipeline_task",
    "QuantumContext": "context",
    "Struct": "struct",
    "TaskMetadata": "metadata",
    "task": "function_task",
}

__all__ = ["PipelineTask", "QuantumContext", "Struct", "TaskMetadata", "task"]


def __getattr__(name: str) -> Any:
    """Import a public name when it is first asked for."""
    if name not in _MODULE_BY_NAME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULE_BY_NAME[name]}"), name)


class _CallablePackage(ModuleType):
    """The package, callable as the decorator it holds."""

    def __call__(self, *args: Any, **kwargs: Any) -> Callable[..., Any]:
        from pipetask.task.function_task import task

        return task(*args, **kwargs)


sys.modules[__name__].__class__ = _CallablePackage
