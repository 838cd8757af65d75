"""What is asked of earlier runs, and what is said of quanta that run nevertheless."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pipetask.provenance.known_graph import KnownGraph


class Reason(enum.Enum):
    """Why a quantum is run."""

    NEW = "new"
    INPUT_CHANGED = "input changed"
    CONFIG_CHANGED = "config changed"
    CODE_CHANGED = "code changed"
    #: Something that it wrote is not there any more.
    OUTPUT_REMOVED = "output removed"
    FAILED_BEFORE = "failed before"
    FORCED = "forced"
    #: It was made by something that kept no record.
    NO_RECORD = "no record"


@dataclass(frozen=True)
class ReuseRequest:
    """Earlier runs whose quanta need not run again if nothing has changed."""

    #: In the order in which datasets are searched for.
    graphs: tuple[KnownGraph, ...]
    #: Labels of tasks whose quanta run in any case.
    redo: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class ReasonGroup:
    """Quanta of one task that run for one reason."""

    label: str
    reason: Reason
    #: What has changed: names of inputs, fields, files.
    detail: str
    n_quanta: int
    #: Data ID of the first.
    example: Mapping[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        detail = f" ({self.detail})" if self.detail else ""
        quanta = "1 quantum" if self.n_quanta == 1 else f"{self.n_quanta:,} quanta"
        return f"{self.label}: {quanta}: {self.reason.value}{detail}"
