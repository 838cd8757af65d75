"""Runs our quantum graphs."""

from __future__ import annotations

from typing import Any

import run_commands
from actor import Setting

from ours.repositories import place_of


def by_command(
    setting: Setting, *, few: int, many: int, n_workers: int = 1, engine: str = ""
) -> dict[str, Any]:
    """Run trivial quanta by command line; return what one more costs."""
    options = ("-j", str(n_workers), *(("--engine", engine) if engine else ()))
    place = place_of(setting, "repository")
    return run_commands.marginal(setting, place, few=few, many=many, options=options)


def quantum_backed(setting: Setting, *, few: int, many: int) -> dict[str, Any]:
    """Run the same without a registry."""
    return run_commands.marginal(
        setting, place_of(setting, "repository"), few=few, many=many, command=("run-qbb",),
        graph_options=("--qgraph-datastore-records",),
    )  # fmt: skip
