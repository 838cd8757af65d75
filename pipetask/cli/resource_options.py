"""Reads ``--resources LABEL:NAME=VALUE,...``."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import replace
from typing import Any

import click

from butler_core.errors import near_misses
from pipetask.execution.task_rules import TaskRules

_LOG = logging.getLogger(__name__)

_ALL = "*"
_OPTION = "--resources"


class RulesByLabel(dict[str, TaskRules]):
    """Rules of tasks; those of ``*`` for a task that is not named."""

    def get(self, label: str, default: Any = None) -> Any:
        """Return the rules of a task."""
        return super().get(label, super().get(_ALL, default))


def rules_by_label(
    texts: Sequence[str],
    default: TaskRules,
    memory_mb: Callable[[str, str], float | None],
) -> RulesByLabel:
    """Return the rules that the option gives, on top of defaults.

    Parameters
    ----------
    memory_mb
        Reads a size; takes the name of the option too.

    Raises
    ------
    click.UsageError
        If a text cannot be read.
    """
    parse: dict[str, tuple[str, Callable[[str], Any]]] = {
        "cores": ("cores", _positive),
        "memory": ("memory_mb", lambda text: memory_mb(text, f"{_OPTION} memory")),
        "max-concurrent": ("max_concurrent", _positive),
        "retries": ("retries", lambda text: _at_least(0, int(text))),
        "memory-factor": ("memory_factor", lambda text: _at_least(1.0, float(text))),
        "timeout": ("timeout_s", lambda text: _at_least(1e-3, float(text))),
    }
    rules = RulesByLabel()
    for text in texts:
        label, mark, settings = text.partition(":")
        if not mark or not label:
            raise click.UsageError(f"{_OPTION} takes LABEL:NAME=VALUE, not {text!r}")
        known = rules.get(label, default)
        for setting in settings.split(","):
            name, _, value = setting.partition("=")
            if name not in parse:
                raise click.UsageError(
                    f"{_OPTION} {text!r} sets {name!r}; there are {', '.join(parse)}."
                    f"{near_misses(name, parse)}"
                )
            field, read = parse[name]
            try:
                known = replace(known, **{field: read(value)})
            except ValueError as error:
                raise click.UsageError(f"{_OPTION} {text!r}: {name} cannot be {value!r}") from error
        rules[label] = known
    return rules


def warn_of_strangers(rules: Iterable[str], labels: Collection[str]) -> None:
    """Say which of the names that rules are for are those of no task."""
    for name in sorted(set(rules) - {_ALL, *labels}):
        _LOG.warning(
            "%s names %r, which is no task of this graph.%s",
            _OPTION, name, near_misses(name, labels),
        )  # fmt: skip


def _positive(text: str) -> int:
    return int(_at_least(1, int(text)))


def _at_least(least: float, number: float) -> float:
    if not least <= number < math.inf:
        raise ValueError(number)
    return number
