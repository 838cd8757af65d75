"""The objects that are put and got: a small dict and a large array."""

from __future__ import annotations

from typing import Any

SMALL: dict[str, Any] = {"count": 1, "values": [1, 2, 3], "more": {"name": "text", "size": 3.5}}


def big_array(size_mb: int) -> Any:
    """Return an array of so many megabytes, shape (n,), float64."""
    import numpy as np

    return np.arange(size_mb * 1_000_000 // 8, dtype=np.float64)
