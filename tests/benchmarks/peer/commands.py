"""Runs the ``butler`` program."""

from __future__ import annotations

from typing import Any

import butler_commands
from actor import Setting

from peer.repositories import place_of


def query_collections(setting: Setting) -> dict[str, Any]:
    """List the collections of an empty repository."""
    return butler_commands.query_collections(setting, place_of(setting, "empty"))


def query_datasets(setting: Setting) -> dict[str, Any]:
    """List all datasets of a chain."""
    return butler_commands.query_datasets(setting, place_of(setting, "chain"))
