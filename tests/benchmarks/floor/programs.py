"""The least that a program can take: starting Python."""

from __future__ import annotations

import sys
from typing import Any

from actor import Setting
from clock import time_program


def start(setting: Setting) -> dict[str, Any]:
    """Start Python and stop it."""
    return time_program([sys.executable, "-c", "pass"], setting.folder).facts(n=1)
