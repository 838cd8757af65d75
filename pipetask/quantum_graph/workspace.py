"""The tables of a build: an embedded DuckDB that spills to disk beyond its memory limit."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import duckdb

#: Column types by the types of `butler_core.dimensions.dimension.Column`.
_SQL_TYPES = {
    "int": "BIGINT",
    "text": "VARCHAR",
    "float": "DOUBLE",
    "bool": "BOOLEAN",
    "id": "UUID",
    "bytes": "BLOB",
}


@dataclass(frozen=True, slots=True)
class StageReport:
    """What one step of a build did."""

    stage: str
    #: What it worked on: a dataset type, an element, a task.
    subject: str
    #: Rows it read; None where it reads none.
    n_in: int | None
    n_out: int
    elapsed_s: float


class Workspace:
    """DuckDB tables by name, and the story of how they came about.

    Parameters
    ----------
    folder
        Where it spills to.
    """

    def __init__(
        self, folder: Path, *, memory_limit_mb: int = 600, n_threads: int | None = None
    ) -> None:
        import duckdb

        self.connection: duckdb.DuckDBPyConnection = duckdb.connect(":memory:")
        settings = [
            f"SET temp_directory = {_text(str(folder))}",
            f"SET memory_limit = '{memory_limit_mb}MB'",
            "SET integer_division = true",
            "SET preserve_insertion_order = false",
            "SET enable_progress_bar = false",
        ]
        if n_threads is not None:
            settings.append(f"SET threads = {n_threads}")
        for setting in settings:
            self.connection.execute(setting)
        self.reports: list[StageReport] = []

    def close(self) -> None:
        """Drop all tables."""
        self.connection.close()

    @contextmanager
    def stage(self, name: str, subject: str, n_in: int | None = None) -> Iterator[_Outcome]:
        """Time a step; it sets ``n_out`` on what it is given."""
        outcome = _Outcome()
        begin = time.perf_counter()
        yield outcome
        elapsed = time.perf_counter() - begin
        self.reports.append(StageReport(name, subject, n_in, outcome.n_out, elapsed))

    def run(self, sql: str, parameters: Sequence[Any] = ()) -> None:
        """Run a statement."""
        self.connection.execute(sql, list(parameters))

    def rows(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Return the rows of a query."""
        found: list[tuple[Any, ...]] = self.connection.execute(sql, list(parameters)).fetchall()
        return found

    def columns(self, sql: str) -> dict[str, Any]:
        """Return the rows of a query as numpy arrays by column."""
        return dict(self.connection.execute(sql).fetchnumpy())

    def count(self, table: str) -> int:
        """Return how many rows a table has."""
        return int(self.rows(f"SELECT count(*) FROM {quoted(table)}")[0][0])  # noqa: S608 - quoted

    def count_in(self, file: str, table: str) -> int:
        """Return how many rows a table of an attached file has."""
        return int(self.rows(f"SELECT count(*) FROM {file}.{table}")[0][0])  # noqa: S608 - fixed names

    def drop(self, table: str) -> None:
        """Drop a table that is needed no more, so that the others may have its memory."""
        self.run(f"DROP TABLE IF EXISTS {quoted(table)}")

    def has(self, table: str) -> bool:
        """Return whether there is a table of this name."""
        sql = "SELECT 1 FROM duckdb_tables() WHERE table_name = ?"
        return bool(self.rows(sql, [table]))

    def names(self, table: str) -> list[str]:
        """Return the names of a table's columns."""
        sql = "SELECT column_name FROM duckdb_columns() WHERE table_name = ?"
        return [row[0] for row in self.rows(sql, [table])]

    def create(self, table: str, select: str, parameters: Sequence[Any] = ()) -> int:
        """Make a table of a query's rows and return how many there are."""
        self.run(f"CREATE OR REPLACE TABLE {quoted(table)} AS {select}", parameters)
        return self.count(table)

    def load(
        self, table: str, columns: Mapping[str, Sequence[Any]], types: Mapping[str, str]
    ) -> int:
        """Make a table of columns and return how many rows it has.

        Parameters
        ----------
        types
            For each column ``int``, ``text``, ``float``, ``bool``, ``bytes``,
            or ``id`` for 16-byte ids.
        """
        return self.load_pages(table, iter([columns]), {name: types[name] for name in columns})

    def load_pages(
        self,
        table: str,
        pages: Iterable[Mapping[str, Sequence[Any]]],
        types: Mapping[str, str],
    ) -> int:
        """Make a table of columns that come page by page; see `load`.

        Parameters
        ----------
        types
            Of the columns that every page has, in the table's order.
        """
        columns = ", ".join(f"{quoted(n)} {_SQL_TYPES[kind]}" for n, kind in types.items())
        self.run(f"CREATE OR REPLACE TABLE {quoted(table)} ({columns})")
        for page in pages:
            self._append(table, page, types)
        return self.count(table)

    def _append(
        self, table: str, columns: Mapping[str, Sequence[Any]], types: Mapping[str, str]
    ) -> None:
        arrays: dict[str, Any] = {}
        selected = []
        for i, (name, kind) in enumerate(types.items()):
            if kind == "id":
                arrays[f"hi{i}"], arrays[f"lo{i}"] = _split_ids(columns[name])
                selected.append(f"((hi{i}::UHUGEINT << 64) | lo{i}::UHUGEINT)::UUID")
            else:
                arrays[f"c{i}"] = _array(columns[name], kind)
                selected.append(f"c{i}::{_SQL_TYPES[kind]}")
        self.connection.register("_incoming", arrays)
        try:
            self.run(f"INSERT INTO {quoted(table)} SELECT {', '.join(selected)} FROM _incoming")  # noqa: S608 - quoted
        finally:
            self.connection.unregister("_incoming")


class _Outcome:
    """What a stage says of itself."""

    n_out: int = 0


def quoted(name: str) -> str:
    """Return a name as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def listed(names: Sequence[str], table: str | None = None) -> str:
    """Return names as an SQL list, each of a table if one is given."""
    prefix = f"{quoted(table)}." if table else ""
    return ", ".join(f"{prefix}{quoted(name)}" for name in names)


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def _array(values: Sequence[Any], type_: str) -> Any:
    import numpy as np

    if type_ == "int" and None not in values:
        return np.asarray(values, dtype=np.int64)
    array = np.empty(len(values), dtype=object)
    array[:] = values
    return array


def _split_ids(values: Sequence[bytes]) -> tuple[Any, Any]:
    """Return the upper and lower 8 bytes of 16-byte ids, shape (n,), uint64."""
    import numpy as np

    halves = np.frombuffer(b"".join(values), dtype=">u8").reshape(-1, 2)
    return halves[:, 0].astype(np.uint64), halves[:, 1].astype(np.uint64)
