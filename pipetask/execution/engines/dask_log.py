"""Keeps what Dask logs off the terminal: what a user has to know, the engine says itself.

Imports nothing of Dask but its configuration; the rest reads it when it is imported.
"""

from __future__ import annotations

import logging

import dask

#: Dask's loggers, which are as loud as they like if nobody tells them otherwise.
_NAMES = ("distributed", "distributed.client", "tornado", "tornado.application")


def quieten() -> None:
    """Let Dask log nothing, unless the user or a configuration of Dask says what it is to log."""
    chosen = {name: level for name in _NAMES if (level := logging.getLogger(name).level)}
    configured = dask.config.get("logging", {})
    if "version" not in configured:  # else it is one for `logging.config`, and complete
        quiet = dict.fromkeys(_NAMES, logging.CRITICAL)
        if loudest := chosen.get("distributed"):
            quiet["distributed.client"] = loudest
        dask.config.set({"logging": {**quiet, **configured, **chosen}})
