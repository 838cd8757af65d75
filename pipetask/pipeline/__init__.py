"""Pipelines: YAML to frozen values, with imports, subsets, steps and contracts.

Tasks are dotted names here. Nothing in this package imports a task, makes a
configuration or orders tasks by what they read and write.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pipetask.pipeline.contracts import check_contracts
    from pipetask.pipeline.definition import (
        ConfigBlock,
        Contract,
        LabeledSubset,
        Step,
        SubsetMode,
        TaskDefinition,
    )
    from pipetask.pipeline.pipeline import Pipeline
    from pipetask.pipeline.selection import Selection, split_selection

_MODULE_BY_NAME = {
    "ConfigBlock": "definition",
    "Contract": "definition",
    "LabeledSubset": "definition",
    "Pipeline": "pipeline",
    "Selection": "selection",
    "Step": "definition",
    "SubsetMode": "definition",
    "TaskDefinition": "definition",
    "check_contracts": "contracts",
    "split_selection": "selection",
}

__all__ = [
    "ConfigBlock",
    "Contract",
    "LabeledSubset",
    "Pipeline",
    "Selection",
    "Step",
    "SubsetMode",
    "TaskDefinition",
    "check_contracts",
    "split_selection",
]


def __getattr__(name: str) -> Any:
    """Import a public name when it is first asked for."""
    if name not in _MODULE_BY_NAME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULE_BY_NAME[name]}"), name)
