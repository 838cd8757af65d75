"""Instructions that change a configuration, applied in order.

An instruction is data until `apply_overrides` is called: a value, a mapping of
values, a Python block, a Python file, or an instrument's own files. Where the
instructions come from (a pipeline, a command line) is not known here.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NoReturn, TypeAlias

from pipetask.config.dotted import note_changes
from pipetask.config.fields import Config
from pipetask.config.plain import leaves
from pipetask.config.python_source import module_names, run_python
from pipetask.errors import TaskConfigError, UnknownFieldError


@dataclass(frozen=True)
class ValueOverride:
    """Sets one field."""

    #: Dotted path of the field.
    field: str
    #: The value, or text to be read as one.
    value: Any
    #: Who sets it, such as ``pipeline.yaml:12``.
    source: str


@dataclass(frozen=True)
class DictOverride:
    """Sets several fields."""

    #: Values by dotted path.
    values: Mapping[str, Any]
    #: Who sets them.
    source: str


@dataclass(frozen=True)
class PythonOverride:
    """Runs Python with ``config`` and the names of its module in scope."""

    #: The code.
    code: str
    #: The file the code is from.
    filename: str
    #: The line of that file at which the code starts.
    first_line: int = 1


@dataclass(frozen=True)
class FileOverride:
    """Runs a Python file with ``config`` in scope."""

    #: The file; ``$NAME`` stands for an environment variable.
    path: str
    #: Who names it.
    source: str


@dataclass(frozen=True)
class InstrumentOverride:
    """Runs an instrument's files for a task, where it has any."""

    #: Folders searched, all of them in order.
    folders: tuple[str, ...]
    #: The task's default name or label; the file is ``<name>.py``.
    name: str


#: Anything `apply_overrides` takes.
Override: TypeAlias = (
    ValueOverride | DictOverride | PythonOverride | FileOverride | InstrumentOverride
)


class Parameters(SimpleNamespace):
    """A pipeline's parameters, read as attributes; they cannot be set.

    Parameters
    ----------
    **values
        The parameters.
    """

    def __setattr__(self, name: str, value: Any) -> NoReturn:
        raise TaskConfigError(
            f"parameters.{name} cannot be set to {value!r} here: parameters are the pipeline's."
        )


@dataclass
class _Application:
    """One configuration while overrides are applied to it."""

    #: What is changed.
    config: Config
    #: In scope of Python blocks and files.
    parameters: Parameters
    #: Namespace that all Python blocks share and bare names in values refer to,
    #: so that one instruction may import for the next.
    names: dict[str, Any]
    #: What went wrong so far.
    problems: list[TaskConfigError] = field(default_factory=list)

    def apply(self, override: Override) -> None:
        """Apply one instruction; keep its problem and go on."""
        match override:
            case ValueOverride(path, value, source):
                self._set(path, value, source)
            case DictOverride(values, source):
                for path, value in values.items():
                    self._set(path, value, source)
            case PythonOverride():
                self._run_block(override)
            case FileOverride(path, source):
                self._load(os.path.expandvars(path), source)
            case InstrumentOverride(folders, name):
                for folder in folders:
                    file = Path(os.path.expandvars(folder)) / f"{name}.py"
                    if file.is_file():
                        self._load(str(file), "instrument override")

    def _set(self, path: str, value: Any, source: str) -> None:
        try:
            self.config.set_dotted(path, value, source=source, names=self.names)
        except TaskConfigError as error:
            self.problems.append(type(error)(f"{source}: {path}: {error}"))

    def _run_block(self, block: PythonOverride) -> None:
        before = leaves(self.config)
        try:
            run_python(block.code, self.names, filename=block.filename, first_line=block.first_line)
        except TaskConfigError as error:
            self.problems.append(error)
        note_changes(self.config, before, source=f"{block.filename}:{block.first_line}")

    def _load(self, path: str, source: str) -> None:
        try:
            self.config.load(path, parameters=self.parameters)
        except TaskConfigError as error:
            self.problems.append(TaskConfigError(f"{source}: {error}"))


def apply_overrides(
    config: Config,
    overrides: Iterable[Override],
    *,
    label: str,
    parameters: Mapping[str, Any] | None = None,
) -> None:
    """Change a configuration by instructions, in order.

    Parameters
    ----------
    config
        The configuration, changed in place and not frozen.
    overrides
        The instructions. One that fails does not keep the next from being tried.
    label
        The task's label, for messages.
    parameters
        The pipeline's parameters, in scope of Python blocks and files.

    Raises
    ------
    TaskConfigError
        If any instruction failed; all problems together. It is an
        `UnknownFieldError` if all of them are.
    """
    known = Parameters(**(parameters or {}))
    names = {**module_names(config), "config": config, "parameters": known}
    applied = _Application(config, known, names)
    for override in overrides:
        applied.apply(override)
    if not applied.problems:
        return
    are_unknown = all(isinstance(problem, UnknownFieldError) for problem in applied.problems)
    kind = UnknownFieldError if are_unknown else TaskConfigError
    listed = "\n".join(f"  - {problem}" for problem in applied.problems)
    raise kind(f"The configuration of {label!r} cannot be made:\n{listed}")


def command_line_override(text: str) -> tuple[str, ValueOverride]:
    """Read what follows ``-c`` on a command line.

    Parameters
    ----------
    text
        ``label:field=value``.

    Returns
    -------
    label : str
        The task's label, or ``parameters``.
    override : ValueOverride
        The field and the value's text.

    Raises
    ------
    TaskConfigError
        If the text has another form.
    """
    label, colon, rest = text.partition(":")
    path, equals, value = rest.partition("=")
    if not (label.strip() and colon and path.strip() and equals):
        raise TaskConfigError(f"{text!r} is no override; write label:field=value.")
    return label.strip(), ValueOverride(path.strip(), value, f"-c {text}")
