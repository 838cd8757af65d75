"""Stages *identify* and *freeze*: numbers and ids for everything, into the file."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from butler_core.datasets.dataset_type import DatasetType
from butler_core.dimensions.group import DimensionGroup
from butler_core.dimensions.universe import DimensionUniverse
from butler_core.queries.expansion import expand_columns
from pipetask.pipeline_graph.nodes import TaskNode
from pipetask.quantum_graph.connection_row import ConnectionRow, connection_rows
from pipetask.quantum_graph.file_format import FORMAT_VERSION, make_tables, writing
from pipetask.quantum_graph.graph_digest import digest_of
from pipetask.quantum_graph.id_spaces import IdSpaces
from pipetask.quantum_graph.input_files import write_files
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
        workspace = self.workspace
        labels = [node.label for node in self.request.pipeline.tasks]
        n_quanta = sum(workspace.count(quanta_table(label)) for label in labels)
        with workspace.stage("identify", "quanta", n_quanta) as outcome:
            outcome.n_out = self._number_quanta()
        with workspace.stage("identify", "datasets", self._n_states()) as outcome:
            n_datasets = outcome.n_out = self._number_datasets()
        with writing(workspace.connection, path) as file:
            make_tables(workspace.connection, file)
            with workspace.stage("freeze", "edges", n_quanta) as outcome:
                self._write_edges(file)
                outcome.n_out = workspace.count_in(file, "edge")
            with workspace.stage("freeze", "datasets", n_datasets) as outcome:
                self._write_datasets(file)
                if self.request.with_files:
                    write_files(workspace, self.request.repository.registry, file)
                outcome.n_out = workspace.count_in(file, "dataset")
            with workspace.stage("freeze", "quanta and data IDs", n_quanta) as outcome:
                self._write_quanta(file)
                self._write_data_ids(file)
                outcome.n_out = workspace.count_in(file, "data_id")
            self._write_header(file, facts)

    def _n_states(self) -> int:
        """Return how many datasets there are to be numbered."""
        pipeline = self.request.pipeline
        names = (*pipeline.overall_inputs, *pipeline.outputs)
        return sum(self.workspace.count(state_table(name)) for name in names)

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
        for name in (*pipeline.overall_inputs, *pipeline.outputs):
            offset = self._offset(pipeline.dataset_types[name].dimensions)
            base += self._number_type(name, offset, state_table(name), base)
            self.workspace.drop(state_table(name))
        for name in self._prerequisite_types():
            table = self._collect_prerequisites(name)
            base += self._number_type(name, self._next_data_id, table, base)
            self._next_data_id += self.workspace.count(table)
        return base

    def _number_type(self, name: str, offset: int, source: str, base: int) -> int:
        self._dataset_types.append(name)
        return self.workspace.create(
            f"numbered_type_{name}",
            f"SELECT i, id, run, {offset} + i AS data_id, "  # noqa: S608 - quoted
            f"{base} + row_number() OVER (ORDER BY i) - 1 AS dataset FROM {quoted(source)}",
        )

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
    def _write_edges(self, file: str) -> None:
        """Write the edges task by task, which is in the order of their quanta."""
        for node in self.request.pipeline.tasks:
            parts = [
                self._edges_of(node, number, row)
                for number, row in enumerate(connection_rows(node))
            ]
            if parts:
                self.workspace.run(
                    f"INSERT INTO {file}.edge {' UNION ALL '.join(parts)} "
                    "ORDER BY quantum, connection, dataset"
                )

    def _edges_of(self, node: TaskNode, number: int, row: ConnectionRow) -> str:
        group = self.request.pipeline.task_dimensions(node.label)
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
        return (
            f"SELECT q.quantum, {number}::SMALLINT AS connection, d.dataset "  # noqa: S608 - quoted
            f"FROM {quoted(f'numbered_{node.label}')} q {meet}"
        )

    def _write_datasets(self, file: str) -> None:
        """Write the datasets type by type; those that exist and that nothing reads are left out."""
        for number, name in enumerate(self._dataset_types):
            table = f"numbered_type_{name}"
            self.workspace.run(
                f"INSERT INTO {file}.dataset SELECT dataset, {number}::SMALLINT, data_id, "  # noqa: S608 - quoted
                f"coalesce(id, uuidv7()), run FROM {quoted(table)} "
                f"WHERE id IS NULL OR dataset IN (SELECT dataset FROM {file}.edge) "
                "ORDER BY dataset"
            )
            self.workspace.drop(table)

    def _write_quanta(self, file: str) -> None:
        self.workspace.run(
            f"INSERT INTO {file}.quantum SELECT quantum, task, data_id, uuidv7() FROM quantum "  # noqa: S608 - fixed names
            "ORDER BY quantum"
        )

    # --------------------------------------------------------------- data IDs
    def _write_data_ids(self, file: str) -> None:
        """Write all data IDs used, each with all that is known of it."""
        self.workspace.run(
            f"CREATE TABLE used AS SELECT data_id FROM {file}.quantum "  # noqa: S608 - fixed names
            f"UNION SELECT data_id FROM {file}.dataset"
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
        every = " UNION ALL BY NAME ".join(parts)
        self.workspace.run(
            f"CREATE TABLE {file}.data_id AS SELECT * FROM ({every}) ORDER BY data_id"  # noqa: S608 - quoted
        )

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
    def _header(self, file: str, facts: dict[str, str]) -> dict[str, str]:
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
            "has_files": str(self.request.with_files).lower(),
            "digest": digest_of(self.workspace.rows, file),
            **facts,
        }

    def _write_header(self, file: str, facts: dict[str, str]) -> None:
        insert = self.workspace.connection.executemany
        rows = [
            self._task_row(number, node) for number, node in enumerate(self.request.pipeline.tasks)
        ]
        insert(f"INSERT INTO {file}.task VALUES (?, ?, ?, ?, ?, ?)", rows)  # noqa: S608 - fixed name
        header = list(self._header(file, facts).items())
        insert(f"INSERT INTO {file}.header VALUES (?, ?)", header)  # noqa: S608 - fixed name

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


def _key_type(group: DimensionGroup, name: str) -> str:
    key = group.universe[name].key
    assert key is not None
    return key.type
