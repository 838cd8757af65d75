"""Where a run keeps what is about itself: graphs, journals, histories, the lease."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

_GRAPH = ".qg"
_JOURNAL = ".journal"
_HISTORY = ".history"
_ELSEWHERE = "elsewhere"


@dataclass(frozen=True, slots=True)
class RunFolder:
    """A local folder; names what is in it, and makes nothing.

    A graph's files are called by its id: ``ID.qg`` the graph, ``ID.journal``
    and ``ID.WORKER.journal`` what is noted while its quanta run,
    ``ID.history`` the same when all of it is committed.
    """

    path: Path

    @classmethod
    def of(cls, root: Path, run: str) -> RunFolder:
        """Return that of a run whose files are below a datastore's root."""
        return cls(root / run / "graphs")

    @property
    def lease(self) -> Path:
        """The file that says who is at work on the run."""
        return self.path / "lease"

    def graph(self, graph_id: str) -> Path:
        """Return the copy of a graph."""
        return self.path / f"{graph_id}{_GRAPH}"

    def journal(self, graph_id: str, worker: str = "") -> Path:
        """Return the journal of a graph, or that of a worker that has no parent."""
        return self.path / f"{graph_id}{'.' if worker else ''}{worker}{_JOURNAL}"

    def history(self, graph_id: str) -> Path:
        """Return the history of a graph."""
        return self.path / f"{graph_id}{_HISTORY}"

    def journals(self, graph_id: str) -> list[Path]:
        """Return the journals of a graph that there are, in the order of their names."""
        return [path for path in self._all(_JOURNAL) if path.name.split(".")[0] == graph_id]

    def unfinished(self) -> list[str]:
        """Return the ids of graphs that have journals: not all that was done is committed."""
        return sorted({path.name.split(".")[0] for path in self._all(_JOURNAL)} - {_ELSEWHERE})

    @property
    def elsewhere(self) -> Path:
        """A file that says in which other folder the journals of the run are, while it goes on."""
        return self.path / f"{_ELSEWHERE}{_JOURNAL}"

    def graph_ids(self) -> list[str]:
        """Return the ids of the run's graphs, the oldest first."""
        graphs = sorted(self._all(_GRAPH), key=lambda path: (path.stat().st_mtime_ns, path.name))
        return [path.name.removesuffix(_GRAPH) for path in graphs]

    def _all(self, suffix: str) -> list[Path]:
        if not self.path.is_dir():
            return []
        return sorted(p for p in self.path.iterdir() if p.name.endswith(suffix))
