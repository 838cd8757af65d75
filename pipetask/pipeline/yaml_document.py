"""YAML text as mappings and lists that know their lines and columns.

Reads YAML only; what the keys mean is not known here. Faults of one document
are gathered in `Faults`, so that they can be reported together.
"""

from __future__ import annotations

from collections import Counter
from typing import Any, NamedTuple, NoReturn

import yaml

from pipetask.errors import PipelineFileError

# The loader in C is some ten times faster; both know the same YAML.
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class Place(NamedTuple):
    """A position in a file, both numbers from 1."""

    #: The line.
    line: int
    #: The column.
    column: int


class LocatedDict(dict[Any, Any]):
    """A mapping of a YAML document."""

    #: Where the mapping starts.
    place: Place
    #: Where each key stands.
    key_places: dict[Any, Place]
    #: Where each value's content starts.
    value_places: dict[Any, Place]


class LocatedList(list[Any]):
    """A list of a YAML document."""

    #: Where the list starts.
    place: Place
    #: Where each element starts.
    places: list[Place]


class Faults:
    """What is wrong with one document.

    Parameters
    ----------
    name
        The document's path or other name.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self._found: list[tuple[Place | None, str]] = []

    def add(self, place: Place | None, message: str) -> None:
        """Note one fault.

        Parameters
        ----------
        place
            Where it is; None if it is the document's as a whole.
        message
            What is wrong and what to do.
        """
        self._found.append((place, message))

    def raise_any(self) -> None:
        """Raise if a fault was noted.

        Raises
        ------
        PipelineFileError
            With every fault, in the order of the document.
        """
        if self._found:
            self._raise()

    def _raise(self) -> NoReturn:
        """Raise all faults as one error."""
        lines = []
        for place, message in sorted(self._found, key=lambda fault: fault[0] or Place(0, 0)):
            where = f"{self.name}:{place.line}:{place.column}" if place else self.name
            lines.append(f"{where}: {message}")
        raise PipelineFileError("\n".join(lines))


def read_document(text: str, faults: Faults) -> LocatedDict:
    """Read a YAML document that must be a mapping.

    Parameters
    ----------
    text
        The YAML.
    faults
        Takes duplicate keys and values that cannot be.

    Returns
    -------
    LocatedDict
        The document; empty if it is none.

    Raises
    ------
    PipelineFileError
        If the text is no YAML at all, or no mapping.
    """
    loader = _Loader(text)
    try:
        node = loader.get_single_node()
        document = _Builder(loader, faults).build(node) if node is not None else None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = Place(mark.line + 1, mark.column + 1) if mark is not None else None
        faults.add(place, f"this is no YAML: {getattr(error, 'problem', None) or error}")
        faults.raise_any()
    finally:
        loader.dispose()
    if not isinstance(document, LocatedDict):
        faults.add(Place(1, 1), "a pipeline is a YAML mapping with description, tasks, ...")
        faults.raise_any()
        return LocatedDict()
    return document


def without_places(value: Any) -> Any:
    """Return mappings and lists as plain ones, all the way down.

    Parameters
    ----------
    value
        Anything in a document.
    """
    if isinstance(value, dict):
        return {key: without_places(item) for key, item in value.items()}
    if isinstance(value, list):
        return [without_places(item) for item in value]
    return value


class _Builder:
    """Turns YAML nodes into values, each node once."""

    def __init__(self, loader: Any, faults: Faults) -> None:
        self._loader = loader
        self._faults = faults
        self._built: dict[int, Any] = {}

    def build(self, node: Any) -> Any:
        """Return the value of a node; an alias gives the same object again."""
        if id(node) not in self._built:
            # An alias to a node that is still being built would contain itself.
            self._built[id(node)] = None
            self._built[id(node)] = self._new(node)
        return self._built[id(node)]

    def _new(self, node: Any) -> Any:
        if isinstance(node, yaml.MappingNode) and node.tag == "tag:yaml.org,2002:map":
            return self._mapping(node)
        if isinstance(node, yaml.SequenceNode) and node.tag == "tag:yaml.org,2002:seq":
            made = LocatedList(self.build(item) for item in node.value)
            made.place = _place(node)
            made.places = [_place(item) for item in node.value]
            return made
        try:
            return self._loader.construct_object(node, deep=True)
        except ValueError as error:
            self._faults.add(_place(node), f"{node.value!r} cannot be read: {error}")
            return None

    def _mapping(self, node: Any) -> LocatedDict:
        keys = Counter(key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode))
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                self._faults.add(_place(key), "a key must be a name, not a list or mapping")
            elif keys[key.value] > 1:
                self._faults.add(_place(key), f"the key {key.value!r} is there more than once")
        self._loader.flatten_mapping(node)
        made = LocatedDict()
        made.place, made.key_places, made.value_places = _place(node), {}, {}
        for key_node, value_node in node.value:
            if isinstance(key_node, yaml.ScalarNode):
                key = self.build(key_node)
                made[key] = self.build(value_node)
                made.key_places[key] = _place(key_node)
                made.value_places[key] = _content_place(value_node)
        return made


def _place(node: Any) -> Place:
    """Return where a node starts."""
    return Place(node.start_mark.line + 1, node.start_mark.column + 1)


def _content_place(node: Any) -> Place:
    """Return where a node's text starts: after the line of its ``|`` or ``>``."""
    is_block = isinstance(node, yaml.ScalarNode) and node.style in {"|", ">"}
    place = _place(node)
    return Place(place.line + 1, 1) if is_block else place
