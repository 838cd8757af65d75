"""The universe of dimensions: every element, and the groups they form.

Read once from YAML. Knows no data and no database.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property, lru_cache
from importlib.resources import files
from typing import Any

from butler_core.dimensions.dimension import Column, DimensionElement, SkyPix
from butler_core.dimensions.group import DimensionGroup
from butler_core.errors import ConfigError, UnknownDimensionError, near_misses


class DimensionUniverse:
    """All elements, in topological order, and what they imply.

    Parameters
    ----------
    config
        The content of a universe file; see ``universe.yaml`` for its form.

    Raises
    ------
    ConfigError
        If an element names one that does not stand before it, or a type is
        unknown.
    """

    def __init__(self, config: Mapping[str, Any]) -> None:
        self.config: Mapping[str, Any] = config
        self.namespace: str = config.get("namespace", "daf_butler")
        self.version: int = int(config["version"])
        self.common_skypix: str = config["common_skypix"]
        self._elements = _Reader(self, config).read()
        self._groups: dict[frozenset[str], DimensionGroup] = {}

    @classmethod
    def default(cls) -> DimensionUniverse:
        """Return the universe that comes with the package."""
        return _packaged_universe()

    def __getitem__(self, name: str) -> DimensionElement:
        try:
            return self._elements[name]
        except KeyError:
            raise UnknownDimensionError(
                f"no dimension {name!r} in universe {self.namespace} {self.version}."
                f"{near_misses(name, self._elements)}"
            ) from None

    def __contains__(self, name: object) -> bool:
        return name in self._elements

    def __iter__(self) -> Iterator[DimensionElement]:
        return iter(self._elements.values())

    def __len__(self) -> int:
        return len(self._elements)

    def __reduce__(self) -> tuple[object, ...]:
        if self is _packaged_universe():
            return _packaged_universe, ()
        return _universe_again, (self.config,)

    def __repr__(self) -> str:
        return f"DimensionUniverse({self.namespace!r}, version={self.version})"

    @cached_property
    def empty(self) -> DimensionGroup:
        """The group of no dimensions."""
        return self.conform(())

    @cached_property
    def stored_elements(self) -> tuple[DimensionElement, ...]:
        """Elements that have a table, an element after all it refers to."""
        return tuple(element for element in self if element.has_table)

    def conform(self, names: Iterable[str] | DimensionGroup) -> DimensionGroup:
        """Make the smallest complete group that holds the dimensions named.

        Raises
        ------
        UnknownDimensionError
            If a name is not that of a dimension; all such names are listed.
        """
        if isinstance(names, DimensionGroup):
            return names
        wanted = frozenset((names,) if isinstance(names, str) else names)
        group = self._groups.get(wanted)
        if group is None:
            group = self._make_group(wanted)
            group = self._groups.setdefault(frozenset(group.names), group)
            self._groups[wanted] = group
        return group

    def _make_group(self, wanted: frozenset[str]) -> DimensionGroup:
        dimensions = [element.name for element in self if element.is_dimension]
        unknown = sorted(wanted.difference(dimensions))
        if unknown:
            hints = "".join(near_misses(name, dimensions) for name in unknown)
            raise UnknownDimensionError(
                f"no dimension {', '.join(map(repr, unknown))} in universe {self.namespace} "
                f"{self.version}.{hints}"
            )
        complete: set[str] = set()
        todo = list(wanted)
        while todo:
            element = self._elements[todo.pop()]
            if element.name not in complete:
                complete.add(element.name)
                todo += [*element.required, *element.implied]
        names = tuple(name for name in dimensions if name in complete)
        implied = {name for dim in names for name in self._elements[dim].implied}
        return DimensionGroup(self, names, tuple(name for name in names if name not in implied))


class _Reader:
    """Turns a universe file's mapping into elements, once."""

    def __init__(self, universe: DimensionUniverse, config: Mapping[str, Any]) -> None:
        self._universe = universe
        self._config = config
        self._elements: dict[str, DimensionElement] = {}

    def read(self) -> dict[str, DimensionElement]:
        entries = self._config["elements"]
        # Pixelizations require nothing; they stand where their names sort among the first.
        first = sorted(name for name, entry in entries.items() if not entry.get("requires"))
        for name in sorted([*first, *self._skypix_names()], key=_natural_key):
            if name in entries:
                self._add(name, entries[name])
            else:
                self._add_skypix(name)
        for name, entry in entries.items():
            if name not in self._elements:
                self._add(name, entry)
        return self._elements

    def _skypix_names(self) -> list[str]:
        return [
            f"{system}{level}"
            for system, entry in self._config.get("skypix", {}).items()
            for level in range(1, int(entry["max_level"]) + 1)
        ]

    def _add_skypix(self, name: str) -> None:
        system = name.rstrip("0123456789")
        key = Column("id", "int", is_nullable=False)
        self._elements[name] = DimensionElement(
            name=name,
            universe=self._universe,
            doc=f"A pixel of level {name[len(system) :]} of the sphere's {system} pixelization.",
            index=len(self._elements),
            key=key,
            required=(name,),
            implied=(),
            skypix=SkyPix(
                system,
                int(name[len(system) :]),
                self._config["skypix"][system]["pixelization"],
            ),
            has_region=True,
            spatial_family=system,
            fields={"id": key},
        )

    def _add(self, name: str, entry: Mapping[str, Any]) -> None:
        requires, implies = entry.get("requires", []), entry.get("implies", [])
        for other in [*requires, *implies]:
            if other not in self._elements:
                raise ConfigError(
                    f"dimension element {name!r} refers to {other!r}, which must stand before it"
                )
        key = None
        for key_name, text in entry.get("key", {}).items():
            key = Column.parse(key_name, text, is_key=True)
        columns = tuple(Column.parse(n, text) for n, text in entry.get("columns", {}).items())
        required = self._required(requires)
        self._elements[name] = DimensionElement(
            name=name,
            universe=self._universe,
            doc=entry.get("doc", ""),
            index=len(self._elements),
            key=key,
            required=(*required, name) if key else required,
            implied=tuple(implies),
            columns=columns,
            alternate_keys=tuple(entry.get("alternate_keys", ())),
            has_region=bool(entry.get("region", False)),
            has_timespan=bool(entry.get("timespan", False)),
            is_governor=bool(entry.get("governor", False)),
            view_of=entry.get("view_of"),
            populated_by=entry.get("populated_by"),
            always_join=bool(entry.get("always_join", False)),
            spatial_family=self._family("spatial", name),
            temporal_family=self._family("temporal", name),
            fields=self._fields(name, key, required, implies, columns),
        )

    def _required(self, requires: Iterable[str]) -> tuple[str, ...]:
        names = {part for name in requires for part in self._elements[name].required}
        return tuple(name for name in self._elements if name in names)

    def _fields(
        self,
        name: str,
        key: Column | None,
        required: tuple[str, ...],
        implies: Iterable[str],
        columns: tuple[Column, ...],
    ) -> dict[str, Column]:
        fields: dict[str, Column] = {}
        for other in [*required, *implies]:
            if other in implies and key is not None:
                fields.setdefault(key.name, key)
            foreign = self._elements[other].key
            if foreign is None:
                raise ConfigError(f"{name!r} refers to {other!r}, which is not a dimension")
            fields[other] = Column(other, foreign.type, foreign.length, is_nullable=False)
        if key is not None:
            fields.setdefault(key.name, key)
        return fields | {column.name: column for column in columns}

    def _family(self, kind: str, name: str) -> str | None:
        for family, members in self._config.get(kind, {}).items():
            if name in members:
                return str(family)
        return None


def _natural_key(name: str) -> tuple[str, int]:
    stem = name.rstrip("0123456789")
    return stem, int(name[len(stem) :] or -1)


@lru_cache(maxsize=1)
def _packaged_universe() -> DimensionUniverse:
    from butler_core.dimensions.universe_file import parse_universe

    text = files("butler_core.dimensions").joinpath("universe.yaml").read_text(encoding="utf-8")
    return DimensionUniverse(parse_universe(text))


def _universe_again(config: Mapping[str, Any]) -> DimensionUniverse:
    """Find the universe again in another process."""
    default = DimensionUniverse.default()
    return default if config == default.config else DimensionUniverse(config)
