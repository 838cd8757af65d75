"""Stages *identify* and *freeze*: numbers and ids for everything, into the file."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from butler_core.datasets.dataset_type import DatasetType
from butler_core.dimensions.group import DimensionGroup
from butler_core.dimensions.universe import DimensionUniverse
from butler_core.repository.expansion import expand_columns
from pipetask.pipeline_graph.nodes import TaskNode
from pipetask.quantum_graph.connection_row import connection_rows
from pipetask.quantum_graph.file_format import FORMAT_VERSION, writing
from pipetask.quantum_graph.id_spaces import IdSpaces
from pipetask.quantum_graph.prune import Pruner, quanta_table, state_table
from pipetask.quantum_graph.request import BuildRequest
from pipetask.quantum_graph.workspace import Workspace, listed, quoted


@dataclass
class Freezer:
    """Numbers what is left after pruning, and writes it."""

    workspace: Workspace
    request: BuildRequest
    spaces: IdSpaces
    pruner: Pruner
    _offsets: dict[DimensionGroup, int] = field(default_factory=dict)
    _groups: list[DimensionGroup] = field(default_factory=list)
    _next_data_id: int = 0
    _dataset_types: list[str] = field(default_factory=list)

    def freeze(self, path: Path, facts: dict[str, str]) -> None:
        """Write the graph to a file.

        Parameters
        ----------
        facts
            Further entries of the header.
        """
        with self.workspace.stage("identify", "quanta") as outcome:
            outcome.n_out = self._number_quanta()
        with self.workspace.stage("identify", "datasets") as outcome:
            outcome.n_out = self._number_datasets()
        with self.workspace.stage("identify", "edges") as outcome:
            outcome.n_out = self._make_edges()
        with self.workspace.stage("freeze", path.name) as outcome:
            self._make_data_ids()
            header = self._header(facts)
            with writing(self.workspace.connection, path) as file:
                self._write(file, header)
            outcome.n_out = sum(
                map(self.workspace.count, ("quantum", "dataset", "edge", "data_id"))
            )

    # -------------------------------------------------------------- numbering
    def _offset(self, group: DimensionGroup) -> int:
        """Return the number of a group's first data ID."""
        if group not in self._offsets:
            self._groups.append(group)
            self._offsets[group] = self._next_data_id
            self._next_data_id += self.workspace.count(f"ids_{self.spaces.number(group)}")
        return self._offsets[group]

    def _number_quanta(self) -> int:
        base = 0
        parts = []
        for number, node in enumerate(self.request.pipeline.tasks):
            table = f"numbered_{node.label}"
            count = self.workspace.create(
                table,
                f"SELECT i, {base} + row_number() OVER (ORDER BY i) - 1 AS quantum "  # noqa: S608 - quoted
                f"FROM {quoted(quanta_table(node.label))}",
            )
            offset = self._offset(self.request.pipeline.task_dimensions(node.label))
            parts.append(
                f"SELECT quantum, {number}::SMALLINT AS task, {offset} + i AS data_id "  # noqa: S608 - quoted
                f"FROM {quoted(table)}"
            )
            base += count
        return self.workspace.create("quantum", " UNION ALL ".join(parts))

    def _number_datasets(self) -> int:
        pipeline = self.request.pipeline
        base = 0
        parts: list[str] = []
        for name in (*pipeline.overall_inputs, *pipeline.outputs):
            dataset_type = pipeline.dataset_types[name]
            offset = self._offset(dataset_type.dimensions)
            base += self._number_type(name, f"{offset} + i", quoted(state_table(name)), base, parts)
        for name in self._prerequisite_types():
            table = self._collect_prerequisites(name)
            offset = self._next_data_id
            count = self._number_type(name, f"{offset} + i", table, base, parts)
            self._next_data_id += self.workspace.count(table)
            base += count
        return self.workspace.create("dataset", " UNION ALL ".join(parts) or _NO_DATASETS)

    def _number_type(
        self, name: str, data_id: str, source: str, base: int, parts: list[str]
    ) -> int:
        number = len(self._dataset_types)
        self._dataset_types.append(name)
        table = f"numbered_type_{name}"
        count = self.workspace.create(
            table,
            f"SELECT i, id, run, {base} + row_number() OVER (ORDER BY i) - 1 AS dataset FROM "  # noqa: S608 - quoted
            f"{source}",
        )
        parts.append(
            f"SELECT dataset, {number}::SMALLINT AS dataset_type, {data_id} AS data_id, id, run "  # noqa: S608 - quoted
            f"FROM {quoted(table)}"
        )
        return count

    def _prerequisite_types(self) -> list[str]:
        names = {edge.dataset_type_name for edge in self.request.pipeline.prerequisites}
        return sorted(names)

    def _prerequisite_tables(self, name: str) -> list[str]:
        return [
            self.pruner.prerequisite_edges[edge.task_label, edge.connection_name]
            for edge in self.request.pipeline.prerequisites
            if edge.dataset_type_name == name
        ]

    def _collect_prerequisites(self, name: str) -> str:
        """Make a table of the distinct prerequisites of a type, ordered, and return its name."""
        every = " UNION ALL ".join(
            f"SELECT id, run FROM {quoted(table)}"  # noqa: S608 - quoted
            for table in self._prerequisite_tables(name)
        )
        found = f"SELECT DISTINCT id, run FROM ({every})"  # noqa: S608 - quoted
        table = quoted(f"prerequisite_{name}")
        names = self.request.pipeline.dataset_types[name].dimensions.required
        asked = f"asked_{name}"
        if not self.workspace.rows("SELECT 1 FROM duckdb_tables() WHERE table_name = ?", [asked]):
            self._load_data_ids_of(name, found, asked)
        order = listed([*names, "id"], "d")
        columns = listed(names, "d") + ", " if names else ""
        self.workspace.run(
            f"CREATE TABLE {table} AS SELECT row_number() OVER (ORDER BY {order}) - 1 AS i, "  # noqa: S608 - quoted
            f"{columns}"
            f"f.id, f.run FROM ({found}) f "
            f"JOIN (SELECT DISTINCT {columns}d.id FROM {quoted(asked)} d) d ON d.id = f.id"
        )
        return f"prerequisite_{name}"

    def _load_data_ids_of(self, name: str, found: str, table: str) -> None:
        """Load the data IDs of datasets that a task's own function found."""
        registry = self.request.repository.registry
        ids = [row[0].bytes for row in self.workspace.rows(f"SELECT DISTINCT id FROM ({found})")]  # noqa: S608 - quoted
        refs = [ref for ref, _ in registry.datasets.find_ids(ids).values()]
        group = self.request.pipeline.dataset_types[name].dimensions
        columns: dict[str, list[Any]] = {
            n: [ref.data_id[n] for ref in refs] for n in group.required
        }
        types = {n: _key_type(group, n) for n in group.required}
        columns["id"] = [ref.id.bytes for ref in refs]
        self.workspace.load(table, columns, types | {"id": "id"})

    # ------------------------------------------------------------------ edges
    def _make_edges(self) -> int:
        parts = []
        for node in self.request.pipeline.tasks:
            group = self.request.pipeline.task_dimensions(node.label)
            quanta = quoted(f"numbered_{node.label}")
            for number, row in enumerate(connection_rows(node)):
                datasets = quoted(f"numbered_type_{row.dataset_type}")
                if row.role == "prerequisite":
                    edges = quoted(self.pruner.prerequisite_edges[node.label, row.name])
                    meet = f"JOIN {edges} e ON e.i = q.i JOIN {datasets} d ON d.id = e.id"
                else:
                    other = self.request.pipeline.dataset_types[row.dataset_type].dimensions
                    table = self.spaces.mapping(group, other, node.label)
                    meet = (
                        f"JOIN {datasets} d ON d.i = q.i"
                        if table is None
                        else f"JOIN {table} m ON m.a = q.i JOIN {datasets} d ON d.i = m.b"
                    )
                parts.append(
                    f"SELECT q.quantum, {number}::SMALLINT AS connection, d.dataset "  # noqa: S608 - quoted
                    f"FROM {quanta} q {meet}"
                )
        count = self.workspace.create("edge", " UNION ALL ".join(parts))
        self._drop_unused()
        return count

    def _drop_unused(self) -> None:
        """Drop datasets that exist and that no quantum reads."""
        self.workspace.run(
            "DELETE FROM dataset WHERE id IS NOT NULL AND dataset NOT IN (SELECT dataset FROM edge)"
        )

    # --------------------------------------------------------------- data IDs
    def _make_data_ids(self) -> None:
        """Make the table of all data IDs used, each with all that is known of it."""
        self.workspace.run(
            "CREATE TABLE used AS SELECT data_id FROM quantum UNION SELECT data_id FROM dataset"
        )
        names = self._data_id_columns()
        parts = []
        for number, group in enumerate(self._groups):
            have = (*group.names, *self.spaces.fields_of(group))
            parts.append(
                self._data_id_part(
                    names, have, number, self.spaces.full(group), self._offsets[group]
                )
            )
        offset = sum(
            self.workspace.count(f"ids_{self.spaces.number(group)}") for group in self._groups
        )
        for name in self._prerequisite_types():
            table = self._full_prerequisites(name)
            group = self.request.pipeline.dataset_types[name].dimensions
            if group not in self._groups:
                self._groups.append(group)
            parts.append(
                self._data_id_part(names, group.names, self._groups.index(group), table, offset)
            )
            offset += self.workspace.count(f"prerequisite_{name}")
        self.workspace.create("data_id", " UNION ALL BY NAME ".join(parts))

    def _data_id_columns(self) -> dict[str, str]:
        """Return all columns that some data ID has: dimensions and record fields, by SQL type."""
        universe = self.request.repository.registry.universe
        names: dict[str, str] = {}
        types = [self.request.pipeline.dataset_types[n] for n in self._dataset_types]
        groups = [*self._groups, *(dataset_type.dimensions for dataset_type in types)]
        for group in groups:
            for name in group.names:
                names[name] = "BIGINT" if _key_type(group, name) == "int" else "VARCHAR"
            for path in self.spaces.fields_of(group):
                element, _, column = path.partition(".")
                kind = universe[element].fields[column].type
                names[path] = {"int": "BIGINT", "text": "VARCHAR", "float": "DOUBLE"}.get(
                    kind, "VARCHAR"
                )
        return names

    def _data_id_part(
        self,
        names: dict[str, str],
        have: tuple[str, ...],
        number: int,
        table: str,
        offset: int,
    ) -> str:
        columns = [
            f"{quoted(n)}::{type_} AS {quoted(n)}" if n in have else f"NULL::{type_} AS {quoted(n)}"
            for n, type_ in names.items()
        ]
        listed_columns = "".join(f", {column}" for column in columns)
        return (
            f"SELECT {offset} + t.i AS data_id, {number}::SMALLINT AS dimensions{listed_columns} "  # noqa: S608 - quoted
            f"FROM {quoted(table)} t WHERE {offset} + t.i IN (SELECT data_id FROM used)"
        )

    def _full_prerequisites(self, name: str) -> str:
        """Return the name of a table of prerequisites' data IDs with implied values."""
        dataset_type: DatasetType = self.request.pipeline.dataset_types[name]
        group = dataset_type.dimensions
        source = f"prerequisite_{name}"
        if not group.implied:
            return source
        rows = self.workspace.rows(
            f"SELECT i, {listed(group.required)} FROM {quoted(source)} ORDER BY i"  # noqa: S608 - quoted
        )
        if not rows:
            table = f"{source}_full"
            empty = ", ".join(
                f"NULL::{'BIGINT' if _key_type(group, n) == 'int' else 'VARCHAR'} AS {quoted(n)}"
                for n in group.names
            )
            self.workspace.create(table, f"SELECT 0::BIGINT AS i, {empty} LIMIT 0")
            return table
        numbers, *values = (list(column) for column in zip(*rows, strict=True))
        columns = expand_columns(
            self.request.repository.registry, group, dict(zip(group.required, values, strict=True))
        )
        types = {n: _key_type(group, n) for n in group.names} | {"i": "int"}
        self.workspace.load(f"{source}_full", {"i": numbers, **columns}, types)
        return f"{source}_full"

    # ------------------------------------------------------------------ file
    def _header(self, facts: dict[str, str]) -> dict[str, str]:
        pipeline = self.request.pipeline
        universe = self.request.repository.registry.universe
        types = [
            {
                "name": name,
                "dimensions": list(pipeline.dataset_types[name].dimensions.required),
                "storage_class": pipeline.dataset_types[name].storage_class,
                "is_calibration": pipeline.dataset_types[name].is_calibration,
            }
            for name in self._dataset_types
        ]
        return {
            "format_version": str(FORMAT_VERSION),
            "output_run": self.request.output_run,
            "input_collections": json.dumps(self.request.input_collections),
            "where": self.request.where,
            "universe": json.dumps({"namespace": universe.namespace, "version": universe.version}),
            **_universe_config(universe),
            "dataset_types": json.dumps(types),
            "dimension_groups": json.dumps([list(group.required) for group in self._groups]),
            "record_fields": json.dumps([n for n in self._data_id_columns() if "." in n]),
            "pipeline": pipeline.graph.pipeline.to_yaml(),
            "digest": self._digest(),
            **facts,
        }

    def _digest(self) -> str:
        """Return a digest of data IDs, quanta and edges, whatever ids were given."""
        sums: list[tuple[Any, ...]] = []
        for table, row in (
            ("quantum", "quantum, task, data_id"),
            ("dataset", "dataset, dataset_type, data_id, run"),
            ("edge", "quantum, connection, dataset"),
            ("data_id", "t"),
        ):
            # Exclusive or: the order in which threads come to rows does not matter.
            sums += self.workspace.rows(f"SELECT count(*), bit_xor(hash({row})) FROM {table} t")  # noqa: S608 - fixed names
        return "".join(f"{int(value or 0):016x}" for row in sums for value in row)

    def _write(self, file: str, header: dict[str, str]) -> None:
        workspace = self.workspace
        workspace.run(f"CREATE TABLE {file}.header (name VARCHAR, value VARCHAR)")
        rows = list(header.items())
        workspace.connection.executemany(f"INSERT INTO {file}.header VALUES (?, ?)", rows)  # noqa: S608 - fixed name
        workspace.run(
            f"CREATE TABLE {file}.task (task SMALLINT, label VARCHAR, class_name VARCHAR, "
            "dimensions VARCHAR, config VARCHAR, connections VARCHAR)"
        )
        for number, node in enumerate(self.request.pipeline.tasks):
            workspace.run(
                f"INSERT INTO {file}.task VALUES (?, ?, ?, ?, ?, ?)",  # noqa: S608 - fixed name
                self._task_row(number, node),
            )
        for table, columns in (
            ("quantum", "quantum, task, data_id, uuidv7() AS id"),
            ("dataset", "dataset, dataset_type, data_id, coalesce(id, uuidv7()) AS id, run"),
            ("edge", "quantum, connection, dataset"),
            ("data_id", "*"),
        ):
            order = "quantum, connection, dataset" if table == "edge" else table
            workspace.run(
                f"CREATE TABLE {file}.{table} AS SELECT {columns} FROM {table} ORDER BY {order}"  # noqa: S608 - fixed names
            )

    def _task_row(self, number: int, node: TaskNode) -> list[Any]:
        group = self.request.pipeline.task_dimensions(node.label)
        return [
            number,
            node.label,
            node.class_name,
            json.dumps(list(group.required)),
            node.config.to_yaml(),
            json.dumps([vars(row) for row in connection_rows(node)]),
        ]


def _universe_config(universe: DimensionUniverse) -> dict[str, str]:
    """Return the header's entry for a universe that does not come with the package."""
    if universe.config == DimensionUniverse.default().config:
        return {}
    return {"universe_config": json.dumps(universe.config)}


_NO_DATASETS = (
    "SELECT 0::BIGINT AS dataset, 0::SMALLINT AS dataset_type, 0::BIGINT AS data_id, "
    "NULL::UUID AS id, NULL::VARCHAR AS run LIMIT 0"
)


def _key_type(group: DimensionGroup, name: str) -> str:
    key = group.universe[name].key
    assert key is not None
    return key.type
