"""From command-line options to how quanta are run."""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Iterable, Mapping
from typing import Any

import click

from pipetask.cli.resource_options import rules_by_label
from pipetask.execution.run_options import RunOptions
from pipetask.execution.task_rules import TaskRules

_LOG = logging.getLogger(__name__)

_UNITS_MB = {
    "": 1.0,
    "kb": 1e-3,
    "mb": 1.0,
    "gb": 1e3,
    "tb": 1e6,
    "kib": 1.024e-3,
    "mib": 1.048576,
    "gib": 1073.741824,
}
_SIZE = re.compile(r"(?P<number>\d+(\.\d*)?)\s*(?P<unit>[A-Za-z]*)")
_THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
)


def run_options(given: Mapping[str, Any]) -> RunOptions:
    """Return how quanta are to be run.

    Raises
    ------
    click.UsageError
        If options contradict each other.
    """
    if given["fail_fast"] and given["accept_failures"]:
        raise click.UsageError("--fail-fast stops at what --accept-failures goes on after")
    n_threads = None if given["enable_implicit_threading"] else given["cores_per_quantum"]
    if n_threads is not None:
        for variable in _THREAD_VARIABLES:
            os.environ.setdefault(variable, str(given["cores_per_quantum"]))
    default = TaskRules(
        cores=1,
        memory_mb=_memory_mb(given["memory_per_quantum"], "--memory-per-quantum"),
        retries=given["retries"],
        timeout_s=given["timeout"],
    )
    rules = rules_by_label(given["resources"], default, _memory_mb)
    return RunOptions(
        given["processes"],
        _engine(given, rules.values()),
        scheduler=given["scheduler"],
        cluster=given["cluster"],
        rules=rules,
        default_rules=default,
        total_memory_mb=_memory_mb(given["total_memory"], "--total-memory"),
        n_threads=n_threads,
        order=given["order"],
        is_fail_fast=given["fail_fast"],
        are_failures_accepted=given["accept_failures"],
        journal_folder=given["journal"],
        patience_s=given["patience"],
    )


def _engine(given: Mapping[str, Any], rules: Iterable[TaskRules]) -> str | None:
    """Return the engine that is asked for, or that the options need."""
    n_workers: int = given["processes"]
    engine: str | None = given["engine"]
    if engine is None and (given["scheduler"] or given["cluster"]):
        engine = "dask"
    if engine != "dask" and (given["scheduler"] or given["cluster"]):
        raise click.UsageError("--scheduler and --cluster are for --engine dask")
    if given["scheduler"] and given["cluster"]:
        raise click.UsageError("--scheduler names a cluster that runs, --cluster one to start")
    in_process = engine == "serial" or (engine is None and n_workers == 1)
    for name in ("pdb", "profile"):
        if given[name] and not in_process:
            raise click.UsageError(f"--{name} needs quanta to run in this process: -j 1")
    timeout, memory = _options_for_processes(given, rules)
    if timeout and engine in ("threads", "serial", "dask"):
        raise click.UsageError(
            f"{timeout} cannot go with --engine {engine}: it needs quanta to run in other "
            "processes of this machine; a thread cannot be killed"
        )
    if memory and engine in ("threads", "serial", "dask"):
        _LOG.warning(
            "%s bounds nothing with --engine %s: it only counts towards "
            "--total-memory. Worker processes of this machine are bounded", memory, engine,
        )  # fmt: skip
        return engine
    if (timeout or memory) and in_process:
        if given["pdb"] or given["profile"]:
            raise click.UsageError(
                f"{timeout or memory} needs quanta to run in other processes than this one"
            )
        return "processes"
    return engine


def _options_for_processes(given: Mapping[str, Any], rules: Iterable[TaskRules]) -> tuple[str, str]:
    """Return the options that bound time and memory; empty if none does."""
    timeout = memory = ""
    for rule in rules:
        timeout = "--resources timeout" if rule.timeout_s is not None else timeout
        memory = "--resources memory" if rule.memory_mb is not None else memory
    return (
        "--timeout" if given["timeout"] else timeout,
        "--memory-per-quantum" if given["memory_per_quantum"] else memory,
    )


def _memory_mb(text: str | None, option: str) -> float | None:
    if text is None:
        return None
    match = _SIZE.fullmatch(text.strip())
    unit = match["unit"].lower() if match else "?"
    if match is None or unit not in _UNITS_MB:
        raise click.UsageError(f"{option} takes a size such as 3GB or 3000, not {text!r}")
    return float(match["number"]) * _UNITS_MB[unit]
