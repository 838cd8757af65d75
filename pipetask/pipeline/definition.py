"""The parts of a pipeline, as frozen values.

Each says what a file says; reading, merging and selecting are elsewhere.
"""

from __future__ import annotations

import enum
import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from butler_core.errors import near_misses
from pipetask.config_overrides import FileOverride, Override, PythonOverride, ValueOverride
from pipetask.errors import PipelineError

_LOG = logging.getLogger(__name__)

#: Where a value stands that is a parameter's name.
_PARAMETER = re.compile(r"parameters[.](.*)")


class SubsetMode(enum.Enum):
    """What becomes of a subset that loses tasks."""

    #: It goes altogether.
    DROP = "DROP"
    #: It stays, without the lost tasks.
    EDIT = "EDIT"


@dataclass(frozen=True)
class ConfigBlock:
    """One ``config`` entry of a task: applied as files, then Python, then values."""

    #: Values by dotted path of the field.
    values: Mapping[str, Any] = field(default_factory=dict)
    #: Python to run with ``config`` in scope.
    python: str | None = None
    #: Python files to run with ``config`` in scope.
    files: tuple[str, ...] = ()
    #: Data ID the block is limited to; read, but not supported when applied.
    data_id: Mapping[str, Any] | None = None
    #: Where each value is written, ``file:line``, by its path; ``file`` and
    #: ``python`` are places too.
    sources: Mapping[str, str] = field(default_factory=dict, compare=False)
    #: File and line at which the Python starts.
    python_place: tuple[str, int] = field(default=("<python block>", 1), compare=False)

    def merged(self, later: ConfigBlock) -> tuple[ConfigBlock, ...]:
        """Put a later block into this one if that changes nothing.

        Parameters
        ----------
        later
            The block to apply after this one.

        Returns
        -------
        tuple of ConfigBlock
            One block; or both, if either runs code or they differ in a value.
        """
        runs_code = self.python or later.python or self.files or later.files
        differ = any(self.values[k] != later.values[k] for k in self.values if k in later.values)
        if runs_code or differ or self.data_id != later.data_id:
            return (self, later)
        values = {**self.values, **later.values}
        return (replace(self, values=values, sources={**self.sources, **later.sources}),)

    def overrides(self, label: str, parameters: Mapping[str, Any]) -> tuple[Override, ...]:
        """Return the block as instructions for a configuration.

        Parameters
        ----------
        label
            The task's label, for messages.
        parameters
            The pipeline's parameters; a value that names one becomes its value.

        Raises
        ------
        PipelineError
            If the block is limited to a data ID.
        """
        if self.data_id is not None:
            raise PipelineError(
                f"The configuration of {label!r} has a block for data ID {dict(self.data_id)}; "
                "a configuration holds for all data IDs. Use a second label with its own subset."
            )
        made: list[Override] = [FileOverride(file, self._source("file")) for file in self.files]
        if self.python is not None:
            made.append(PythonOverride(self.python, *self.python_place))
        for path, value in self.values.items():
            read = _with_parameter(value, parameters, f"{label}:{path}")
            made.append(ValueOverride(path, read, self._source(path)))
        return tuple(made)

    def _source(self, key: str) -> str:
        """Say where something in the block was written."""
        return self.sources.get(key, "pipeline")


@dataclass(frozen=True)
class TaskDefinition:
    """A task of a pipeline."""

    #: The task's label.
    label: str
    #: Dotted name of its class.
    class_name: str
    #: What changes its configuration, in order.
    config: tuple[ConfigBlock, ...] = ()

    def with_config(self, block: ConfigBlock) -> TaskDefinition:
        """Return the task with one more block, merged into the last if that can be.

        Parameters
        ----------
        block
            The block.
        """
        if not self.config:
            return replace(self, config=(block,))
        return replace(self, config=(*self.config[:-1], *self.config[-1].merged(block)))


@dataclass(frozen=True)
class LabeledSubset:
    """Some of a pipeline's tasks under one label."""

    #: The subset's label.
    label: str
    #: Labels of its tasks, in the order written.
    tasks: tuple[str, ...]
    #: What it is for.
    description: str | None = None

    def without(self, dropped: frozenset[str]) -> LabeledSubset:
        """Return the subset without some tasks.

        Parameters
        ----------
        dropped
            Their labels.
        """
        return replace(self, tasks=tuple(label for label in self.tasks if label not in dropped))


@dataclass(frozen=True)
class Step:
    """A subset that is one step of the whole processing."""

    #: Label of the subset.
    label: str
    #: Dimensions by which the step can be divided.
    dimensions: tuple[str, ...] = ()


@dataclass(frozen=True)
class Contract:
    """A condition on the configurations of several tasks."""

    #: A Python expression; each task's configuration is known by its label.
    contract: str
    #: What to say when it does not hold.
    message: str | None = None

    def names(self, label: str) -> bool:
        """Say whether the expression has a task's label in it.

        Parameters
        ----------
        label
            The label.
        """
        return re.search(rf"(?<![A-Za-z0-9_]){re.escape(label)}[.]", self.contract) is not None


@dataclass(frozen=True)
class ImportDefinition:
    """One entry of a file's ``imports``."""

    #: Where the other pipeline is.
    location: str
    #: Labels of tasks and subsets to take, all of them if None.
    include: tuple[str, ...] | None = None
    #: Labels of tasks and subsets to leave.
    exclude: tuple[str, ...] | None = None
    #: New labels of tasks by their old ones.
    rename: Mapping[str, str] = field(default_factory=dict)
    #: Whether to take its contracts.
    has_contracts: bool = True
    #: Whether to take its steps.
    has_steps: bool = True
    #: What becomes of subsets that lose tasks.
    subset_mode: SubsetMode = SubsetMode.DROP
    #: Whether to take its instrument as it is.
    keeps_instrument: bool = True
    #: Its instrument from here on, if not.
    instrument: str | None = None


@dataclass(frozen=True)
class PipelineData:
    """Everything a pipeline says, with nothing left to import."""

    #: What the pipeline is for.
    description: str
    #: Tasks by label.
    tasks: Mapping[str, TaskDefinition] = field(default_factory=dict)
    #: Dotted name of the instrument's class.
    instrument: str | None = None
    #: Parameters by name.
    parameters: Mapping[str, Any] = field(default_factory=dict)
    #: Subsets by label.
    subsets: Mapping[str, LabeledSubset] = field(default_factory=dict)
    #: Steps in order.
    steps: tuple[Step, ...] = ()
    #: Conditions on the configurations.
    contracts: tuple[Contract, ...] = ()


def _with_parameter(value: Any, parameters: Mapping[str, Any], where: str) -> Any:
    """Replace a parameter's name by its value."""
    match = _PARAMETER.match(value) if isinstance(value, str) else None
    if match is None:
        return value
    if match.group(1) in parameters:
        return parameters[match.group(1)]
    _LOG.warning(
        "%s is %r, but the pipeline has no parameter %r; it stays as text.%s",
        where,
        value,
        match.group(1),
        near_misses(match.group(1), parameters),
    )
    return value
