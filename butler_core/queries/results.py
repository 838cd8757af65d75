"""Answers to queries: columns, with Python objects made on demand."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from butler_core.datasets.dataset_ref import DatasetRef
from butler_core.datasets.dataset_type import DatasetType
from butler_core.dimensions.data_coordinate import DataCoordinate
from butler_core.dimensions.dimension import DimensionElement
from butler_core.dimensions.group import DimensionGroup
from butler_core.dimensions.record import DimensionRecord
from butler_core.timespan import Timespan

if TYPE_CHECKING:
    from astropy.table import Table

Columns = Mapping[str, list[Any]]


class ColumnsResult:
    """Rows of an answer, kept as one list per column."""

    #: Names of the columns that a table shows.
    shown: tuple[str, ...]

    def __init__(self, columns: Columns, shown: tuple[str, ...]) -> None:
        #: Values by column name.
        self.columns = columns
        self.shown = shown

    def __len__(self) -> int:
        return len(next(iter(self.columns.values()), ()))

    def __bool__(self) -> bool:
        return len(self) > 0

    def to_columns(self) -> dict[str, list[Any]]:
        """Return the columns that a table shows, as plain lists of printable values."""
        return {name: [_printable(v) for v in self.columns[name]] for name in self.shown}

    def to_numpy(self) -> dict[str, Any]:
        """Return the columns as numpy arrays, shape (n_rows,), masked where values are missing."""
        table = self.to_table()
        return {name: table[name].data for name in table.colnames}

    def to_table(self) -> Table:
        """Return the answer as an astropy table."""
        from astropy.table import MaskedColumn, Table

        table = Table()
        for name, values in self.to_columns().items():
            missing = [value is None for value in values]
            if any(missing):
                filler: Any = next((v for v in values if v is not None), "")
                filled = [filler if value is None else value for value in values]
                table[name] = MaskedColumn(filled, mask=missing)
            else:
                table[name] = values
        return table


class DataIdResult(ColumnsResult):
    """Data IDs; iterates as `DataCoordinate` objects."""

    def __init__(self, group: DimensionGroup, columns: Columns) -> None:
        super().__init__(columns, group.names)
        self.group = group

    def __iter__(self) -> Iterator[DataCoordinate]:
        names = self.group.names
        if not names:
            yield from (DataCoordinate(self.group, (), full={}) for _ in range(len(self)))
            return
        make = data_id_maker(self.group)
        for values in zip(*(self.columns[name] for name in names), strict=True):
            yield make(values)


class DatasetResult(ColumnsResult):
    """Datasets of one type; iterates as `DatasetRef` objects."""

    def __init__(self, dataset_type: DatasetType, columns: Columns) -> None:
        super().__init__(columns, ("run", "id", *dataset_type.dimensions.names))
        self.dataset_type = dataset_type

    def __iter__(self) -> Iterator[DatasetRef]:
        names = self.dataset_type.dimensions.names
        make = data_id_maker(self.dataset_type.dimensions)
        values = zip(*(self.columns[name] for name in names), strict=True) if names else None
        for id_, run in zip(self.columns["id"], self.columns["run"], strict=True):
            data_id = make(next(values) if values is not None else ())
            yield DatasetRef(self.dataset_type, data_id, run, uuid.UUID(bytes=id_))


class RecordResult(ColumnsResult):
    """Dimension records; iterates as `DimensionRecord` objects."""

    def __init__(self, element: DimensionElement, columns: Columns) -> None:
        shown = [name for name in columns if name not in ("region", "begin_ns", "end_ns")]
        super().__init__(columns, tuple(shown))
        self.element = element

    def __iter__(self) -> Iterator[DimensionRecord]:
        names = list(self.columns)
        for values in zip(*self.columns.values(), strict=True):
            yield make_record(self.element, dict(zip(names, values, strict=True)))

    def to_columns(self) -> dict[str, list[Any]]:
        """Return the columns that a table shows; a timespan as its two ends."""
        columns = super().to_columns()
        if self.element.has_timespan:
            from butler_core.timespan import ns_to_iso

            for end in ("begin", "end"):
                columns[f"timespan.{end}"] = [
                    None if ns is None else ns_to_iso(ns) for ns in self.columns[f"{end}_ns"]
                ]
        if self.element.has_region:
            columns["region"] = [
                None if value is None else value.hex() for value in self.columns["region"]
            ]
        return columns


def make_record(element: DimensionElement, row: dict[str, Any]) -> DimensionRecord:
    """Turn a row of an element's table into a record: timespan and region as objects."""
    values = {name: row[name] for name in element.fields}
    if element.has_region:
        values["region"] = _decoded(row["region"])
    if element.has_timespan:
        begin, end = row["begin_ns"], row["end_ns"]
        values["timespan"] = None if begin is None or end is None else Timespan(begin, end)
    return DimensionRecord(element, values)


def data_id_maker(group: DimensionGroup) -> Callable[[tuple[Any, ...]], DataCoordinate]:
    """Return a function that makes data IDs of values in the order of ``group.names``."""
    places = [group.names.index(name) for name in group.required]
    names = group.names

    def make(values: tuple[Any, ...]) -> DataCoordinate:
        return DataCoordinate(
            group, tuple(values[i] for i in places), full=dict(zip(names, values, strict=True))
        )

    return make


def _decoded(region: bytes | None) -> Any:
    if region is None:
        return None
    from butler_core.region import decode

    return decode(region)


def _printable(value: Any) -> Any:
    if isinstance(value, bytes):
        return str(uuid.UUID(bytes=value)) if len(value) == 16 else value.hex()
    return value
