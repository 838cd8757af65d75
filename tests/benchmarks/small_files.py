"""The small files that are ingested: where they are and what they are of."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import world


def items(folder: Path, count: int) -> list[tuple[str, dict[str, Any]]]:
    """Return path and data ID of each file."""
    ids = world.data_ids(count)
    return [(str(path_of(folder, number)), data_id) for number, data_id in enumerate(ids)]


def path_of(folder: Path, number: int) -> Path:
    """Return the path of one file."""
    return folder / f"{number // 1000:04d}" / f"raw_{number:07d}.yaml"
