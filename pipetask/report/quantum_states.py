"""Brings what is known of the quanta of runs into tables: every attempt, and where each stands."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from pipetask.provenance.history import ATTEMPT, database, make_noted, text_of
from pipetask.provenance.run_folder import RunFolder
from pipetask.quantum_graph.graph import QuantumGraph
from pipetask.quantum_graph.workspace import quoted

if TYPE_CHECKING:
    import duckdb

_NAMES = ", ".join(ATTEMPT)


@contextmanager
def quantum_states(folder: RunFolder, graph_ids: Sequence[str]) -> Iterator[QuantumStates]:
    """Lend the tables of a run's graphs.

    Parameters
    ----------
    graph_ids
        The oldest first; the last one says which quanta there should be.
    """
    with database() as connection:
        states = QuantumStates(connection)
        for number, graph_id in enumerate(graph_ids):
            states.add(folder, graph_id, number)
        if graph_ids:
            with QuantumGraph.open(folder.graph(graph_ids[-1])) as graph:
                states.settle(graph, len(graph_ids) - 1)
        yield states


class QuantumStates:
    """Two tables: ``attempt``, and ``state`` with a row for each quantum.

    ``attempt`` has the columns of the history and ``graph``, the number of the
    graph that it was made for. ``state`` has ``task``, ``data_id``,
    ``outcome`` (``blocked`` and ``not run`` besides those of attempts), and
    what the last attempt says of the rest; ``n_attempts``; and ``number``, in
    the last graph, or null.
    """

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self.connection = connection
        columns = ", ".join(f"{name} {type_}" for name, type_ in ATTEMPT.items())
        connection.execute(f"CREATE TABLE attempt (graph INTEGER, {columns})")
        #: Labels of the tasks, in the order in which they can run.
        self.labels: list[str] = []

    def add(self, folder: RunFolder, graph_id: str, number: int) -> None:
        """Take in the history of a graph, and its journals, of which some may be going on."""
        history = folder.history(graph_id)
        if history.exists():
            self.connection.execute(f"ATTACH {text_of(history)} AS history (READ_ONLY)")
            self.connection.execute(
                f"INSERT INTO attempt SELECT {number}, {_NAMES} FROM history.attempt"  # noqa: S608 - fixed names
            )
            self.connection.execute("DETACH history")
        journals = folder.journals(graph_id)
        if journals:
            make_noted(self.connection, journals)
            self.connection.execute(
                f"INSERT INTO attempt SELECT {number}, {_NAMES} FROM noted n WHERE NOT EXISTS "  # noqa: S608 - fixed names
                "(SELECT 1 FROM attempt a WHERE (a.number, a.attempt, a.started) = "
                f"(n.number, n.attempt, n.started) AND graph = {number})"
            )

    def settle(self, graph: QuantumGraph, number: int) -> None:
        """Make the table of states.

        Parameters
        ----------
        graph
            The last graph.
        number
            Its number.
        """
        run = self.connection.execute
        self.labels = [task.label for task in graph.tasks]
        run(f"ATTACH {text_of(graph.path)} AS last (READ_ONLY)")
        run("CREATE TABLE due (number BIGINT, task VARCHAR, data_id VARCHAR)")
        for task in graph.tasks:
            names = task.dimensions.required
            pairs = ", ".join(f"'{name}', i.{quoted(name)}" for name in names)
            run(
                f"INSERT INTO due SELECT q.quantum, ?, json_object({pairs})::VARCHAR "  # noqa: S608 - quoted
                "FROM last.quantum q JOIN last.data_id i USING (data_id) WHERE q.task = ?",
                [task.label, task.number],
            )
        run(
            "CREATE TABLE newest AS SELECT *, count(*) OVER same AS n_attempts FROM attempt "
            "WINDOW same AS (PARTITION BY task, data_id::VARCHAR) QUALIFY row_number() OVER "
            "(PARTITION BY task, data_id::VARCHAR ORDER BY graph DESC, started DESC, attempt DESC) "
            "= 1"
        )
        self._join(number)
        self._find_blocked(graph)
        run("DETACH last")

    def _join(self, number: int) -> None:
        """Join what should be with what was; what the last graph has and did not try is due."""
        others = ", ".join(
            f"CASE WHEN {_IS_OLD.format(number=number)} THEN NULL ELSE n.{name} END AS {name}"
            for name in ATTEMPT
            if name not in ("number", "task", "data_id", "outcome")
        )
        self.connection.execute(
            "CREATE TABLE state AS SELECT coalesce(d.task, n.task) AS task, "  # noqa: S608 - fixed names
            "coalesce(d.data_id, n.data_id::VARCHAR) AS data_id, d.number AS number, "
            "coalesce(n.n_attempts, 0) AS n_attempts, "
            f"CASE WHEN n.task IS NULL OR {_IS_OLD.format(number=number)} THEN 'not run' "
            f"ELSE n.outcome END AS outcome, {others} "
            "FROM due d FULL JOIN newest n ON n.task = d.task AND n.data_id::VARCHAR = d.data_id"
        )

    def _find_blocked(self, graph: QuantumGraph) -> None:
        """Tell the quanta that wait for failed ones from those whose turn never came."""
        import numpy as np

        run = self.connection.execute
        rows = run(
            "SELECT number, outcome IN ('failed', 'lost') AS bad FROM state "
            "WHERE number IS NOT NULL"
        ).fetchnumpy()
        is_bad = np.zeros(len(graph), dtype=bool)
        is_bad[rows["number"]] = rows["bad"]
        before, after = graph.dependencies()
        tasks = graph.task_numbers()
        order = np.argsort(tasks[before], kind="stable")
        before, after = before[order], after[order]
        starts = np.searchsorted(tasks[before], np.arange(len(graph.tasks) + 1))
        is_blocked = np.zeros(len(graph), dtype=bool)
        for task in range(len(graph.tasks)):  # what waits for a task is of later ones
            pairs = slice(starts[task], starts[task + 1])
            stuck = is_bad[before[pairs]] | is_blocked[before[pairs]]
            is_blocked[after[pairs][stuck]] = True
        blocked = np.flatnonzero(is_blocked)  # noqa: F841 - the statement reads it by its name
        run(
            "UPDATE state SET outcome = 'blocked' WHERE outcome = 'not run' AND number IN "
            "(SELECT column0 FROM blocked)"
        )


#: Whether the last attempt is of a graph before the last one, which has the quantum too.
_IS_OLD = "(d.number IS NOT NULL AND n.graph < {number})"
