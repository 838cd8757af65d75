"""Finds a task class by its dotted name."""

from __future__ import annotations

import importlib
from typing import Any

from butler_core.errors import near_misses
from pipetask.errors import UnknownTaskError
from pipetask.task import PipelineTask


def import_task(name: str) -> type[PipelineTask]:
    """Return the task class of a dotted name.

    Raises
    ------
    UnknownTaskError
        If the module cannot be imported, has no such name, or the name is not
        that of a task.
    """
    module_name, _, class_name = name.rpartition(".")
    if not module_name:
        raise UnknownTaskError(
            f"{name!r} names no task class: it needs its module, package.module.Class"
        )
    try:
        module = importlib.import_module(module_name)
    except ImportError as error:
        raise UnknownTaskError(_why_not(name, module_name, error)) from error
    found: Any = getattr(module, class_name, None)
    if found is None:
        raise UnknownTaskError(
            f"the module {module_name!r} has no task "
            f"{class_name!r}.{near_misses(class_name, vars(module))}"
        )
    if not (isinstance(found, type) and issubclass(found, PipelineTask)):
        raise UnknownTaskError(f"{name!r} is a {type(found).__name__}, not a PipelineTask class")
    return found


def _why_not(name: str, module_name: str, error: ImportError) -> str:
    missing = getattr(error, "name", None)
    if missing and (module_name == missing or module_name.startswith(f"{missing}.")):
        return (
            f"the task class {name!r} cannot be imported: there is no module {missing!r}. Is its "
            "package installed, or its folder on PYTHONPATH?"
        )
    return f"the task class {name!r} cannot be imported: {error}"
