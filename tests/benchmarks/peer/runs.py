"""Runs the peer's quantum graphs."""

from __future__ import annotations

from typing import Any

import run_commands
from actor import Setting

from peer.repositories import place_of


def by_command(setting: Setting, *, few: int, many: int) -> dict[str, Any]:
    """Run trivial quanta by command line, one after another; return what one more costs."""
    place = place_of(setting, "repository")
    return run_commands.marginal(setting, place, few=few, many=many, options=("-j", "1"))


def quantum_backed(setting: Setting, *, few: int, many: int) -> dict[str, Any]:
    """Run the same without a registry."""
    return run_commands.marginal(
        setting, place_of(setting, "repository"), few=few, many=many, command=("run-qbb",),
        options=("-j", "1"), graph_options=("--qgraph-datastore-records",),
    )  # fmt: skip
