"""What one quantum of a task may use, and what happens when it fails."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TaskRules:
    """Rules for the quanta of one task."""

    #: Workers that one quantum takes the place of.
    cores: int = 1
    #: Memory that one quantum may use [MB]; None if it is not bounded.
    memory_mb: float | None = None
    #: Largest number of workers that are at this task at once; None for all.
    max_concurrent: int | None = None
    #: How often a quantum that failed is tried again.
    retries: int = 0
    #: Its memory grows by this factor when it had too little.
    memory_factor: float = 2.0
    #: Longest time for one quantum [s]; None for any.
    timeout_s: float | None = None


@dataclass(frozen=True, slots=True)
class Capacity:
    """What there is to run quanta on."""

    cores: int
    #: Memory that all quanta together may be given [MB]; None if nobody counts it.
    memory_mb: float | None = None
