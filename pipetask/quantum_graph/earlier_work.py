"""What earlier runs did, in tables of a build: attempts at quanta, and the inputs of each."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from functools import cached_property
from typing import Any

from pipetask.provenance.history import make_noted, text_of
from pipetask.provenance.known_graph import KnownGraph
from pipetask.quantum_graph.graph import QuantumGraph
from pipetask.quantum_graph.workspace import Workspace

_FIELDS = (
    "number, task, data_id::VARCHAR AS data_id, outcome, error, started, attempt, config_digest, "
    "code_digest"
)


class EarlierWork:
    """Reads graphs and histories of earlier runs when they are first asked for.

    Parameters
    ----------
    graphs
        Those of the earlier runs; each goes by its place in this list.
    """

    def __init__(self, workspace: Workspace, graphs: Sequence[KnownGraph]) -> None:
        self._workspace = workspace
        self._graphs = graphs
        self._opened: dict[int, QuantumGraph] = {}

    @cached_property
    def _attempts(self) -> str:
        """Name of a table with the newest attempt at each quantum of each run."""
        run = self._workspace.run
        run(
            "CREATE OR REPLACE TABLE earlier_all (graph INTEGER, run VARCHAR, number BIGINT, "
            "task VARCHAR, data_id VARCHAR, outcome VARCHAR, error VARCHAR, started TIMESTAMP, "
            "attempt INTEGER, config_digest VARCHAR, code_digest VARCHAR)"
        )
        for number, known in enumerate(self._graphs):
            history = known.folder.history(known.graph_id)
            if history.exists():
                run(f"ATTACH {text_of(history)} AS earlier_history (READ_ONLY)")
                run(
                    f"INSERT INTO earlier_all SELECT {number}, ?, {_FIELDS} "  # noqa: S608 - fixed names
                    "FROM earlier_history.attempt",
                    [known.run],
                )
                run("DETACH earlier_history")
            journals = known.folder.journals(known.graph_id)
            if journals:
                make_noted(self._workspace.connection, journals)
                insert = f"INSERT INTO earlier_all SELECT {number}, ?, {_FIELDS} FROM noted"  # noqa: S608 - fixed names
                run(insert, [known.run])
        self._workspace.create(
            "earlier_newest",
            "SELECT * FROM earlier_all QUALIFY row_number() OVER (PARTITION BY run, task, data_id "
            "ORDER BY started DESC, attempt DESC) = 1",
        )
        return "earlier_newest"

    @cached_property
    def done(self) -> str:
        """Name of a table of the quanta that are done, one for each run, task and data ID."""
        self._workspace.create(
            "earlier_done",
            f"SELECT * FROM {self._attempts} WHERE outcome IN ('succeeded', 'no-work')",  # noqa: S608 - a name
        )
        return "earlier_done"

    @cached_property
    def failed(self) -> str:
        """Name of a table of the quanta that failed at last, one for each task and data ID."""
        self._workspace.create(
            "earlier_failed",
            f"SELECT * FROM {self._attempts} WHERE outcome IN ('failed', 'lost') "  # noqa: S608 - a name
            "QUALIFY row_number() OVER (PARTITION BY task, data_id ORDER BY started DESC) = 1",
        )
        return "earlier_failed"

    def _graph(self, number: int) -> QuantumGraph:
        if number not in self._opened:
            known = self._graphs[number]
            self._opened[number] = QuantumGraph.open(known.folder.graph(known.graph_id))
        return self._opened[number]

    def close(self) -> None:
        """Close the graphs."""
        for graph in self._opened.values():
            graph.close()

    def config(self, number: int, label: str) -> str:
        """Return the configuration of a task in one of the graphs, as YAML."""
        return self._graph(number).task(label).config

    def code(self, number: int, label: str) -> Mapping[str, Mapping[str, str]]:
        """Return what a task's code was made of when one of the graphs was run."""
        known = self._graphs[number]
        history = known.folder.history(known.graph_id)
        if not history.exists():
            return {}
        run = self._workspace.run
        run(f"ATTACH {text_of(history)} AS earlier_history (READ_ONLY)")
        rows = self._workspace.rows("SELECT value FROM earlier_history.header WHERE name = 'code'")
        run("DETACH earlier_history")
        found: Mapping[str, Any] = json.loads(rows[-1][0]) if rows else {}
        return dict(found.get(label, {}))

    def find(self, label: str, number: int) -> int | None:
        """Return the graph that has a task: the one given, or else the first; None if none has."""
        order = (number, *(n for n in range(len(self._graphs)) if n != number))
        return next(
            (n for n in order if any(task.label == label for task in self._graph(n).tasks)), None
        )

    def inputs(self, label: str) -> str:
        """Return a table of the inputs that quanta of a task had: graph, number, connection, id.

        What a quantum was to have and nobody had made when it ran is not among them.
        """
        return self._datasets(label, f"earlier_inputs_{label}", ("input", "prerequisite"))

    def outputs(self, label: str) -> str:
        """Return a table of what quanta of a task wrote: graph, number, connection, id."""
        return self._datasets(label, f"earlier_outputs_{label}", ("output",))

    def _datasets(self, label: str, table: str, roles: Collection[str]) -> str:
        run, done = self._workspace.run, self.done
        run(
            f'CREATE OR REPLACE TABLE "{table}" (graph INTEGER, number BIGINT, connection VARCHAR, '
            "id UUID)"
        )
        for number, known in enumerate(self._graphs):
            tasks = [task for task in self._graph(number).tasks if task.label == label]
            history = known.folder.history(known.graph_id)
            if not tasks or not history.exists():
                continue
            rows = enumerate(tasks[0].connections)
            names = ", ".join(f"({n}, '{row.name}')" for n, row in rows if row.role in roles)
            if not names:
                continue
            run(f"ATTACH {text_of(self._graph(number).path)} AS earlier_graph (READ_ONLY)")
            run(f"ATTACH {text_of(history)} AS earlier_history (READ_ONLY)")
            run(
                f'INSERT INTO "{table}" SELECT {number}, e.quantum, c.name, d.id '  # noqa: S608 - names of connections
                "FROM earlier_graph.quantum q JOIN earlier_graph.edge e USING (quantum) "
                f"JOIN (VALUES {names}) c(connection, name) ON c.connection = e.connection "
                "JOIN earlier_graph.dataset d USING (dataset) "
                f"JOIN {done} w ON w.graph = {number} AND w.number = e.quantum "
                f"LEFT JOIN ({_MADE}) m ON m.id = d.id "
                "WHERE q.task = ? AND (d.run IS NOT NULL OR m.started <= w.started)",
                [tasks[0].number],
            )
            run("DETACH earlier_graph")
            run("DETACH earlier_history")
        return f'"{table}"'


#: Datasets that quanta wrote, with the time when the last of these started.
_MADE = (
    "SELECT o.id::UUID AS id, max(a.started) AS started FROM earlier_history.output o "
    "JOIN earlier_history.attempt a USING (number, attempt) "
    "WHERE a.outcome IN ('succeeded', 'no-work') GROUP BY o.id"
)
