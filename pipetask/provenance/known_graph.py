"""One graph of an earlier run: the file of it, and what became of its quanta."""

from __future__ import annotations

from dataclasses import dataclass

from pipetask.provenance.run_folder import RunFolder


@dataclass(frozen=True, slots=True)
class KnownGraph:
    """A graph that was run, or begun to be."""

    run: str
    folder: RunFolder
    graph_id: str
