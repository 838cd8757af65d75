"""What one element of the dimension universe is. Knows no other element and no database."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from butler_core.errors import ConfigError

if TYPE_CHECKING:
    from butler_core.dimensions.universe import DimensionUniverse

ColumnType = Literal["int", "text", "float", "bool", "bytes"]

_COLUMN = re.compile(r"(?P<type>int|text|float|bool|bytes)(\((?P<length>\d+)\))?(?P<required>!)?")


@dataclass(frozen=True, slots=True)
class Column:
    """A column of an element's table: part of its key, or something known of it."""

    #: Name in the table and in ``where`` expressions.
    name: str
    type: ColumnType
    #: Longest value of a text or bytes column [characters, bytes]; None for the others.
    length: int | None = None
    is_nullable: bool = True

    @classmethod
    def parse(cls, name: str, text: str, *, is_key: bool = False) -> Column:
        """Read ``text(32)!`` and the like."""
        match = _COLUMN.fullmatch(str(text).strip())
        if match is None:
            raise ConfigError(
                f"column {name!r} has the type {text!r}; a type is int, float, bool, text(N) or "
                "bytes(N), with '!' behind it if it may not be null"
            )
        length = match["length"]
        return cls(
            name=name,
            type=match["type"],  # type: ignore[arg-type] # the pattern admits no other
            length=int(length) if length else None,
            is_nullable=not (is_key or match["required"]),
        )


@dataclass(frozen=True, slots=True)
class SkyPix:
    """The pixelization behind a dimension such as ``htm7``."""

    #: Name of the system, such as ``htm``.
    system: str
    level: int
    #: Dotted name of the class in ``lsst.sphgeom``.
    pixelization: str


@dataclass(frozen=True, slots=True, eq=False)
class DimensionElement:
    """An entry of the universe: a dimension, or a combination of several.

    Elements of one universe are compared by identity and print as their name.
    """

    name: str
    universe: DimensionUniverse = field(repr=False)
    doc: str
    #: Place in the universe's order.
    index: int
    #: The element's own key column; None for a combination of other dimensions.
    key: Column | None
    #: All names of the dimensions whose values identify a record, own name included.
    required: tuple[str, ...]
    #: Names of the dimensions whose values are stored with a record.
    implied: tuple[str, ...]
    columns: tuple[Column, ...] = ()
    #: Columns that name a record as well as its key does.
    alternate_keys: tuple[str, ...] = ()
    has_region: bool = False
    has_timespan: bool = False
    is_governor: bool = False
    #: The element whose stored values are this one's records, where it has no table.
    view_of: str | None = None
    #: The element with which this one's records are inserted and exported.
    populated_by: str | None = None
    #: Whether a query over all its dimensions must join this one's table.
    always_join: bool = False
    skypix: SkyPix | None = None
    #: The family, if any, in which it competes for spatial joins.
    spatial_family: str | None = None
    #: The family, if any, in which it competes for temporal joins.
    temporal_family: str | None = None
    #: All columns of a record by name, in table order; filled on construction.
    fields: dict[str, Column] = field(default_factory=dict)

    def __reduce__(self) -> tuple[object, ...]:
        return _element_again, (self.universe, self.name)

    def __str__(self) -> str:
        return self.name

    def __repr__(self) -> str:
        return f"DimensionElement({self.name!r})"

    @property
    def is_dimension(self) -> bool:
        """Whether the element can stand in a data ID."""
        return self.key is not None

    @property
    def has_table(self) -> bool:
        """Whether the registry keeps records of the element in a table of its own."""
        return self.view_of is None and self.skypix is None

    @property
    def key_columns(self) -> tuple[str, ...]:
        """The primary key's columns: those of other dimensions, then the own."""
        if self.key is None:
            return self.required
        return tuple(self.key.name if name == self.name else name for name in self.required)

    def column_of(self, dimension: str) -> str:
        """Return the column of this element's table that holds a dimension's value."""
        if dimension == self.name and self.key is not None:
            return self.key.name
        return dimension


def _element_again(universe: DimensionUniverse, name: str) -> DimensionElement:
    """Find the element again in another process."""
    return universe[name]
