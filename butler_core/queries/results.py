"""Answers to queries: columns, with Python objects made on demand."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from functools import cached_property
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from butler_core.datasets.dataset_ref import DatasetRef
from butler_core.datasets.dataset_type import DatasetType
from butler_core.dimensions.data_coordinate import DataCoordinate
from butler_core.dimensions.dimension import DimensionElement
from butler_core.dimensions.group import DimensionGroup
from butler_core.dimensions.record import DimensionRecord
from butler_core.garbage import collection_paused
from butler_core.queries.answer import Answer, Columns
from butler_core.queries.arrays import ids_as_text, to_array, to_arrow
from butler_core.timespan import Timespan

if TYPE_CHECKING:
    from astropy.table import Table

#: Objects are made so many at a time.
_AT_A_TIME = 10_000


class ColumnsResult:
    """Rows of an answer: fetched when they are first asked for, as one list per column.

    Going through them one by one fetches them page by page and keeps nothing,
    unless `columns` or the length were asked for before.
    """

    #: Names of the columns that a table shows.
    shown: tuple[str, ...]

    def __init__(self, answer: Answer, shown: tuple[str, ...]) -> None:
        self._answer = answer
        self.shown = shown

    @cached_property
    def columns(self) -> Columns:
        """Values of all rows by column name."""
        return self._answer.columns()

    def __len__(self) -> int:
        return len(next(iter(self.columns.values()), ()))

    def count(self) -> int:
        """Return how many rows there are, without fetching them."""
        return len(self) if "columns" in self.__dict__ else self._answer.count()

    def any(self) -> bool:
        """Return whether there is a row, without fetching more than one."""
        return len(self) > 0 if "columns" in self.__dict__ else self._answer.any()

    def pages(self) -> Iterator[Columns]:
        """Give the rows as columns, some at a time, in bounded memory."""
        if "columns" in self.__dict__:
            yield self.columns
        else:
            yield from self._answer.pages()

    def to_columns(self) -> dict[str, list[Any]]:
        """Return the columns that a table shows, as plain lists of printable values."""
        return {name: [_printable(v) for v in self.columns[name]] for name in self.shown}

    def to_numpy(self) -> dict[str, Any]:
        """Return the columns as numpy arrays, shape (n_rows,), masked where values are missing.

        Whole numbers are int64, dataset ids of 16 bytes (``V16``), bytes are objects.
        """
        return {name: to_array(self.columns[name]) for name in self.shown}

    def to_table(self) -> Table:
        """Return the answer as an astropy table; ids are text there."""
        from astropy.table import Table

        return Table({name: to_array(values) for name, values in self.to_columns().items()})

    def to_arrow(self) -> Any:
        """Return the answer as a ``pyarrow.Table``; dataset ids are binary, of 16 bytes.

        Raises
        ------
        MissingPackageError
            If pyarrow is not installed.
        """
        return to_arrow({name: self.columns[name] for name in self.shown})


class DataIdResult(ColumnsResult):
    """Data IDs; iterates as `DataCoordinate` objects."""

    def __init__(self, group: DimensionGroup, answer: Answer) -> None:
        super().__init__(answer, group.names)
        self.group = group

    def __iter__(self) -> Iterator[DataCoordinate]:
        names = self.group.names
        if not names:
            yield from (DataCoordinate(self.group, (), full={}) for _ in range(len(self)))
            return
        make = data_id_maker(self.group)
        for page in self.pages():
            for values in zip(*(page[name] for name in names), strict=True):
                yield make(values)


class DatasetResult(ColumnsResult):
    """Datasets of one type; iterates as `DatasetRef` objects."""

    def __init__(self, dataset_type: DatasetType, answer: Answer) -> None:
        super().__init__(answer, ("run", "id", *dataset_type.dimensions.names))
        self.dataset_type = dataset_type

    def __iter__(self) -> Iterator[DatasetRef]:
        for page in self.pages():
            count = len(page["id"])
            for start in range(0, count, _AT_A_TIME):
                yield from self._refs(page, slice(start, start + _AT_A_TIME))

    def _refs(self, page: Columns, rows: slice) -> list[DatasetRef]:
        """Make the references of some rows."""
        dataset_type, names = self.dataset_type, self.dataset_type.dimensions.names
        ids, runs = page["id"][rows], page["run"][rows]
        values = (
            zip(*(page[name][rows] for name in names), strict=True) if names else [()] * len(ids)
        )
        with collection_paused():
            data_ids = map(data_id_maker(dataset_type.dimensions), values)
            number = int.from_bytes
            return [
                DatasetRef(dataset_type, data_id, run, uuid.UUID(int=number(id_, "big")))
                for data_id, run, id_ in zip(data_ids, runs, ids, strict=True)
            ]

    def to_columns(self) -> dict[str, list[Any]]:
        """Return the columns that a table shows; ids as text."""
        columns = {name: self.columns[name] for name in self.shown}
        return {**columns, "id": ids_as_text(columns["id"])}


class RecordResult(ColumnsResult):
    """Dimension records; iterates as `DimensionRecord` objects."""

    def __init__(self, element: DimensionElement, answer: Answer) -> None:
        super().__init__(answer, tuple(element.fields))
        self.element = element

    def __iter__(self) -> Iterator[DimensionRecord]:
        for page in self.pages():
            names = list(page)
            for values in zip(*page.values(), strict=True):
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
    if len(places) < 2:  # of one place, itemgetter gives no tuple
        return lambda values: DataCoordinate(group, tuple(values[i] for i in places), values)
    pick = itemgetter(*places)
    return lambda values: DataCoordinate(group, pick(values), values)


def _decoded(region: bytes | None) -> Any:
    if region is None:
        return None
    from butler_core.region import decode

    return decode(region)


def _printable(value: Any) -> Any:
    if isinstance(value, bytes):
        return str(uuid.UUID(bytes=value)) if len(value) == 16 else value.hex()
    return value
