"""One row of an element's table, as an object at the edge. Bulk work uses columns instead."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from butler_core.dimensions.data_coordinate import DataCoordinate
    from butler_core.dimensions.dimension import DimensionElement


class DimensionRecord:
    """What a repository knows of one value of a dimension.

    Fields are attributes: ``record.exposure_time``, ``record.timespan``,
    ``record.region``. The key field of a dimension is reached by its own name
    (``record.id``) and those of others by theirs (``record.instrument``).
    """

    __slots__ = ("_values", "element")

    def __init__(self, element: DimensionElement, values: Mapping[str, Any]) -> None:
        self.element = element
        self._values = dict(values)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        try:
            return self._values[name]
        except KeyError:
            raise AttributeError(
                f"a record of {self.element.name!r} has no field {name!r}; its fields are "
                f"{', '.join(self._values)}"
            ) from None

    def __reduce__(self) -> tuple[object, ...]:
        return DimensionRecord, (self.element, self._values)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, DimensionRecord):
            return self.element.name == other.element.name and self._values == other._values
        return NotImplemented

    def __hash__(self) -> int:
        return hash((self.element.name, *(self._values[c] for c in self.element.key_columns)))

    def __repr__(self) -> str:
        fields = ", ".join(f"{name}={value!r}" for name, value in self._values.items())
        return f"{self.element.name}.RecordClass({fields})"

    def __str__(self) -> str:
        lines = [f"{self.element.name}:", *(f"  {k}: {v}" for k, v in self._values.items())]
        return "\n".join(lines)

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as a new dict."""
        return dict(self._values)

    toDict = to_dict  # noqa: N815 - the spelling of existing notebooks

    @property
    def data_id(self) -> DataCoordinate:
        """The data ID that the record's key is."""
        from butler_core.dimensions.data_coordinate import DataCoordinate

        group = self.element.universe.conform(self.element.required)
        return DataCoordinate.from_required(
            group, tuple(self._values[self.element.column_of(name)] for name in group.required)
        )

    dataId = data_id  # noqa: N815 - the spelling of existing notebooks
