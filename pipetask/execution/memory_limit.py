"""Bounds the address space of this process for a while."""

from __future__ import annotations

import resource
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def memory_limited(memory_mb: float | None) -> Iterator[None]:
    """Let the process have so much address space [MB] inside; None for no bound.

    What it has already counts. An allocation beyond it fails: in Python with
    `MemoryError`, in compiled code as that takes it.
    """
    if memory_mb is None:
        yield
        return
    before, hard = resource.getrlimit(resource.RLIMIT_AS)
    limit = int(memory_mb * 1e6)
    if before != resource.RLIM_INFINITY:
        limit = min(limit, before)
    resource.setrlimit(resource.RLIMIT_AS, (limit, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (before, hard))
