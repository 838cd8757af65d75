"""Asks before something is removed."""

from __future__ import annotations

import click


def is_confirmed() -> bool:
    """Ask ``Continue?`` and return the answer; anything but yes is no."""
    return click.confirm("Continue?", default=False)
