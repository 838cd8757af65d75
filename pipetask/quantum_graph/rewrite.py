"""Makes new graph files of an existing one: a part of it, or the same for another run.

A graph file is never changed; what is made here is a new one.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pipetask.errors import GraphFileError
from pipetask.quantum_graph.file_format import make_tables, writing
from pipetask.quantum_graph.graph import QuantumGraph
from pipetask.quantum_graph.graph_digest import digest_of

_SOURCE = "source"
_NAMESPACE = uuid.UUID("5b1f0c39-77a7-5c5e-8a3e-0f6f9d2b6c41")
_OUTPUTS = ("output", "metadata", "log")


def update_run(
    graph: QuantumGraph, run: str, path: Path, facts: Mapping[str, str] | None = None
) -> QuantumGraph:
    """Write the same graph for another output run, with new ids for all that it will make.

    Parameters
    ----------
    facts
        Entries of the header that are to be others.

    Raises
    ------
    GraphFileError
        If there is a file already, or it cannot be written.
    """
    with _rewriting(graph, path) as (connection, file):
        for table in ("task", "quantum", "edge"):
            connection.execute(f"INSERT INTO {file}.{table} SELECT * FROM {_SOURCE}.{table}")  # noqa: S608 - fixed names
        connection.execute(f"CREATE TABLE {file}.data_id AS SELECT * FROM {_SOURCE}.data_id")  # noqa: S608 - fixed names
        connection.execute(
            f"INSERT INTO {file}.dataset SELECT dataset, dataset_type, data_id, "  # noqa: S608 - fixed names
            f"CASE WHEN run IS NULL THEN uuidv7() ELSE id END, run FROM {_SOURCE}.dataset "
            "ORDER BY dataset"
        )
        if graph.has_files:
            connection.execute(f"INSERT INTO {file}.file SELECT * FROM {_SOURCE}.file")  # noqa: S608 - fixed names
        _write_header(graph, connection, file, {"output_run": run, **(facts or {})})
    return QuantumGraph.open(path)


def extract(graph: QuantumGraph, numbers: Collection[int], path: Path) -> QuantumGraph:
    """Write a part of a graph, numbered anew; its run is the same.

    What the part reads and another part makes is to be there when it is run.

    Parameters
    ----------
    numbers
        Numbers of the quanta to keep.

    Raises
    ------
    GraphFileError
        If nothing is kept, there is a file already, or it cannot be written.
    """
    if not numbers:
        raise GraphFileError(f"no quantum of {str(graph.path)!r} was chosen, so {str(path)!r} is "
                             "not written")  # fmt: skip
    with _rewriting(graph, path) as (connection, file):
        _choose(connection, numbers)
        written = _written_connections(graph)
        connection.execute(f"INSERT INTO {file}.task SELECT * FROM {_SOURCE}.task")  # noqa: S608 - fixed names
        connection.execute(
            f"INSERT INTO {file}.quantum SELECT k.new, q.task, q.data_id, q.id "  # noqa: S608 - fixed names
            f"FROM {_SOURCE}.quantum q JOIN kept k USING (quantum) ORDER BY k.new"
        )
        connection.execute(
            "CREATE TABLE used AS "  # noqa: S608 - numbers and fixed names
            "SELECT dataset, row_number() OVER (ORDER BY dataset) - 1 AS new, "
            f"bool_or({written}) AS is_written FROM {_SOURCE}.edge e JOIN kept USING (quantum) "
            f"JOIN {_SOURCE}.quantum q USING (quantum) GROUP BY dataset"
        )
        connection.execute(
            f"INSERT INTO {file}.edge SELECT k.new, e.connection, u.new "  # noqa: S608 - fixed names
            f"FROM {_SOURCE}.edge e JOIN kept k USING (quantum) JOIN used u USING (dataset) "
            "ORDER BY k.new, e.connection, u.new"
        )
        connection.execute(
            f"INSERT INTO {file}.dataset SELECT u.new, d.dataset_type, d.data_id, d.id, "  # noqa: S608 - fixed names
            "CASE WHEN d.run IS NULL AND NOT u.is_written THEN ? ELSE d.run END "
            f"FROM {_SOURCE}.dataset d JOIN used u USING (dataset) ORDER BY u.new",
            [graph.output_run],
        )
        if graph.has_files:
            connection.execute(
                f"INSERT INTO {file}.file SELECT u.new, f.* EXCLUDE (dataset) "  # noqa: S608 - fixed names
                f"FROM {_SOURCE}.file f JOIN used u USING (dataset) ORDER BY u.new"
            )
        connection.execute(
            f"CREATE TABLE {file}.data_id AS SELECT * FROM {_SOURCE}.data_id WHERE data_id IN "  # noqa: S608 - fixed names
            f"(SELECT data_id FROM {file}.quantum UNION SELECT data_id FROM {file}.dataset) "
            "ORDER BY data_id"
        )
        # A quantum's number means another in each part, and what a run keeps goes by graph and
        # number; so each part has an id of its own.
        _write_header(graph, connection, file, {"graph_id": _part_id(graph, numbers)})
    return QuantumGraph.open(path)


def _part_id(graph: QuantumGraph, numbers: Collection[int]) -> str:
    """Return the id of a part, which is the same whenever it is made."""
    return str(uuid.uuid5(_NAMESPACE, f"{graph.id}/{','.join(map(str, sorted(numbers)))}"))


@contextmanager
def _rewriting(graph: QuantumGraph, path: Path) -> Iterator[tuple[Any, str]]:
    """Lend a connection with the old file and a new one, whose tables are empty."""
    import duckdb

    if path.exists():
        raise GraphFileError(f"there is a file {str(path)!r} already; give another name")
    connection = duckdb.connect(":memory:", config={"autoload_known_extensions": "false"})
    try:
        name = str(graph.path).replace("'", "''")
        connection.execute(f"ATTACH '{name}' AS {_SOURCE} (READ_ONLY, TYPE duckdb)")
        with writing(connection, path) as file:
            make_tables(connection, file)
            yield connection, file
    except duckdb.Error as error:
        said = str(error).splitlines()[0]
        raise GraphFileError(
            f"{str(path)!r} cannot be made of {str(graph.path)!r}: {said}"
        ) from error
    finally:
        connection.close()


def _choose(connection: Any, numbers: Collection[int]) -> None:
    """Make the table of the quanta kept, with their new numbers."""
    import numpy as np

    chosen = {"quantum": np.fromiter(sorted(numbers), dtype=np.int64, count=len(numbers))}
    connection.register("chosen", chosen)
    connection.execute(
        "CREATE TABLE kept AS SELECT quantum, row_number() OVER (ORDER BY quantum) - 1 AS new "
        "FROM chosen"
    )
    connection.unregister("chosen")


def _written_connections(graph: QuantumGraph) -> str:
    """Return the condition that an edge ``e`` of a quantum ``q`` is one by which it writes."""
    parts = []
    for task in graph.tasks:
        places = [str(n) for n, row in enumerate(task.connections) if row.role in _OUTPUTS]
        parts.append(f"(q.task = {task.number} AND e.connection IN ({', '.join(places)}))")
    return " OR ".join(parts)


def _write_header(
    graph: QuantumGraph, connection: Any, file: str, facts: Mapping[str, str]
) -> None:
    header = {**graph.header, **facts}
    header["digest"] = digest_of(lambda sql: connection.execute(sql).fetchall(), file)
    rows = list(header.items())
    connection.executemany(f"INSERT INTO {file}.header VALUES (?, ?)", rows)  # noqa: S608 - fixed name
