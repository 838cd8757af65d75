"""Reads the YAML of an export file into plain values, straight from the parser's events.

PyYAML's loader makes a node of every scalar before it makes a value; leaving
that out is several times faster, and memory stays with the values. Plain
scalars mean what YAML 1.1 and PyYAML's safe loader make of them. Known tags of
daf_butler and sphgeom become `uuid.UUID`, nanoseconds, `Timespan` and encoded
regions; any other tag is a fault. Runs no code that a file names, and does not
know what an export file holds.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Any

import yaml

from butler_core.errors import ButlerError, ExportFileError
from butler_core.tai import iso_to_ns
from butler_core.timespan import Timespan

_YAML_TAG = "tag:yaml.org,2002:"
_REGION_TAGS = ("lsst.sphgeom.", "!lsst.sphgeom.")
_ABSENT: Any = object()


@dataclass
class YamlDocument:
    """What a file holds, and what is wrong with it."""

    value: Any = None
    #: Line of each mapping in a list in the top mapping, in the order of the file, from 1.
    section_lines: list[int] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)


def read_yaml(text: str) -> YamlDocument:
    """Read one YAML document.

    Parameters
    ----------
    text
        The file's content.

    Returns
    -------
    YamlDocument
        Its value; a scalar that could not be understood is None in it, and a
        line in the faults.

    Raises
    ------
    ExportFileError
        If the text is not YAML, with the line where that shows.
    """
    reader = _Reader(text)
    try:
        reader.read()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
        reason = ", ".join(part for part in (error.context, error.problem) if part)
        raise ExportFileError(f"it is not YAML: {place}{reason}") from error
    except yaml.YAMLError as error:
        raise ExportFileError(f"it is not YAML: {error}") from error
    return reader.document


class _Reader:
    """A stack of the lists and mappings that are open."""

    def __init__(self, text: str) -> None:
        self.document = YamlDocument()
        self._parser = getattr(yaml, "CSafeLoader", yaml.SafeLoader)(text)
        self._resolver: Any = yaml.resolver.Resolver()
        self._constructor = yaml.constructor.SafeConstructor()
        self._anchors: dict[str, Any] = {}
        self._plain: dict[str, Any] = {}
        self._stack: list[tuple[Any, Any, Any]] = []
        self._container: Any = None
        self._key: Any = _ABSENT

    def read(self) -> None:
        next_event = self._parser.get_event
        documents = 0
        while True:
            event = next_event()
            kind = type(event)
            if kind is yaml.ScalarEvent:
                self._place(self._scalar(event))
            elif kind is yaml.MappingStartEvent or kind is yaml.SequenceStartEvent:
                self._open(event, {} if kind is yaml.MappingStartEvent else [])
            elif kind is yaml.MappingEndEvent or kind is yaml.SequenceEndEvent:
                self._close()
            elif kind is yaml.AliasEvent:
                self._place(self._alias(event))
            elif kind is yaml.DocumentStartEvent:
                documents += 1
                if documents > 1:
                    self._fault(event, "a second document begins; an export file is one document")
                    return
            elif kind is yaml.StreamEndEvent:
                return

    def _open(self, event: Any, container: Any) -> None:
        if event.anchor is not None:
            self._anchors[event.anchor] = container
        if len(self._stack) == 2 and type(container) is dict:
            self.document.section_lines.append(event.start_mark.line + 1)
        self._stack.append((self._container, self._key, event))
        self._container, self._key = container, _ABSENT

    def _close(self) -> None:
        value = self._container
        self._container, self._key, event = self._stack.pop()
        if event.tag is not None and event.tag not in (f"{_YAML_TAG}map", f"{_YAML_TAG}seq", "!"):
            value = self._tagged(event, value)
            if event.anchor is not None:
                self._anchors[event.anchor] = value
        self._place(value)

    def _place(self, value: Any) -> None:
        container = self._container
        if type(container) is list:
            container.append(value)
        elif container is None:
            self.document.value = value
        elif self._key is _ABSENT:
            self._key = value if isinstance(value, Hashable) else str(value)
        else:
            container[self._key] = value
            self._key = _ABSENT

    def _alias(self, event: Any) -> Any:
        if event.anchor not in self._anchors:
            self._fault(event, f"nothing before it is marked as {event.anchor!r}")
        return self._anchors.get(event.anchor)

    def _scalar(self, event: Any) -> Any:
        tag = event.tag
        if tag is None or tag == "!":
            value = event.value
            if event.implicit[0]:
                known = self._plain.get(value, _ABSENT)
                value = self._resolved(event) if known is _ABSENT else known
        else:
            value = self._tagged(event, event.value)
        if event.anchor is not None:
            self._anchors[event.anchor] = value
        return value

    def _resolved(self, event: Any) -> Any:
        """Return what an unquoted scalar means."""
        text = event.value
        if text.isascii() and text.isdecimal() and text[0] != "0":
            return int(text)
        tag = self._resolver.resolve(yaml.ScalarNode, text, (True, False))
        value = text if tag == f"{_YAML_TAG}str" else self._constructed(event, tag)
        self._plain[text] = value
        return value

    def _constructed(self, event: Any, tag: str) -> Any:
        """Make a value of one of YAML's own types."""
        construct = yaml.SafeLoader.yaml_constructors.get(tag)
        if construct is None:
            self._fault(event, f"{event.value!r} is of a kind ({tag}) that no export file has")
            return None
        try:
            return construct(self._constructor, yaml.ScalarNode(tag, event.value, event.start_mark))
        except (ValueError, yaml.YAMLError) as error:
            kind = tag.removeprefix(_YAML_TAG)
            self._fault(event, f"{event.value!r} cannot be read as {kind}: {error}")
            return None

    def _tagged(self, event: Any, value: Any) -> Any:
        tag = event.tag
        if tag.startswith(_YAML_TAG) and isinstance(value, str):
            return self._constructed(event, tag)
        construct = _region if tag.startswith(_REGION_TAGS) else _CONSTRUCTORS.get(tag)
        if construct is None:
            self._fault(event, f"the tag {tag!r} is none that export files have")
            return None
        try:
            return construct(value)
        except (ValueError, KeyError, TypeError, AttributeError, ButlerError) as error:
            self._fault(event, f"{_shortened(value)} cannot be read as {tag!r}: {error}")
            return None

    def _fault(self, event: Any, text: str) -> None:
        self.document.faults.append(f"line {event.start_mark.line + 1}: {text}")


def _region(value: Any) -> bytes:
    """Return the bytes of an encoded region, once it is sure that they are one."""
    from butler_core import region

    encoded = bytes.fromhex(value["encoded"])
    region.decode(encoded)
    return encoded


def _timespan(value: Any) -> Timespan:
    if value == "EMPTY":
        return Timespan.empty()
    return Timespan.from_times(value["begin"], value["end"])


_CONSTRUCTORS: dict[str, Callable[[Any], Any]] = {
    "!uuid": uuid.UUID,
    "!butler_time/tai/iso": iso_to_ns,
    "!lsst.daf.butler.Timespan": _timespan,
    "lsst.daf.butler.Timespan": _timespan,
}


def _shortened(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
