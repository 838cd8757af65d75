"""Every table of the registry, on one page.

Tables that all repositories have are made once; each dimension element has a
table of its own, and each dimension group that some dataset type uses has
three (datasets, tags, calibrations). Integer keys join everything; a
dataset's UUID is indexed once.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from butler_core.dimensions.dimension import Column, DimensionElement
from butler_core.dimensions.group import DimensionGroup
from butler_core.dimensions.universe import DimensionUniverse
from butler_core.registry.column_types import DatasetIdColumn

#: Version of the tables below; a program opens those of its own version.
SCHEMA_VERSION = 2

#: Dataset keys of the group with key g lie from g << GROUP_SHIFT on, so that a key tells its group.
GROUP_SHIFT = 44

#: Text of any length, compared byte by byte, as SQLite does.
_TEXT = sa.Text().with_variant(postgresql.TEXT(collation="C"), "postgresql")

_TYPES: dict[str, Any] = {
    "int": sa.BigInteger,
    "float": sa.Double,
    "bool": sa.Boolean,
}


#: SQLite numbers rows by itself only where the key is an INTEGER.
_KEY = sa.BigInteger().with_variant(sa.Integer, "sqlite")


@dataclass(frozen=True, slots=True)
class DatasetTables:
    """The three tables of one dimension group."""

    #: One row per dataset: key, id, type, run, required values.
    dataset: sa.Table
    #: One row per dataset in a TAGGED collection.
    tag: sa.Table
    #: One row per dataset and validity range in a CALIBRATION collection.
    calibration: sa.Table


class Schema:
    """The tables of one repository; makes SQLAlchemy objects, runs nothing."""

    def __init__(self, universe: DimensionUniverse) -> None:
        self.universe = universe
        self.metadata = sa.MetaData()
        self._make_collection_tables()
        self._make_dataset_tables()
        self.elements = {
            element.name: self._element_table(element) for element in universe.stored_elements
        }
        self.overlaps = {
            element.name: self._overlap_table(element)
            for element in universe.stored_elements
            if element.has_region
        }
        self._groups: dict[int, tuple[DimensionGroup, DatasetTables]] = {}
        self._lock = threading.Lock()

    def _make_collection_tables(self) -> None:
        self.attribute = self._table(
            "repository_attribute",
            sa.Column("name", _text(), primary_key=True),
            sa.Column("value", sa.Text, nullable=False),
        )
        self.collection = self._table(
            "collection",
            sa.Column("collection_id", _KEY, primary_key=True),
            sa.Column("name", _text(512), nullable=False, unique=True),
            sa.Column("type", sa.SmallInteger, nullable=False),
            sa.Column("doc", sa.Text, nullable=False, server_default=""),
            sqlite_autoincrement=True,  # a process may still remember a collection that is gone
        )
        self.collection_chain = self._table(
            "collection_chain",
            _reference("parent_id", "collection.collection_id", primary_key=True, cascade=True),
            sa.Column("position", sa.Integer, primary_key=True),
            _reference("child_id", "collection.collection_id", index=True),
        )

    def _make_dataset_tables(self) -> None:
        self.dimension_group = self._table(
            "dimension_group",
            sa.Column("group_id", sa.Integer, primary_key=True),
            sa.Column("dimensions", _TEXT, nullable=False, unique=True),
            # Keys are never given twice: a reader may still hold one of a dataset that is gone.
            sa.Column("n_keys_given", sa.BigInteger, nullable=False, server_default="0"),
        )
        self.dataset_type = self._table(
            "dataset_type",
            sa.Column("dataset_type_id", sa.Integer, primary_key=True),
            sa.Column("name", _text(128), nullable=False, unique=True),
            sa.Column("storage_class", _text(128), nullable=False),
            sa.Column("is_calibration", sa.Boolean, nullable=False),
            _reference("group_id", "dimension_group.group_id", type_=sa.Integer),
            sqlite_autoincrement=True,  # a process may still remember a type that is gone
        )
        self.file_record = self._table(
            "file_record",
            sa.Column("dataset_key", sa.BigInteger, primary_key=True, autoincrement=False),
            sa.Column("component", _text(64), primary_key=True, server_default=""),
            sa.Column("path", _TEXT, nullable=False),
            sa.Column("formatter", _TEXT, nullable=False),
            sa.Column("storage_class", _text(128), nullable=False),
            sa.Column("size", sa.BigInteger),
            sa.Column("checksum", _text(128)),
            sa.Column("is_shared", sa.Boolean, nullable=False, server_default=sa.false()),
            sqlite_with_rowid=False,
        )

    def _table(self, name: str, *parts: Any, **options: Any) -> sa.Table:
        return sa.Table(name, self.metadata, *parts, **options)

    # ------------------------------------------------------------- elements
    def _element_table(self, element: DimensionElement) -> sa.Table:
        parts: list[Any] = [
            sa.Column(name, _type(column), primary_key=name in element.key_columns,
                      nullable=column.is_nullable, autoincrement=False)
            for name, column in element.fields.items()
        ]  # fmt: skip
        if element.has_region:
            parts.append(sa.Column("region", sa.LargeBinary))
        if element.has_timespan:
            parts += [sa.Column("begin_ns", sa.BigInteger), sa.Column("end_ns", sa.BigInteger)]
        for other in self._foreign_elements(element):
            parts.append(_foreign_key(element, other))
        for alternate in element.alternate_keys:
            parent = [
                c for c in element.key_columns if element.key is None or c != element.key.name
            ]
            parts.append(sa.UniqueConstraint(*parent, alternate))
        return self._table(element.name, *parts, sqlite_with_rowid=False)

    def _foreign_elements(self, element: DimensionElement) -> list[DimensionElement]:
        """Return the elements whose rows this one's rows refer to, the nearest only."""
        names = [*element.implied, *(name for name in element.required if name != element.name)]
        others = [self.universe[name] for name in names if self.universe[name].has_table]
        covered = {part for other in others for part in other.required if part != other.name}
        return [other for other in others if other.name not in covered]

    def _overlap_table(self, element: DimensionElement) -> sa.Table:
        table = self.elements[element.name]
        keys = element.key_columns
        columns = [
            sa.Column(name, table.c[name].type, primary_key=True, autoincrement=False)
            for name in keys
        ]
        return self._table(
            f"{element.name}_{self.universe.common_skypix}_overlap",
            *columns,
            sa.Column("pixel", sa.BigInteger, primary_key=True, autoincrement=False),
            sa.ForeignKeyConstraint(
                keys, [f"{element.name}.{name}" for name in keys], ondelete="CASCADE"
            ),
            sa.Index(f"ix_{element.name}_overlap_pixel", "pixel"),
            sqlite_with_rowid=False,
        )

    # --------------------------------------------------------------- groups
    def dataset_tables(self, group_id: int, group: DimensionGroup) -> DatasetTables:
        """Return the three tables of a dimension group, made on first use.

        A key whose registration was undone may come to mean another group: what
        was made for the first is then made anew.
        """
        with self._lock:
            known, tables = self._groups.get(group_id, (None, None))
            if tables is not None and known == group:
                return tables
            if tables is not None:
                for table in (tables.calibration, tables.tag, tables.dataset):
                    self.metadata.remove(table)
            tables = DatasetTables(
                dataset=self._dataset_table(group_id, group),
                tag=self._tag_table(group_id, group),
                calibration=self._calibration_table(group_id, group),
            )
            self._groups[group_id] = (group, tables)
            return tables

    def _dataset_table(self, group_id: int, group: DimensionGroup) -> sa.Table:
        return self._table(
            f"dataset_{group_id}",
            sa.Column("dataset_key", _KEY, _key_counter(group_id), primary_key=True,
                      autoincrement=False),
            sa.Column("id", DatasetIdColumn, nullable=False, unique=True),
            _reference("dataset_type_id", "dataset_type.dataset_type_id", type_=sa.Integer),
            _reference("run_id", "collection.collection_id"),
            sa.Column("ingest_ns", sa.BigInteger, nullable=False),  # TAI [ns since 1970]
            *self._data_id_columns(group),
            *self._data_id_keys(group),
            sa.UniqueConstraint("dataset_type_id", "run_id", *group.required),
        )  # fmt: skip

    def _tag_table(self, group_id: int, group: DimensionGroup) -> sa.Table:
        return self._table(
            f"tag_{group_id}",
            _reference("dataset_type_id", "dataset_type.dataset_type_id", type_=sa.Integer),
            _reference("collection_id", "collection.collection_id", cascade=True),
            *self._data_id_columns(group),
            _reference("dataset_key", f"dataset_{group_id}.dataset_key", index=True, cascade=True),
            sa.UniqueConstraint("dataset_type_id", "collection_id", *group.required),
        )

    def _calibration_table(self, group_id: int, group: DimensionGroup) -> sa.Table:
        return self._table(
            f"calibration_{group_id}",
            sa.Column("calibration_id", _KEY, primary_key=True),
            _reference("dataset_type_id", "dataset_type.dataset_type_id", type_=sa.Integer),
            _reference("collection_id", "collection.collection_id", cascade=True),
            *self._data_id_columns(group),
            _reference("dataset_key", f"dataset_{group_id}.dataset_key", index=True, cascade=True),
            sa.Column("begin_ns", sa.BigInteger, nullable=False),
            sa.Column("end_ns", sa.BigInteger, nullable=False),
            sa.Index(
                f"ix_calibration_{group_id}",
                "dataset_type_id", "collection_id", *group.required, "begin_ns",
            ),
        )  # fmt: skip

    def _data_id_columns(self, group: DimensionGroup) -> list[sa.Column[Any]]:
        keys = [(name, group.universe[name].key) for name in group.required]
        return [
            sa.Column(name, _type(key), nullable=False) for name, key in keys if key is not None
        ]

    def _data_id_keys(self, group: DimensionGroup) -> list[sa.ForeignKeyConstraint]:
        elements = [group.universe[name] for name in group.required]
        stored = [element for element in elements if element.has_table]
        covered = {part for element in stored for part in element.required if part != element.name}
        return [
            sa.ForeignKeyConstraint(
                element.required, [f"{element.name}.{name}" for name in element.key_columns]
            )
            for element in stored
            if element.name not in covered
        ]


def key_sequence(group_id: int) -> str:
    """Return the name of the sequence that gives a group's keys, where a database has such."""
    return f"dataset_{group_id}_keys"


def _key_counter(group_id: int) -> sa.Sequence:
    return sa.Sequence(key_sequence(group_id), start=(group_id << GROUP_SHIFT) + 1, cache=1)


def _text(length: int | None = None) -> Any:
    """Return the type of text of a bounded length, compared byte by byte, as SQLite does."""
    return sa.String(length).with_variant(postgresql.VARCHAR(length, collation="C"), "postgresql")


def _type(column: Column) -> Any:
    if column.type == "text":
        return _text(column.length)
    if column.type == "bytes":
        return sa.LargeBinary(column.length)
    return _TYPES[column.type]()


def _reference(
    name: str,
    target: str,
    *,
    type_: Any = sa.BigInteger,
    cascade: bool = False,
    primary_key: bool = False,
    index: bool = False,
) -> sa.Column[Any]:
    key = sa.ForeignKey(target, ondelete="CASCADE" if cascade else None)
    return sa.Column(
        name, type_, key, nullable=False, primary_key=primary_key, index=index, autoincrement=False
    )


def _foreign_key(element: DimensionElement, other: DimensionElement) -> sa.ForeignKeyConstraint:
    ours = [element.column_of(name) for name in other.required]
    theirs = [f"{other.name}.{name}" for name in other.key_columns]
    return sa.ForeignKeyConstraint(ours, theirs)
