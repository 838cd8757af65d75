"""A complete set of dimensions, as dataset types, tasks and data IDs have it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from butler_core.dimensions.dimension import DimensionElement
    from butler_core.dimensions.universe import DimensionUniverse


class DimensionGroup:
    """Dimensions closed under *requires* and *implies*, in the universe's order.

    Made by `DimensionUniverse.conform` only, which returns the same object for
    the same set; so groups of one universe may be compared by identity, and
    groups of different universes are equal if their names are.
    """

    __slots__ = ("__dict__", "names", "required", "universe")

    def __init__(
        self, universe: DimensionUniverse, names: tuple[str, ...], required: tuple[str, ...]
    ) -> None:
        self.universe = universe
        #: Names of all its dimensions.
        self.names = names
        #: Names of those whose values make a data ID; the others follow from them.
        self.required = required

    def __reduce__(self) -> tuple[object, ...]:
        return _group_again, (self.universe, self.names)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, DimensionGroup):
            return self is other or self.names == other.names
        return NotImplemented

    def __hash__(self) -> int:
        return hash(self.names)

    def __contains__(self, name: object) -> bool:
        return name in self.names

    def __iter__(self) -> Iterator[str]:
        return iter(self.names)

    def __len__(self) -> int:
        return len(self.names)

    def __le__(self, other: DimensionGroup) -> bool:
        return set(self.names) <= set(other.names)

    def __or__(self, other: DimensionGroup) -> DimensionGroup:
        return self.universe.conform((*self.names, *other.names))

    def __and__(self, other: DimensionGroup) -> DimensionGroup:
        return self.universe.conform([name for name in self.names if name in other.names])

    def __str__(self) -> str:
        return "{" + ", ".join(self.names) + "}"

    def __repr__(self) -> str:
        return f"DimensionGroup({self})"

    @cached_property
    def implied(self) -> tuple[str, ...]:
        """Names of the dimensions whose values follow from the required ones."""
        return tuple(name for name in self.names if name not in self.required)

    @cached_property
    def elements(self) -> tuple[DimensionElement, ...]:
        """All elements, combinations included, whose required dimensions are in the group."""
        names = set(self.names)
        return tuple(
            element
            for element in self.universe
            if (element.name in names)
            or (not element.is_dimension and names.issuperset(element.required))
        )

    @cached_property
    def governors(self) -> tuple[str, ...]:
        """Names of its dimensions, such as instrument, on which numbering depends."""
        return tuple(name for name in self.names if self.universe[name].is_governor)

    @cached_property
    def skypix(self) -> tuple[str, ...]:
        """Names of its dimensions that are pixels of the sphere."""
        return tuple(name for name in self.names if self.universe[name].skypix)

    @cached_property
    def spatial(self) -> tuple[DimensionElement, ...]:
        """The finest element of each spatial family in the group."""
        return self._finest("spatial")

    @cached_property
    def temporal(self) -> tuple[DimensionElement, ...]:
        """The finest element of each temporal family in the group."""
        return self._finest("temporal")

    def _finest(self, kind: str) -> tuple[DimensionElement, ...]:
        chosen: dict[str, DimensionElement] = {}
        present = {element.name: element for element in self.elements}
        for family, members in self.universe.config.get(kind, {}).items():
            for name in members:
                if name in present:
                    chosen[family] = present[name]
                    break
        if kind == "spatial":
            for name in self.skypix:  # in rising level: the last of a system stays
                chosen[present[name].spatial_family or name] = present[name]
        return tuple(sorted(chosen.values(), key=lambda element: element.index))

    def missing_from(self, names: Iterable[str]) -> tuple[str, ...]:
        """Return its required dimensions that are not among the names given."""
        given = set(names)
        return tuple(name for name in self.required if name not in given)


def _group_again(universe: DimensionUniverse, names: tuple[str, ...]) -> DimensionGroup:
    """Find the group again in another process."""
    return universe.conform(names)
