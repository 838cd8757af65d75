"""One graph of an earlier run: the file of it, and what became of its quanta."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from pipetask.provenance.run_folder import RunFolder


@dataclass(frozen=True, slots=True)
class KnownGraph:
    """A graph that was run, or begun to be."""

    run: str
    folder: RunFolder
    graph_id: str


def known_graphs(root: Path, runs: Iterable[str]) -> list[KnownGraph]:
    """Return the graphs of some runs, those of each run the oldest first.

    Parameters
    ----------
    root
        Where the runs' folders are.
    """
    folders = {run: RunFolder.of(root, run) for run in runs}
    return [
        KnownGraph(run, folder, graph_id)
        for run, folder in folders.items()
        for graph_id in folder.graph_ids()
    ]
