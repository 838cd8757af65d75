"""A quantum graph, read from its file on demand."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from butler_core.datasets.dataset_type import DatasetType
from butler_core.dimensions.group import DimensionGroup
from butler_core.dimensions.universe import DimensionUniverse
from butler_core.garbage import collection_paused
from pipetask.errors import GraphFileError, UnknownLabelError
from pipetask.quantum_graph.connection_row import ConnectionRow
from pipetask.quantum_graph.file_format import open_checked
from pipetask.quantum_graph.graph_quantum import GraphQuantum, GraphTask
from pipetask.quantum_graph.quantum_maker import QuantumMaker
from pipetask.quantum_graph.workspace import quoted

if TYPE_CHECKING:
    import networkx as nx


class QuantumGraph:
    """Wraps an open graph file; makes objects only when asked for them."""

    def __init__(self, path: Path, connection: Any) -> None:
        self.path = path
        self._connection = connection
        #: Labels and connections of the tasks that were asked for, by number.
        self._known_tasks: dict[int, tuple[str, tuple[ConnectionRow, ...]]] = {}

    @classmethod
    def open(cls, path: str | Path) -> QuantumGraph:
        """Open a graph file.

        Raises
        ------
        GraphFileError
            If it is not there, damaged, no graph, or of a newer version.
        """
        return cls(Path(path), open_checked(Path(path)))

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __len__(self) -> int:
        return sum(task.n_quanta for task in self.tasks)

    def __repr__(self) -> str:
        return f"QuantumGraph({str(self.path)!r}, {len(self)} quanta, run {self.output_run!r})"

    def fetch(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Return the rows of a query of the file's tables; see `file_format`.

        Raises
        ------
        GraphFileError
            If what is read turns out to be altered.
        """
        with self._undamaged():
            rows: list[tuple[Any, ...]] = self._connection.execute(sql, list(parameters)).fetchall()
        return rows

    def _columns(self, sql: str) -> dict[str, Any]:
        """Return the rows of a query as arrays by column."""
        with self._undamaged():
            return dict(self._connection.execute(sql).fetchnumpy())

    @contextmanager
    def _undamaged(self) -> Iterator[None]:
        import duckdb

        try:
            yield
        except duckdb.Error as error:
            said = str(error).splitlines()[0]
            raise GraphFileError(f"{str(self.path)!r} is damaged: {said}") from error

    # ---------------------------------------------------------------- header
    @cached_property
    def header(self) -> Mapping[str, str]:
        """Entries of the header."""
        return dict(self.fetch("SELECT name, value FROM header"))

    @property
    def output_run(self) -> str:
        """Name of the RUN collection that outputs go to."""
        return self.header["output_run"]

    @property
    def id(self) -> str:
        """What this graph is called, beside others of its run."""
        return self.header.get("graph_id") or self.digest[:16]

    def require_id(self, wanted: str | None) -> None:
        """Raise GraphFileError if an id is given and is not this graph's."""
        if wanted and wanted != self.id:
            raise GraphFileError(
                f"the graph in {str(self.path)!r} has the id {self.id}, not {wanted}"
            )

    @property
    def has_files(self) -> bool:
        """Whether it says where the files of its inputs are."""
        return self.header.get("has_files") == "true"

    @property
    def digest(self) -> str:
        """Digest of quanta, datasets and edges; the same request gives the same."""
        return self.header["digest"]

    @cached_property
    def universe(self) -> DimensionUniverse:
        """The dimension universe."""
        found = DimensionUniverse.default()
        written = json.loads(self.header["universe"])
        if (written["namespace"], written["version"]) != (found.namespace, found.version):
            config = self.header.get("universe_config")
            if config is None:
                raise GraphFileError(
                    f"{str(self.path)!r} was made with another universe, {written}"
                )
            found = DimensionUniverse(json.loads(config))
        return found

    @cached_property
    def dataset_types(self) -> tuple[DatasetType, ...]:
        """Dataset types in the order that numbers them."""
        return tuple(
            DatasetType(
                entry["name"],
                self.universe.conform(entry["dimensions"]),
                entry["storage_class"],
                entry["is_calibration"],
            )
            for entry in json.loads(self.header["dataset_types"])
        )

    @cached_property
    def tasks(self) -> tuple[GraphTask, ...]:
        """Tasks in the order that numbers them, in which they can run."""
        rows = self.fetch(
            "SELECT t.task, label, class_name, t.dimensions, config, connections, n FROM task t "
            "LEFT JOIN (SELECT task, count(*) AS n FROM quantum GROUP BY task) q ON q.task = "
            "t.task "
            "ORDER BY t.task"
        )
        return tuple(
            GraphTask(
                number,
                label,
                class_name,
                self.universe.conform(json.loads(dimensions)),
                config,
                tuple(ConnectionRow(**entry) for entry in json.loads(connections)),
                n or 0,
            )
            for number, label, class_name, dimensions, config, connections, n in rows
        )

    def declared(self, number: int) -> tuple[str, tuple[ConnectionRow, ...]]:
        """Return a task's label and connections; looks at no other task and counts no quanta."""
        if number not in self._known_tasks:
            sql = "SELECT label, connections FROM task WHERE task = ?"
            ((label, connections),) = self.fetch(sql, [number])
            rows = tuple(ConnectionRow(**entry) for entry in json.loads(connections))
            self._known_tasks[number] = (label, rows)
        return self._known_tasks[number]

    def task(self, label: str) -> GraphTask:
        """Return a task by label."""
        for task in self.tasks:
            if task.label == label:
                return task
        raise UnknownLabelError(f"the graph has no task {label!r}")

    def counts(self) -> dict[str, int]:
        """Return the number of rows of each table."""
        names = ("quantum", "dataset", "edge", "data_id")
        return {n: int(self.fetch(f"SELECT count(*) FROM {n}")[0][0]) for n in names}  # noqa: S608 - fixed names

    def check(self) -> dict[str, int]:
        """Read every column of every table and return the number of rows of each.

        Raises
        ------
        GraphFileError
            If a part is damaged.
        """
        for table in ("header", "task", "quantum", "dataset", "edge", "data_id"):
            self.fetch(f"SELECT bit_xor(hash(t)) FROM {table} t")  # noqa: S608 - fixed names
        return self.counts()

    # ---------------------------------------------------------------- quanta
    def quantum(self, number: int) -> GraphQuantum:
        """Return one quantum by number."""
        found = self.quanta([number])
        if not found:
            raise GraphFileError(f"{str(self.path)!r} has no quantum {number}")
        return found[0]

    def numbers_of(self, names: Iterable[str]) -> frozenset[int]:
        """Return the numbers of quanta given by number or id.

        Raises
        ------
        GraphFileError
            If the graph has no such quantum; all such names are listed.
        """
        found: set[int] = set()
        unknown: list[str] = []
        for name in names:
            if name.isdigit():
                rows = self.fetch("SELECT quantum FROM quantum WHERE quantum = ?", [int(name)])
            else:
                rows = self.fetch(
                    "SELECT quantum FROM quantum WHERE id::VARCHAR = lower(?)", [name]
                )
            found.update(row[0] for row in rows)
            if not rows:
                unknown.append(name)
        if unknown:
            raise GraphFileError(
                f"{str(self.path)!r} has no quantum {', '.join(unknown)}; it has {len(self)}, "
                "numbered from 0"
            )
        return frozenset(found)

    def iter_quanta(self, *, label: str | None = None, chunk: int = 5000) -> Iterator[GraphQuantum]:
        """Go through all quanta, or a task's, in order, in constant memory."""
        condition = "" if label is None else f"WHERE task = {self.task(label).number}"
        numbers = [
            r[0]
            for r in self.fetch(f"SELECT quantum FROM quantum {condition} ORDER BY quantum")  # noqa: S608 - a number
        ]
        for start in range(0, len(numbers), chunk):
            yield from self.quanta(numbers[start : start + chunk])

    def quanta(self, numbers: Iterable[int]) -> list[GraphQuantum]:
        """Return quanta by number, in rising order."""
        wanted = sorted(set(numbers))
        if not wanted:
            return []
        names = self._data_id_names
        columns = ", ".join(f"i.{quoted(name)}" for name in names)
        low, high = wanted[0], wanted[-1]
        # A range can be found by the statistics of blocks; a list alone would read all of them.
        chosen = f"quantum BETWEEN {low} AND {high}"
        if high - low + 1 != len(wanted):
            chosen += " AND quantum IN (SELECT unnest(?))"
            parameters: list[Any] = [wanted]
        else:
            parameters = []
        quanta = self.fetch(
            f"SELECT q.quantum, q.task, q.id, i.data_id, i.dimensions, {columns} "  # noqa: S608 - quoted names, numbers
            f"FROM (SELECT * FROM quantum WHERE {chosen}) q JOIN data_id i USING (data_id) "
            "ORDER BY q.quantum",
            parameters,
        )
        edges = self.fetch(
            "SELECT e.quantum, e.connection, d.dataset, d.dataset_type, d.id, d.run, "  # noqa: S608 - as above
            "i.data_id, i.dimensions, "
            f"{columns} FROM (SELECT * FROM edge WHERE {chosen}) e "
            "JOIN dataset d USING (dataset) JOIN data_id i USING (data_id) "
            "ORDER BY e.quantum, e.connection, d.dataset",
            parameters,
        )
        maker = QuantumMaker(self, self._data_id_names, self._groups)
        with collection_paused():
            return maker.make(quanta, edges)

    @cached_property
    def _data_id_names(self) -> tuple[str, ...]:
        rows = self.fetch(
            "SELECT column_name FROM duckdb_columns() WHERE table_name = 'data_id' "
            "AND database_name = 'graph' ORDER BY column_index"
        )
        return tuple(row[0] for row in rows if row[0] not in ("data_id", "dimensions"))

    @cached_property
    def _groups(self) -> tuple[DimensionGroup, ...]:
        groups = json.loads(self.header["dimension_groups"])
        return tuple(self.universe.conform(names) for names in groups)

    def to_networkx(self) -> nx.DiGraph:
        """Return quanta and datasets as one bipartite graph; see `networkx_view`."""
        from pipetask.quantum_graph.networkx_view import to_networkx

        return to_networkx(self)

    def consumer_counts(self) -> Any:
        """Return how many quanta read each dataset, by its number; shape (n_datasets,), int64."""
        import numpy as np

        reads = self.connections_that(("input", "prerequisite"))
        rows = self._columns(
            "SELECT e.dataset AS d, count(*) AS n FROM edge e JOIN quantum q USING (quantum) "  # noqa: S608 - numbers
            f"WHERE {reads} GROUP BY e.dataset"
        )
        size = self.fetch("SELECT coalesce(max(dataset) + 1, 0) FROM dataset")[0][0]
        counts = np.zeros(int(size), dtype=np.int64)
        counts[rows["d"]] = rows["n"]
        return counts

    def task_numbers(self) -> Any:
        """Return the number of the task of each quantum, shape (n_quanta,), int64."""
        return self._columns("SELECT task FROM quantum ORDER BY quantum")["task"].astype("int64")

    def connections_that(self, roles: tuple[str, ...], edge: str = "") -> str:
        """Return an SQL condition for the connections of some roles.

        Parameters
        ----------
        edge
            Name of the table of edges in the statement, if there are several.
        """
        column = f"{edge}.connection" if edge else "connection"
        return (
            " OR ".join(
                f"(task = {task.number} AND {column} = {number})"
                for task in self.tasks
                for number, connection in enumerate(task.connections)
                if connection.role in roles
            )
            or "false"
        )

    def dependencies(self) -> tuple[Any, Any]:
        """Return which quantum waits for which: ``before`` and ``after``, shape (n,), int64."""
        writes = self.connections_that(("output", "metadata", "log"))
        sql = (
            "WITH e AS (SELECT e.quantum, e.connection, e.dataset, q.task "  # noqa: S608 - numbers
            "FROM edge e JOIN quantum q USING (quantum)), "
            f"w AS (SELECT dataset, quantum FROM e WHERE {writes}) "
            "SELECT DISTINCT w.quantum AS before, e.quantum AS after FROM e "
            "JOIN w USING (dataset) WHERE w.quantum <> e.quantum"
        )
        found = self._columns(sql)
        return found["before"], found["after"]
