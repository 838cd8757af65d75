"""Data IDs: immutable, compared by the values that identify."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from butler_core.errors import DataIdError

if TYPE_CHECKING:
    from butler_core.dimensions.dimension import DimensionElement
    from butler_core.dimensions.group import DimensionGroup
    from butler_core.dimensions.record import DimensionRecord
    from butler_core.dimensions.universe import DimensionUniverse

DataIdValue = int | str

#: Text that stands for an integer, as command lines give it.
INTEGER = re.compile(r"-?[0-9]+")


class DataCoordinate(Mapping[str, DataIdValue]):
    """A data ID over a complete group of dimensions.

    A mapping of the *required* dimensions; equality and hash look at those
    alone. Implied values and records come along where they are known.
    """

    __slots__ = ("_full", "_hash", "_records", "group", "values_required")

    def __init__(
        self,
        group: DimensionGroup,
        values: tuple[DataIdValue, ...],
        full: Mapping[str, DataIdValue] | tuple[DataIdValue, ...] | None = None,
        records: Mapping[str, DimensionRecord | None] | None = None,
    ) -> None:
        self.group = group
        #: Values of ``group.required``, in that order.
        self.values_required = values
        # Values in the order of ``group.names`` cost less, until they are asked for by name.
        self._full = full
        self._records = records
        self._hash: int | None = None

    @property
    def _by_name(self) -> Mapping[str, DataIdValue] | None:
        """All values, implied ones included, if they are known."""
        if isinstance(self._full, tuple):
            self._full = dict(zip(self.group.names, self._full, strict=True))
        return self._full

    # ------------------------------------------------------------- making
    @classmethod
    def from_required(
        cls, group: DimensionGroup, values: tuple[DataIdValue, ...]
    ) -> DataCoordinate:
        """Wrap required values that are known to be right."""
        return cls(group, values)

    @classmethod
    def make_empty(cls, universe: DimensionUniverse) -> DataCoordinate:
        """Return the data ID of no dimensions."""
        return cls(universe.empty, (), full={})

    @classmethod
    def standardize(
        cls,
        data_id: Mapping[str, Any] | None = None,
        *,
        group: DimensionGroup | None = None,
        universe: DimensionUniverse | None = None,
        defaults: Mapping[str, Any] | None = None,
        **kwargs: Any,
    ) -> DataCoordinate:
        """Make a data ID from a mapping and keywords.

        Parameters
        ----------
        data_id
            Values by dimension; another data ID is allowed.
        group
            Dimensions that the result is to have; those of the mapping if None.
        universe
            Needed if neither ``data_id`` nor ``group`` knows it.
        defaults
            Values used for dimensions that nobody gave.

        Raises
        ------
        DataIdError
            If required values are missing or of the wrong type: all faults at
            once.
        """
        given: dict[str, Any] = {}
        if isinstance(data_id, DataCoordinate):
            if group is not None and data_id.group == group and not kwargs:
                return data_id
            given.update(data_id.mapping)
            universe = universe or data_id.group.universe
        elif data_id is not None:
            given.update(data_id)
        given.update(kwargs)
        if group is None:
            if universe is None:
                raise DataIdError("a data ID needs a dimension group or a universe to be read by")
            group = universe.conform(given)
        known = {**(defaults or {}), **{k: v for k, v in given.items() if v is not None}}
        return cls._from_known(group, known)

    @classmethod
    def _from_known(cls, group: DimensionGroup, known: dict[str, Any]) -> DataCoordinate:
        missing = group.missing_from(known)
        if missing:
            shown = {k: v for k, v in known.items() if k in group} or "nothing"
            raise DataIdError(
                f"a data ID of {group} needs values for {', '.join(group.required)}; "
                f"{', '.join(missing)} not given (got {shown})"
            )
        faults: list[str] = []
        values = {
            name: typed_value(group.universe[name], known[name], faults)
            for name in group.names
            if name in known
        }
        if faults:
            raise DataIdError("; ".join(faults))
        full = values if len(values) == len(group) else None
        return cls(group, tuple(values[name] for name in group.required), full=full)

    # ------------------------------------------------------------ mapping
    def __getitem__(self, name: str) -> DataIdValue:
        try:
            return self.values_required[self.group.required.index(name)]
        except ValueError:
            pass
        if self._by_name is not None and name in self._by_name:
            return self._by_name[name]
        raise KeyError(name)

    def __iter__(self) -> Iterator[str]:
        return iter(self.group.required)

    def __len__(self) -> int:
        return len(self.values_required)

    def __contains__(self, name: object) -> bool:
        return name in self.group.required or (self._by_name is not None and name in self._by_name)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, DataCoordinate):
            return self.values_required == other.values_required and self.group == other.group
        if isinstance(other, Mapping):
            return dict(self) == dict(other)
        return NotImplemented

    def __hash__(self) -> int:
        if self._hash is None:
            self._hash = hash((self.group.required, self.values_required))
        return self._hash

    def __reduce__(self) -> tuple[object, ...]:
        return DataCoordinate, (self.group, self.values_required, self._full, self._records)

    def __repr__(self) -> str:
        known = self._known()
        order = [*self.group.required, *(n for n in self.group.implied if n in known)]
        return "{" + ", ".join(f"{name}: {known[name]!r}" for name in order) + "}"

    # ------------------------------------------------------------ knowing
    @property
    def dimensions(self) -> DimensionGroup:
        """The group of dimensions the data ID is over."""
        return self.group

    @property
    def universe(self) -> DimensionUniverse:
        """The universe of its dimensions."""
        return self.group.universe

    @property
    def required(self) -> Mapping[str, DataIdValue]:
        """The identifying values by dimension."""
        return dict(zip(self.group.required, self.values_required, strict=True))

    @property
    def mapping(self) -> Mapping[str, DataIdValue]:
        """All values known, implied ones included where they are."""
        return self._known()

    @property
    def full(self) -> Mapping[str, DataIdValue]:
        """All values, implied ones included.

        Raises
        ------
        DataIdError
            If the implied values are not known; ``butler.registry.expandDataId``
            finds them.
        """
        if self._by_name is None:
            raise DataIdError(
                f"the implied values ({', '.join(self.group.implied)}) of {self!r} are not known; "
                "expand the data ID first"
            )
        return self._by_name

    def has_full(self) -> bool:
        """Return whether implied values are known too."""
        return self._by_name is not None or not self.group.implied

    def has_records(self) -> bool:
        """Return whether dimension records are known."""
        return self._records is not None

    hasFull, hasRecords = has_full, has_records  # noqa: N815 - the spelling of existing notebooks

    @property
    def records(self) -> Mapping[str, DimensionRecord | None]:
        """Dimension records by element name.

        Raises
        ------
        DataIdError
            If they are not known.
        """
        if self._records is None:
            raise DataIdError(f"the dimension records of {self!r} are not known; expand it first")
        return self._records

    def expanded(
        self,
        full: Mapping[str, DataIdValue],
        records: Mapping[str, DimensionRecord | None] | None = None,
    ) -> DataCoordinate:
        """Return the same data ID with implied values, and records if given."""
        return DataCoordinate(self.group, self.values_required, full=dict(full), records=records)

    def subset(self, group: DimensionGroup) -> DataCoordinate:
        """Return the part of the data ID over fewer dimensions.

        Raises
        ------
        DataIdError
            If a value it needs is not known.
        """
        if group == self.group:
            return self
        known = self._known()
        part = DataCoordinate._from_known(group, {n: known[n] for n in group if n in known})
        if self._records is None:
            return part
        names = {element.name for element in group.elements}
        records = {k: v for k, v in self._records.items() if k in names}
        return DataCoordinate(group, part.values_required, part.mapping, records)

    def to_json(self) -> dict[str, DataIdValue]:
        """Return all known values as a plain dict in the group's order."""
        known = self._known()
        return {name: known[name] for name in self.group.names if name in known}

    def _known(self) -> dict[str, DataIdValue]:
        if self._by_name is not None:
            return dict(self._by_name)
        return dict(zip(self.group.required, self.values_required, strict=True))


def typed_value(element: DimensionElement, value: Any, faults: list[str]) -> Any:
    """Return a value as its dimension's type, noting a fault if it has another."""
    if element.key is None:
        faults.append(f"{element.name!r} is no dimension that can stand in a data ID")
        return value
    if element.key.type == "int":
        if isinstance(value, bool) or not _is_integral(value):
            faults.append(f"{element.name} must be an integer, not {value!r}")
            return value
        return int(value)
    if not isinstance(value, str):
        faults.append(f"{element.name} must be a string, not {value!r}")
        return value
    return str(value)


def _is_integral(value: Any) -> bool:
    if isinstance(value, str):
        return INTEGER.fullmatch(value) is not None
    return hasattr(value, "__index__")
