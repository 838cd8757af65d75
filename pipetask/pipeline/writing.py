"""A pipeline as YAML text, with nothing left to import.

The text, read again, gives an equal pipeline.
"""

from __future__ import annotations

from typing import Any

import yaml

from pipetask.config.plain import plain
from pipetask.pipeline.definition import (
    ConfigBlock,
    Contract,
    LabeledSubset,
    PipelineData,
    TaskDefinition,
)


class _Dumper(yaml.SafeDumper):
    """Writes texts of several lines as blocks."""

    def represent_str(self, data: str) -> yaml.ScalarNode:
        """Represent a text."""
        style = "|" if "\n" in data else None
        return self.represent_scalar("tag:yaml.org,2002:str", data, style=style)

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002 - the name is PyYAML's
        """Write a value again where it comes again."""
        return True


_Dumper.add_representer(str, _Dumper.represent_str)


def to_yaml(data: PipelineData) -> str:
    """Write a pipeline.

    Parameters
    ----------
    data
        The pipeline.

    Returns
    -------
    str
        YAML that `Pipeline.from_text` reads.

    Raises
    ------
    TaskConfigError
        If a value set by a program cannot be written as text.
    """
    document: dict[str, Any] = {"description": data.description}
    if data.instrument is not None:
        document["instrument"] = data.instrument
    if data.parameters:
        document["parameters"] = _plain_values(data.parameters, "parameters")
    document["tasks"] = {label: _task(task) for label, task in data.tasks.items()}
    if data.subsets:
        document["subsets"] = {label: _subset(subset) for label, subset in data.subsets.items()}
    if data.steps:
        document["steps"] = [
            {"label": step.label, "dimensions": list(step.dimensions)} for step in data.steps
        ]
    if data.contracts:
        document["contracts"] = [_contract(contract) for contract in data.contracts]
    text: str = yaml.dump(document, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100)
    return text


def _task(task: TaskDefinition) -> dict[str, Any]:
    """Return a task as it stands in a file."""
    written: dict[str, Any] = {"class": task.class_name}
    if task.config:
        written["config"] = [_block(block, task.label) for block in task.config]
    return written


def _block(block: ConfigBlock, label: str) -> dict[str, Any]:
    """Return a configuration block as it stands in a file."""
    written: dict[str, Any] = {}
    if block.data_id is not None:
        written["dataId"] = _plain_values(block.data_id, label)
    if block.files:
        written["file"] = list(block.files)
    if block.python is not None:
        written["python"] = block.python
    return {**written, **_plain_values(block.values, label)}


def _plain_values(values: Any, where: str) -> dict[str, Any]:
    """Return values as YAML can hold them, in their own order."""
    return {name: plain(value, f"{where}:{name}") for name, value in values.items()}


def _subset(subset: LabeledSubset) -> dict[str, Any]:
    """Return a subset as it stands in a file."""
    written: dict[str, Any] = {"subset": list(subset.tasks)}
    if subset.description is not None:
        written["description"] = subset.description
    return written


def _contract(contract: Contract) -> dict[str, str]:
    """Return a contract as it stands in a file."""
    written = {"contract": contract.contract}
    if contract.message is not None:
        written["msg"] = contract.message
    return written
