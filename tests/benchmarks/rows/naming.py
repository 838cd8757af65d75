"""Names and titles of rows that there are for each backend."""

from __future__ import annotations

_SHOWN = {"sqlite": "", "postgresql": " (PostgreSQL)"}


def named(name: str, backend: str) -> str:
    """Return a row's name with its backend, if that is not the usual one."""
    return name if backend == "sqlite" else f"{name}-{backend}"


def titled(title: str, backend: str) -> str:
    """Return a row's title with its backend, if that is not the usual one."""
    return title + _SHOWN[backend]
