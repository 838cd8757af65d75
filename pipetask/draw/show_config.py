"""What ``--show`` prints of configurations: values, where they came from, and whole dumps."""

from __future__ import annotations

import fnmatch
import math
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from butler_core.errors import near_misses
from pipetask.config.dotted import owner_of
from pipetask.config.fields import Config
from pipetask.config.plain import leaves
from pipetask.draw.show import ShowContext
from pipetask.errors import UnknownFieldError, UnknownLabelError

_EXACT = ":NOIGNORECASE"


@dataclass(frozen=True)
class _FieldPattern:
    """Which fields of which tasks are meant."""

    #: Label of the task; None for all.
    label: str | None
    #: Name or dotted path of the fields, with ``*`` and ``?``.
    pattern: str
    has_exact_case: bool = False

    @classmethod
    def parse(cls, text: str) -> _FieldPattern:
        """Read ``[LABEL::]PATTERN[:NOIGNORECASE]``."""
        has_exact_case = text.endswith(_EXACT)
        label, colons, pattern = text.removesuffix(_EXACT).rpartition("::")
        return cls(label if colons else None, pattern or "*", has_exact_case)

    def paths(self, config: Config) -> list[str]:
        """Return the dotted paths of the fields meant."""
        flags = 0 if self.has_exact_case else re.IGNORECASE
        match = re.compile(fnmatch.translate(self.pattern), flags).match
        return [path for path in leaves(config) if any(map(match, _spellings(path)))]


def show_config(what: ShowContext, value: str) -> Iterator[str]:
    """Return fields with their descriptions and values, task by task."""
    wanted = _FieldPattern.parse(value)
    lines: list[str] = []
    if not wanted.has_exact_case and wanted.pattern != wanted.pattern.casefold():
        lines.append(
            f'Matching "{wanted.pattern}" without regard to case (append {_EXACT} to prevent this)'
        )
    for label, config, paths in _matches(what, wanted):
        lines += [f"### Configuration for task `{label}'", *_assignments(config, paths)]
    return iter(lines)


def show_history(what: ShowContext, value: str) -> Iterator[str]:
    """Return every value that fields have had and who set it, the first one first."""
    lines: list[str] = []
    for label, config, paths in _matches(what, _FieldPattern.parse(value)):
        for path in paths:
            entries = [(repr(entry.value), entry.source) for entry in config.history(path)]
            width = max((len(shown) for shown, _ in entries), default=0)
            lines += [f"### Configuration field for task `{label}'", path]
            lines += [f"{shown:<{width}}  {source}" for shown, source in entries]
            lines.append("")
    return iter(lines)


def dump_config(what: ShowContext, value: str) -> Iterator[str]:
    """Return whole configurations as Python that ``-C`` takes."""
    lines: list[str] = []
    for label, config in _configs(what, value or None).items():
        name = type(config).__name__
        lines += [
            f"### Configuration for task `{label}'",
            f"assert type(config).__name__ == {name!r}, 'these are values of {name}'",
            "",
            *_assignments(config, leaves(config)),
        ]
    return iter(lines)


def _configs(what: ShowContext, label: str | None) -> Mapping[str, Config]:
    """Return the configuration of one task or all, in the order to run in."""
    assert what.pipeline_graph is not None
    configs = {node.label: node.config for node in what.pipeline_graph.tasks}
    if label is None:
        return configs
    if label not in configs:
        hint = near_misses(label, configs)
        raise UnknownLabelError(f"the pipeline has no task {label!r}.{hint}")
    return {label: configs[label]}


def _matches(what: ShowContext, wanted: _FieldPattern) -> list[tuple[str, Config, list[str]]]:
    """Return label, configuration and paths of each task that has such fields."""
    configs = _configs(what, wanted.label)
    found = [(label, config, wanted.paths(config)) for label, config in configs.items()]
    if any(paths for *_, paths in found):
        return [entry for entry in found if entry[2]]
    paths = {path for config in configs.values() for path in leaves(config)}
    hint = near_misses(wanted.pattern, {name for path in paths for name in _spellings(path)[:2]})
    where = "any task" if wanted.label is None else f"task {wanted.label!r}"
    raise UnknownFieldError(f"no field of {where} matches {wanted.pattern!r}.{hint}")


def _spellings(path: str) -> tuple[str, str, str]:
    """Return the ways in which a field may be named."""
    return path, path.rpartition(".")[2], f"config.{path}"


def _assignments(config: Config, paths: Iterable[str]) -> Iterator[str]:
    """Give each field as a comment and a line of Python, and a blank line."""
    values = leaves(config)
    for path in paths:
        owner, name = owner_of(config, path)
        description = type(owner).model_fields[name].description
        if description:
            yield f"# {' '.join(description.split())}"
        yield f"config.{path}={_python(values[path])}"
        yield ""


def _python(value: Any) -> str:
    """Write a plain value as Python; unlike `repr`, also numbers that are not finite."""
    if isinstance(value, float) and not math.isfinite(value):
        return f"float('{value}')"
    if isinstance(value, list):
        return f"[{', '.join(map(_python, value))}]"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{key!r}: {_python(item)}' for key, item in value.items())}}}"
    return repr(value)
