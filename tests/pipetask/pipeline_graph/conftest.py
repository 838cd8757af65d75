"""Pipelines of tasks that are made of specifications."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "importable"))
